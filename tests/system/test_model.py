"""
What a caller hears of a model that does not do as it should, over the SFU.

The model follows a script; the session, the gate, the voice and the caller's ear are real. The
caller types, so that no recognizer is in question.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from devstack.ask import recognize
from devstack.caller import Caller, Pcm, joined
from tests.support.call_steps import effects, entries, greeted, speech_url
from tests.support.local_stack import LocalStack, free_ports, running_stack
from tests.support.scripted_providers import (
    Answer,
    Asked,
    Refused,
    ScriptedProviders,
    Streamed,
    ToolCalls,
    scripted_providers,
)
from voice_contract.journal import AgentTurnEnded, ToolFinished

pytestmark = pytest.mark.long

LONGEST_SILENCE_S = 8.0
ON_A_BUSY_MACHINE_S = 2.0
HEALTH_S = 11.0
"""Longer than a model that failed is left alone."""
AWAY = "I can only help with simple questions right now."
MOMENT = "One moment, please."
FAILED = "I can't think of an answer right now, please try again."
LOST = "Sorry, I lost my thread there. Please ask me again."
SECRET = "tangerine"
"""In what a server answers with, which no log may repeat."""


@pytest.fixture(scope="module")
def model_port() -> int:
    """Where the scripted model listens, while a test runs."""
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def model_stack(tmp_path_factory: pytest.TempPathFactory, model_port: int) -> Iterator[LocalStack]:
    """The stack with that model behind the shop's templates."""
    with running_stack(
        tmp_path_factory.mktemp("model"),
        PARLEY_LLM_BASE_URL=f"http://127.0.0.1:{model_port}/v1",
        PARLEY_LLM_MODEL="scripted",
    ) as started:
        yield started


@dataclass
class Heard:
    """What the caller heard and read after a question."""

    text: str
    silences_s: list[float]
    """Before the first sound, and between two sounds."""
    pcm: Pcm
    """Its sound."""


@dataclass
class ModelCall:
    """A caller who has heard the greeting."""

    stack: LocalStack
    caller: Caller
    model: ScriptedProviders

    async def ask(self, answer: Answer | list[Answer], until: str, timeout_s: float = 60) -> Heard:
        """Ask something that no template knows, and listen until the agent has said *until*."""
        rest = list(answer) if isinstance(answer, list) else [answer]

        def script(_: Asked) -> Answer:
            return rest.pop(0) if len(rest) > 1 else rest[0]

        self.model.script = script
        before = len(self.caller.lines)
        asked_at = time.monotonic()
        await self.caller.send_text("tell me a tale of your grandmother")
        await self.caller.agent_line(after=before, containing=until, timeout_s=timeout_s)
        await asyncio.sleep(1)
        lines = [one.text for one in self.caller.lines[before:] if one.speaker == "agent"]
        return Heard(
            " ".join(lines),
            _silences(self.caller, asked_at),
            self.caller.ear.since(asked_at),
        )


def _silences(caller: Caller, since: float) -> list[float]:
    found, last = [], since
    while (sound := caller.ear.first_sound_after(last)) is not None:
        found.append(sound - last)
        last = sound
    return found


@pytest.fixture
async def call(model_stack: LocalStack, model_port: int) -> AsyncIterator[ModelCall]:
    """The call."""
    async with scripted_providers(model_port) as model, joined(model_stack.page_url) as caller:
        await greeted(caller)
        yield ModelCall(model_stack, caller, model)


@pytest.fixture(scope="module")
def second_port() -> int:
    """Where another model listens, while a test runs."""
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def pair_stack(
    tmp_path_factory: pytest.TempPathFactory, model_port: int, second_port: int
) -> Iterator[LocalStack]:
    """The stack with both models."""
    second = {"base_url": f"http://127.0.0.1:{second_port}/v1", "model": "second"}
    with running_stack(
        tmp_path_factory.mktemp("pair"),
        PARLEY_LLM_BASE_URL=f"http://127.0.0.1:{model_port}/v1",
        PARLEY_LLM_MODEL="scripted",
        PARLEY_LLM_FALLBACKS=json.dumps([second]),
        PARLEY_REASONING="model",
    ) as started:
        yield started


@pytest.mark.parametrize(
    "answer", [Streamed([30.0]), Refused(429), Streamed([], breaks_off=True)], ids=str
)
async def test_second_model_answers_where_the_first_does_not(
    pair_stack: LocalStack, model_port: int, second_port: int, answer: Answer
) -> None:
    """Soon, and nothing else is heard."""
    async with (
        scripted_providers(model_port) as model,
        scripted_providers(second_port) as second,
        joined(pair_stack.page_url) as caller,
    ):
        await greeted(caller)
        second.script = lambda _: "My grandmother rode a bicycle."
        heard = await ModelCall(pair_stack, caller, model).ask(answer, "bicycle")
        assert heard.text == "My grandmother rode a bicycle."
        assert heard.silences_s[0] < 1.5 + ON_A_BUSY_MACHINE_S * 2


