"""How long a caller waits for a model's words, and how a reply ends."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from livekit.agents import APIConnectionError, APIStatusError
from livekit.agents.llm import ChatChunk, ChoiceDelta, CompletionUsage, FunctionToolCall

from agent_worker.model.reply import Bounds, Bridge, End, Part, parts

pytestmark = pytest.mark.usefixtures("virtual_time")
BOUNDS = Bounds(first_s=8, silence_s=8, bridge_s=3, words_max=20)
WHOLE = End("whole")
CALL = FunctionToolCall(name="look", arguments="{}", call_id="1")


def chunk(text: str = "", calls: Sequence[FunctionToolCall] = (), **more: Any) -> ChatChunk:
    delta = ChoiceDelta(role="assistant", content=text, tool_calls=list(calls))
    return ChatChunk(id="x", delta=delta, **more)


class Model:
    """Sends *script*: texts, chunks, seconds to wait, errors."""

    def __init__(self, *script: str | float | ChatChunk | Exception) -> None:
        self.script = script
        self.closed = False

    async def stream(self) -> AsyncIterator[ChatChunk]:
        try:
            for step in self.script:
                match step:
                    case str():
                        yield chunk(step)
                    case ChatChunk():
                        yield step
                    case Exception():
                        raise step
                    case _:
                        await asyncio.sleep(step)
        finally:
            self.closed = True


async def heard(*script: str | float | ChatChunk | Exception) -> list[tuple[float, Part]]:
    """The parts of the reply, each with the second at which it came."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    stream = Model(*script).stream()
    return [
        (round(loop.time() - began, 1), part) async for part in parts(stream, BOUNDS, {"look": {}})
    ]


async def test_words_come_by_the_clause_and_an_end() -> None:
    assert await heard(0.3, "Of ", 0.1, "course", 0.1, ". ", "We are ", "open.") == [
        (0.5, "Of course."),
        (0.5, "We are open."),
        (0.5, End("whole")),
    ]


@pytest.mark.parametrize("sign", ["", " ", "\n\n"])
async def test_white_space_and_reasoning_are_no_words(sign: str) -> None:
    """A model that reasons for long sends chunks all the time."""
    signs = [step for _ in range(60) for step in (0.5, chunk(sign))]
    assert await heard(*signs) == [(3.0, Bridge()), (8.0, End("late"))]


async def test_silent_model_is_late() -> None:
    assert await heard(30.0, "Yes.") == [(3.0, Bridge()), (8.0, End("late"))]


async def test_model_that_stalls_after_a_sentence_is_heard_as_far_as_it_came() -> None:
    """Not the half sentence behind it. Time counts from when the caller has heard it."""
    assert await heard("It is here. And so", 30.0) == [
        (0.0, "It is here."),
        (4.0, Bridge()),
        (9.0, End("stalled")),
    ]


async def test_sentence_that_came_last_is_heard_long_before_the_stall_is_told() -> None:
    assert (await heard("It is here.", 30.0))[0] == (0.5, "It is here.")


async def test_call_whose_arguments_take_long_is_no_stall() -> None:
    """Nothing comes while a model writes them."""
    assert await heard("Let me look.", 7.0, chunk(calls=[CALL]), 0.5, chunk(calls=[CALL])) == [
        (0.5, "Let me look."),
        (4.5, Bridge()),
        (7.0, CALL),
        (7.5, CALL),
        (7.5, End("whole")),
    ]


async def test_late_call_is_no_stall() -> None:
    found = await heard(7.0, chunk(calls=[CALL]), 1.0, chunk(calls=[CALL]))
    assert found == [(3.0, Bridge()), (7.0, CALL), (8.0, CALL), (8.0, End("whole"))]


async def test_signs_that_are_no_words_do_not_keep_the_caller_waiting() -> None:
    """Code, a rule of a table, a run of marks: what counts is what is heard."""
    signs = [step for _ in range(60) for step in (0.5, "|---|")]
    found = await heard("It is here.\n", *signs)
    assert found[0] == (0.0, "It is here.") and found[-1] == (9.0, End("stalled"))


async def test_broken_call_after_words_is_no_whole_reply() -> None:
    found = await heard('Let me look. <tool_call>{"name": "launch"}</tool_call>')
    assert found == [(0.0, "Let me look."), (0.0, End("unspeakable"))]


