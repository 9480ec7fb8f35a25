"""Several models, of which the first that has something to say answers."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

import pytest
from livekit.agents.llm import FunctionToolCall

from agent_worker.model.failover import Answers, Failed, Model, answer
from agent_worker.model.health import Health
from agent_worker.model.reply import Bridge, End, Part

pytestmark = pytest.mark.usefixtures("virtual_time")
CALL = FunctionToolCall(name="look", arguments="{}", call_id="1")
WHOLE = End("whole")
ONE, TWO, THREE = (Model(name, cast(Any, None)) for name in ("one", "two", "three"))
MODELS = (ONE, TWO)


class Scene:
    """Models that answer by script: parts, seconds to wait, and errors."""

    def __init__(self, **scripts: Sequence[float | Part | Exception]) -> None:
        self.scripts = scripts
        self.health = Health()
        self.asked: list[tuple[float, str]] = []
        self.open: set[str] = set()

    async def ask(self, model: Model, silence_s: float) -> AsyncGenerator[Part]:
        loop = asyncio.get_running_loop()
        self.asked.append((round(loop.time() - self.began, 1), model.name))
        self.open.add(model.name)
        try:
            async with asyncio.timeout(None):
                for step in self.scripts[model.name]:
                    match step:
                        case float():
                            await asyncio.sleep(step)
                        case Exception():
                            raise step
                        case _:
                            yield step
        finally:
            self.open.discard(model.name)

    async def heard(
        self, models: Sequence[Model] = MODELS, hedge_s: float = 1.5, **more: Any
    ) -> list[Part | Answers | Failed]:
        """What was answered."""
        self.began = asyncio.get_running_loop().time()
        reply = answer(
            models, self.ask, self.health, silence_s=8, bridge_s=3, hedge_s=hedge_s, **more
        )
        return [part async for part in reply]


async def test_first_model_answers_alone() -> None:
    scene = Scene(one=[0.5, "Yes.", 3.0, "It is.", WHOLE], two=[])
    assert await scene.heard() == [Answers(ONE), "Yes.", "It is.", WHOLE]
    assert scene.asked == [(0.0, "one")]


@pytest.mark.parametrize(
    "end", [End("failed", "HTTP 500"), End("rate-limited", "HTTP 429"), End("empty"), End("late")]
)
async def test_model_that_fails_is_followed_by_the_next_at_once(end: End) -> None:
    scene = Scene(one=[0.2, end], two=["Yes.", WHOLE])
    assert await scene.heard() == [Failed(ONE, end), Answers(TWO), "Yes.", WHOLE]
    assert scene.asked == [(0.0, "one"), (0.2, "two")]
    assert scene.health.state("one") == ("up" if end.outcome == "empty" else "down")


async def test_late_model_is_raced_and_the_loser_is_never_heard() -> None:
    """Not even the tool that it calls."""
    scene = Scene(one=[2.9, CALL, WHOLE], two=[1.0, "Yes.", 2.0, "It is.", WHOLE])
    assert await scene.heard() == [Answers(TWO), "Yes.", "It is.", WHOLE]
    assert scene.asked == [(0.0, "one"), (1.5, "two")]
    assert scene.open == set() and scene.health.state("one") == "up"


async def test_model_that_hangs_while_another_answers_is_left_alone() -> None:
    """Else each turn would wait for it, and nobody would hear of it."""
    scene = Scene(one=[30.0], two=[1.6, "Yes.", WHOLE])
    found = await scene.heard()
    assert found == [Bridge(), Failed(ONE, End("late")), Answers(TWO), "Yes.", WHOLE]
    assert scene.health.state("one") == "down"


async def test_late_model_may_win_all_the_same() -> None:
    scene = Scene(one=[2.0, "Yes.", WHOLE], two=[5.0, "No.", WHOLE])
    assert await scene.heard() == [Answers(ONE), "Yes.", WHOLE]


async def test_without_hedging_a_late_model_is_left_for_the_next() -> None:
    scene = Scene(one=[30.0], two=["Yes.", WHOLE])
    late = Failed(ONE, End("late"))
    assert await scene.heard(hedge_s=0) == [Bridge(), late, Answers(TWO), "Yes.", WHOLE]
    assert scene.asked == [(0.0, "one"), (4.0, "two")]
    assert scene.open == set()


async def test_when_all_fail_the_last_failure_ends_it() -> None:
    scene = Scene(one=[End("failed")], two=[ValueError("secret")])
    gone = End("failed", "ValueError")
    assert await scene.heard() == [Failed(ONE, End("failed")), Failed(TWO, gone), gone]


@pytest.mark.parametrize("hedge_s", [1.5, 0.0])
async def test_model_that_is_down_is_asked_last_and_comes_back(hedge_s: float) -> None:
    """The one that tries it waits for it as for any other, though the next is quicker."""
    now_s = 0.0
    scene = Scene(one=[1.0, "One.", WHOLE], two=["Two.", WHOLE], three=["Three.", WHOLE])
    scene.health = Health(now_s=lambda: now_s)
    scene.health.failed("one")
    models = [ONE, TWO, THREE]
    assert await scene.heard(models, hedge_s) == [Answers(TWO), "Two.", WHOLE]
    assert scene.asked == [(0.0, "two")]
    now_s = 1_000.0
    assert await scene.heard(models, hedge_s) == [Answers(ONE), "One.", WHOLE]
    assert scene.health.state("one") == "up"


async def test_caller_is_told_once_that_it_takes_a_moment() -> None:
    """By the caller's clock, whatever the models' own tell."""
    scene = Scene(one=[3.5, Bridge(), 30.0], two=[3.0, Bridge(), 1.0, "Yes.", WHOLE])
    late = Failed(ONE, End("late"))
    assert await scene.heard() == [Bridge(), late, Answers(TWO), "Yes.", WHOLE]
    quick = Scene(one=[2.0, "Yes.", 4.0, Bridge(), "It is.", WHOLE], two=[30.0])
    assert await quick.heard() == [Answers(ONE), "Yes.", Bridge(), "It is.", WHOLE]


async def test_model_that_breaks_off_after_words_is_told_and_not_followed() -> None:
    """Two halves of two answers make none."""
    scene = Scene(one=["It is", End("cut")], two=["Yes.", WHOLE])
    cut = End("cut")
    assert await scene.heard() == [Answers(ONE), "It is", Failed(ONE, cut), cut]


async def test_nothing_may_be_an_answer() -> None:
    scene = Scene(one=[End("empty")], two=["Yes.", WHOLE])
    assert await scene.heard(may_be_empty=True) == [Answers(ONE), End("empty")]


async def test_reply_that_is_dropped_leaves_no_model_running() -> None:
    scene = Scene(one=[30.0], two=[30.0])
    reply = asyncio.create_task(scene.heard())
    await asyncio.sleep(3)
    assert scene.open == {"one", "two"}
    reply.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reply
    assert scene.open == set()
