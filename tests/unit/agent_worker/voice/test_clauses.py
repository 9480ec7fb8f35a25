"""What is synthesized in one piece, and when."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent_worker.voice.clauses import Clauses, plain

pytestmark = pytest.mark.usefixtures("virtual_time")


async def synthesized(*pieces: str | float) -> list[tuple[float, str]]:
    """Each piece of synthesis with the second at which it began, through what a session does."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def written() -> AsyncIterator[str]:
        for piece in pieces:
            if isinstance(piece, float):
                await asyncio.sleep(piece)
            else:
                yield piece

    stream = Clauses().stream()

    async def push() -> None:
        async for piece in plain(written()):
            stream.push_text(piece)
        stream.end_input()

    pushing = asyncio.create_task(push())
    found = [(round(loop.time() - began, 1), token.token.strip()) async for token in stream]
    await pushing
    return found


async def test_clause_is_spoken_before_the_next_one_is_there() -> None:
    assert await synthesized("Of course.", 2.0, " We are open.", 2.0, " So") == [
        (0.0, "Of course."),
        (2.0, "We are open."),
        (4.0, "So"),
    ]


async def test_first_clause_may_end_in_a_comma() -> None:
    assert await synthesized("Thanks for calling us,", 1.0, " we are open.") == [
        (0.0, "Thanks for calling us,"),
        (1.0, "we are open."),
    ]


async def test_text_that_comes_whole_is_spoken_by_the_sentence() -> None:
    assert await synthesized("Order seven is on its way. It will be here on Friday.") == [
        (0.0, "Order seven is on its way."),
        (0.0, "It will be here on Friday."),
    ]


async def test_markdown_is_not_spoken() -> None:
    assert await synthesized("It is **open**.") == [(0.0, "It is open.")]


async def test_words_of_a_slow_model_are_spoken_without_an_end() -> None:
    assert await synthesized("we open", 2.0, " at nine.") == [(0.0, "we open"), (2.0, "at nine.")]