async def test_model_that_breaks_off_after_words_is_cut() -> None:
    error = APIConnectionError()
    assert await heard("It is here. And", error) == [
        (0.0, "It is here."),
        (0.0, End("cut", "APIConnectionError")),
    ]


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (APIStatusError("secret words", status_code=429), End("rate-limited", "HTTP 429")),
        (APIStatusError("secret words", status_code=400), End("refused", "HTTP 400")),
        (APIStatusError("secret words", status_code=500), End("failed", "HTTP 500")),
        (ValueError("secret words"), End("failed", "ValueError")),
    ],
)
async def test_error_before_the_first_word_fails_without_its_words(
    error: Exception, end: End
) -> None:
    """A server's answer may repeat what the caller said."""
    assert await heard(error) == [(0.0, end)]


async def test_nothing_is_empty() -> None:
    assert await heard(chunk()) == [(0.0, End("empty"))]


async def test_written_call_is_a_call_and_one_that_is_none_is_unspeakable() -> None:
    (_, call), end = await heard('{"name": "look", "arguments": {"room": 7}}')
    assert isinstance(call, FunctionToolCall)
    assert (call.name, call.arguments) == ("look", '{"room": 7}')
    assert end == (0.0, End("whole"))
    assert await heard('{"name": "launch", "arguments": {}}') == [(0.0, End("unspeakable"))]


async def test_call_counts_as_an_answer() -> None:
    assert await heard(1.0, chunk(calls=[CALL])) == [(1.0, CALL), (1.0, End("whole"))]


async def test_call_that_is_not_allowed_is_none() -> None:
    stream = Model(chunk(calls=[CALL])).stream()
    assert [one async for one in parts(stream, BOUNDS, {"look": {}}, may_call=False)] == [
        End("empty")
    ]


async def test_calls_without_end_are_bounded() -> None:
    found = await heard(chunk(calls=[CALL] * 50))
    assert len(found) == 16 + 1


async def test_long_reply_ends_after_a_sentence() -> None:
    sentence = "One two three four five six seven. "
    found = await heard(*[sentence] * 20)
    assert [part for _, part in found] == [*[sentence.strip()] * 3, End("long")]


async def test_long_reply_with_nothing_left_is_whole() -> None:
    """Nobody is asked to go on with nothing."""
    sentence = "One two three four five six seven. "
    assert (await heard(*[sentence] * 3))[-1][1] == End("whole")


async def test_long_reply_without_sentences_ends_all_the_same() -> None:
    words = "word " * 400
    found = await heard(words)
    assert found[-1][1] == End("long")
    assert sum(len(part.split()) for _, part in found if isinstance(part, str)) < 120


async def test_slow_words_are_said_before_their_clause_is_whole() -> None:
    """One word a second: nobody waits for the whole sentence."""
    words = [
        step for word in "we are open from nine to six today.".split() for step in (1.0, f"{word} ")
    ]
    found = await heard(*words)
    assert found[0] == (3.0, "we are")
    said = [(at, part) for at, part in found if isinstance(part, str)]
    assert " ".join(part for _, part in said) == "we are open from nine to six today."
    assert max(later - at for (at, _), (later, _) in pairwise(said)) <= 4
    assert found[-1][1] == End("whole")


async def test_usage_is_the_models_own_to_tell() -> None:
    usage = CompletionUsage(completion_tokens=1, prompt_tokens=2, total_tokens=3)
    assert await heard("Yes. ", ChatChunk(id="x", usage=usage)) == [(0.0, "Yes."), (0.0, WHOLE)]


async def test_first_words_have_a_bound_of_their_own() -> None:
    """Who is asked last has less time to begin, and as much as ever to go on."""
    bounds = replace(BOUNDS, first_s=2)
    stream = Model("It is here. ", 5.0, "So.").stream()
    assert [one async for one in parts(stream, bounds, {})] == [
        "It is here.",
        Bridge(),
        "So.",
        WHOLE,
    ]
    assert [one async for one in parts(Model(5.0, "So.").stream(), bounds, {})] == [End("late")]


async def test_stream_is_left_when_the_caller_speaks() -> None:
    """Nothing waits for a model whose reply was dropped."""
    model = Model(30.0)
    stream = model.stream()
    reply = asyncio.ensure_future(anext(parts(stream, BOUNDS, {})))
    await asyncio.sleep(1)
    reply.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reply
    assert model.closed
