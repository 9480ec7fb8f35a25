"""Opinions come in time or not at all; whatever the encoder does, the call goes on."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from livekit.agents.llm import ChatContext
from numpy.typing import NDArray
from structlog.testing import capture_logs

from agent_worker.reasoning.dialog import CallTool, NotUnderstood, follow
from agent_worker.reasoning.encoder import (
    ANSWER_WITHIN_S,
    AWAY_S,
    BATCH_MAX,
    CATCH_UP_WITHIN_S,
    FAILURES_MAX,
    TURNS_MAX,
    Encoder,
)
from agent_worker.reasoning.llm import AgentLLM, DialogAgent
from agent_worker.reasoning.opinions import Opinions
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn
from agent_worker.voice.turn_detector import UNFINISHED, GrammarTurnDetector
from agent_worker.waits import Waits
from tests.support.scripted_encoder import ScriptedEncoder
from tests.unit.agent_worker.reasoning.small_form import FORM
from tests.unit.agent_worker.reasoning.test_wish import NOW
from tests.unit.agent_worker.small_agent import load_templates

pytestmark = pytest.mark.usefixtures("virtual_time")
OPEN = Turn("there's something with room seven", NOW)
"""No template and no example says what it means."""
TEXT = "there's something with room number"
ALIKE = {TEXT: {"peek into room number": 0.8}}
LOOK = CallTool("look", {"room": 7})


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Templates that know which tools change something."""
    templates = load_templates(tmp_path_factory.mktemp("form"), FORM)
    return templates.knowing({"clear", "visit", "contact"}, {"clear"})


@dataclass
class Scene:
    """A call's encoder, and what came of it."""

    plain: Templates
    delay_s: float = 0.0
    service: ScriptedEncoder = field(default_factory=lambda: ScriptedEncoder(ALIKE))
    counted: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        opinions = Opinions()
        self.templates = self.plain.hearing(opinions)
        self.encoder = Encoder(
            self.templates, opinions, self._embed, self._count, pauses_s=(1.0, 2.0)
        )

    async def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        await asyncio.sleep(self.delay_s)
        return await self.service(texts)

    def _count(self, outcome: str, sentences: int) -> None:
        self.counted[outcome] += sentences

    async def move(self, turn: str = OPEN) -> Any:
        """What becomes of *turn*."""
        await self.encoder.consider([Turn(turn)])
        return follow(self.templates, [turn]).move


@pytest.fixture
async def scene(form: Templates) -> Scene:
    """An encoder that has learned the examples."""
    scene = Scene(form)
    await scene.encoder.learn()
    scene.service.asked.clear()
    return scene


async def test_opinion_is_fetched_once_and_heeded(scene: Scene) -> None:
    """The detector, the model and the journal go by the same one."""
    moves = await asyncio.gather(scene.move(), scene.move())
    assert [*moves, await scene.move()] == [LOOK] * 3
    assert scene.service.asked == [[TEXT]]
    assert scene.counted == {"given": 1}


async def test_examples_are_learned_in_bounded_batches_as_words(form: Templates) -> None:
    """Every example, counter-example and saying of no meaning; no braces."""
    scene = Scene(form)
    await scene.encoder.learn()
    batches = scene.service.asked
    assert len(batches) > 1 and all(len(one) <= BATCH_MAX for one in batches)
    texts = {text for batch in batches for text in batch}
    assert {"peek into room number", "don't touch room number", "paint me a picture"} <= texts
    assert "do you sell something" in texts
    assert not any("{" in text for text in texts)


async def test_before_the_examples_are_learned_there_is_no_opinion(form: Templates) -> None:
    """And nobody is asked; what was settled without one stays so."""
    scene = Scene(form)
    assert await scene.move() == NotUnderstood(1)
    await scene.encoder.learn()
    assert await scene.move() == NotUnderstood(1)
    assert scene.counted == {"not-ready": 1}


async def test_learning_goes_on_until_the_encoder_is_there(form: Templates) -> None:
    """With pauses, however long; the log says it once."""
    scene = Scene(form)
    scene.service.is_down = True
    with capture_logs() as logs:
        learning = asyncio.create_task(scene.encoder.learn())
        await asyncio.sleep(9.5)
        assert len(scene.service.asked) == 6  # after 0, 1, 3, 5, 7, 9 s
        scene.service.is_down = False
        await learning
    assert [line["event"] for line in logs] == ["encoder.unavailable", "encoder.learned"]
    assert await scene.move() == LOOK