async def test_model_that_dies_and_comes_back_loses_no_wish_and_does_none_twice(
    pair_stack: LocalStack, model_port: int, second_port: int
) -> None:
    """Without any model, templates ask and do what was wished; the model then goes on."""
    async with joined(pair_stack.page_url) as caller:
        await greeted(caller)
        await caller.send_text("refund one dollar of order 3")
        await caller.agent_line(containing=AWAY)
        await caller.agent_line(containing="Refund 1 dollar of order 3?")
        async with scripted_providers(model_port) as model:
            model.script = lambda asked: asked.results[-1] if asked.results else "I am back."
            before = len(caller.lines)
            # An answer in the echo of the question is asked again.
            await asyncio.sleep(1)
            await caller.send_text("yes")
            await caller.agent_line(after=before, containing="for order 3 are on their way")
            before = len(caller.lines)
            await asyncio.sleep(HEALTH_S)
            await caller.send_text("tell me a tale of your grandmother")
            await caller.agent_line(after=before, containing="I am back.")
        assert await effects(pair_stack, caller) == ["order.refunded"]


REASONS = Streamed([step for _ in range(60) for step in (0.5, {"reasoning": "hm"})])
KEEPS_ALIVE = Streamed([step for _ in range(60) for step in (0.5, " ")])
SLOWLY = (
    "we open at nine in the morning and close at six in the evening on each day of the week but "
    "not when it snows."
)
SLOW = Streamed([step for word in SLOWLY.split() for step in (1.0, f"{word} ")])
TABLE = "**Our hours**\n\n| day | from |\n|---|---|\n| Monday | nine |\n\nSee [the page](https://example.com/x)."
WRITTEN = '<tool_call>\n{"name": "order_status", "arguments": {"order_number": 7}}\n</tool_call>'


@pytest.mark.parametrize(
    ("answer", "until", "text"),
    [
        pytest.param(REASONS, FAILED, f"{MOMENT} {FAILED}", id="reasons"),
        pytest.param(KEEPS_ALIVE, FAILED, f"{MOMENT} {FAILED}", id="white space"),
        pytest.param(
            Streamed(["We open at nine. And", 60.0]),
            LOST,
            f"We open at nine. {MOMENT} {LOST}",
            id="stalls",
        ),
        pytest.param(
            Streamed(["We open at nine. And we"], breaks_off=True),
            LOST,
            f"We open at nine. {LOST}",
            id="breaks off",
        ),
        pytest.param(
            TABLE,
            "See the page",
            "Our hours. day, from. Monday, nine. See the page.",
            id="markdown",
        ),
        pytest.param(SLOW, "snows.", SLOWLY, id="slow"),
        pytest.param(Refused(429, SECRET, {"retry-after": "60"}), FAILED, FAILED, id="429"),
        pytest.param(Refused(500, SECRET), FAILED, FAILED, id="500"),
        pytest.param(Streamed([{"choices": []}]), FAILED, FAILED, id="no choices"),
        pytest.param(
            "<tool_call>to a call main, ask price</tool_call>", FAILED, FAILED, id="written junk"
        ),
    ],
)
async def test_caller_of_a_model_that_fails_hears_why_and_is_not_left_in_silence(
    call: ModelCall, answer: Answer, until: str, text: str
) -> None:
    heard = await call.ask(answer, until)
    assert heard.text == text
    assert max(heard.silences_s) < LONGEST_SILENCE_S + ON_A_BUSY_MACHINE_S
    assert SECRET not in call.stack.log("agent-worker")


async def test_call_that_is_written_as_text_runs_and_is_not_heard(call: ModelCall) -> None:
    heard = await call.ask([WRITTEN, "Order 7 is under way."], "Order 7 is under way.")
    assert heard.text == "Order 7 is under way."
    assert "tool" not in (await recognize(speech_url(call.stack), heard.pcm)).lower()
    written = await entries(call.stack, call.caller)
    assert [one for one in written if isinstance(one, ToolFinished)]


async def test_model_that_calls_for_ever_is_ended_by_the_results_words(call: ModelCall) -> None:
    """And not by "Are you still there?"."""
    calls: list[Answer] = [
        ToolCalls("order_status", (f'{{"order_number": {number}}}',)) for number in (7, 8, 9, 10)
    ]
    heard = await call.ask(calls, "Order 10")
    assert len(call.model.asked) == len(calls) + 1
    assert [heard.text.count(f"Order {number} ") for number in (7, 8, 9, 10)] == [1] * 4
    assert max(heard.silences_s) < LONGEST_SILENCE_S + ON_A_BUSY_MACHINE_S


async def test_long_answer_is_asked_about_and_gone_on_with(call: ModelCall) -> None:
    sentence = "The shop is old, and it was built by three brothers who loved the road. "
    heard = await call.ask(sentence * 40, "Shall I go on?", timeout_s=120)
    assert len(heard.text.split()) < 140
    before = len(call.caller.lines)
    call.model.script = lambda _: "That was all of it."
    await call.caller.send_text("yes")
    await call.caller.agent_line(after=before, containing="That was all of it.")
    written = await entries(call.stack, call.caller)
    assert [one.interrupted for one in written if isinstance(one, AgentTurnEnded)].count(True) <= 1