async def test_late_opinion_is_none(scene: Scene) -> None:
    """The caller waits for the bound and no longer, and then it stays out."""
    scene.delay_s = 100 * ANSWER_WITHIN_S
    began_s = asyncio.get_running_loop().time()
    assert await scene.move() == NotUnderstood(1)
    assert ANSWER_WITHIN_S <= asyncio.get_running_loop().time() - began_s < scene.delay_s / 2
    scene.delay_s = 0.0
    assert await scene.move() == NotUnderstood(1)
    assert scene.counted == {"late": 1}


async def test_encoder_that_fails_is_left_alone_for_a_while(scene: Scene) -> None:
    """No caller pays for each of its failures; the log says it once."""
    scene.service.is_down = True
    with capture_logs() as logs:
        for number in range(FAILURES_MAX + 2):
            await scene.encoder.consider([Turn(f"see to the {'very ' * number}old room", NOW)])
    assert len(scene.service.asked) == FAILURES_MAX
    assert scene.counted == {"unavailable": FAILURES_MAX + 2}
    assert [line["event"] for line in logs] == ["encoder.unavailable"]
    scene.service.is_down = False
    await asyncio.sleep(AWAY_S + 0.1)
    assert await scene.move() == LOOK


async def test_encoder_that_was_changed_for_another_gives_no_opinion(
    form: Templates,
) -> None:
    """Vectors of another length cannot be compared."""
    scene = Scene(form)
    await scene.encoder.learn()
    short = np.ones((1, 3), np.float32)

    async def other(_: Sequence[str]) -> NDArray[np.float32]:
        return short

    scene.service = other  # type: ignore[assignment]
    assert await scene.move() == NotUnderstood(1)
    assert scene.counted == {"unavailable": 1}


async def test_agent_that_takes_over_waits_a_little_and_asks_for_all_turns_together(
    form: Templates,
) -> None:
    """In one request; only the last turns, and each text once."""
    scene = Scene(form, delay_s=0.1)
    learning = asyncio.create_task(scene.encoder.learn())
    said = [Turn(f"see to the {'very ' * number}old room", NOW) for number in range(TURNS_MAX)]
    await scene.encoder.catch_up([OPEN, *said[:-1], OPEN])
    assert learning.done()
    (asked,) = scene.service.asked[-1:]
    assert len(asked) == len(set(asked)) and TEXT in asked and len(asked) <= TURNS_MAX
    assert await scene.move() == LOOK
    await learning


async def test_agent_that_takes_over_goes_on_without_an_encoder(form: Templates) -> None:
    """After the bound."""
    scene = Scene(form, delay_s=60.0)
    learning = asyncio.create_task(scene.encoder.learn())
    began_s = asyncio.get_running_loop().time()
    await scene.encoder.catch_up([OPEN])
    assert CATCH_UP_WITHIN_S <= asyncio.get_running_loop().time() - began_s < scene.delay_s / 2
    assert scene.counted == {"not-ready": 1}
    learning.cancel()


async def test_turn_that_goes_on_meanwhile_settles_nothing(scene: Scene) -> None:
    """Its opinion was not late: the sentence was not over."""
    scene.delay_s = ANSWER_WITHIN_S / 2
    considering = asyncio.create_task(scene.encoder.consider([OPEN]))
    await asyncio.sleep(ANSWER_WITHIN_S / 4)
    considering.cancel()
    scene.delay_s = 0.0
    assert await scene.move() == LOOK


async def test_agent_without_examples_asks_nothing(tmp_path: Path) -> None:
    """There is nothing to compare with."""
    scene = Scene(load_templates(tmp_path))
    await scene.encoder.learn()
    await scene.encoder.consider([Turn("there's something with room seven")])
    assert scene.service.asked == []


async def test_turn_detector_and_model_go_by_the_opinion(scene: Scene) -> None:
    """The detector asks before it judges, the model before it answers."""
    conversation = ChatContext.empty()
    conversation.add_message(role="user", content=str(OPEN))
    detector = GrammarTurnDetector(scene.templates, Waits(), encoder=scene.encoder)
    # Only examples tell what it is, and not surely: it may go on.
    assert await detector.predict_end_of_turn(conversation) == UNFINISHED
    assert scene.service.asked == [[TEXT]]
    assert follow(scene.templates, [OPEN]).move == LOOK


async def test_model_asks_before_it_answers(scene: Scene) -> None:
    """The tool of the opinion is called."""
    agent = cast(DialogAgent, SimpleNamespace(templates=scene.templates))
    conversation = ChatContext.empty()
    conversation.add_message(role="user", content=str(OPEN))
    async with AgentLLM(agent, encoder=scene.encoder).chat(chat_ctx=conversation) as stream:
        calls = [one.delta.tool_calls[0] async for one in stream if one.delta]
    assert [(one.name, one.arguments) for one in calls] == [("look", '{"room": 7}')]
