"""How tests of the whole stack ask aloud."""

import asyncio
import time
from typing import Any, cast

import numpy as np
import pytest

from devstack.caller import Caller, Ear, Line, NoAnswer, Pcm
from tests.support import call_steps
from tests.support.call_steps import ask
from tests.support.local_stack import LocalStack

pytestmark = pytest.mark.usefixtures("virtual_time")

SORRY, DONE, TAKEN = "Sorry, I didn't get that.", "Done. It is booked.", "That time is taken."
SOUND = np.full(240, 3_000, np.int16)


class Agent(Caller):
    """
    A caller whose agent answers from a script: the delay in seconds and the words of each line, for
    each time that it is asked.
    """

    def __init__(self, *answers: list[tuple[float, str]]) -> None:
        self.lines: list[Line] = []
        self.ear = Ear()
        self.left = asyncio.Event()
        self.asked = 0
        self._answers = answers

    async def say(self, pcm: Pcm) -> float:
        """Takes a second."""
        await asyncio.sleep(1)
        for delay_s, words in self._answers[self.asked]:
            asyncio.get_running_loop().call_later(delay_s, self._speak_line, words)
        self.asked += 1
        return time.monotonic()

    def _speak_line(self, words: str) -> None:
        self.ear.frames.append((time.monotonic(), SOUND))
        self.lines.append(Line("agent", words, time.monotonic()))


@pytest.fixture(autouse=True)
def voice(monkeypatch: pytest.MonkeyPatch) -> None:
    async def speak(*_: object) -> Pcm:
        return SOUND

    monkeypatch.setattr(call_steps, "speak", speak)
    monkeypatch.setattr(call_steps, "speech_url", lambda _: "")


STACK = cast(LocalStack, cast(Any, None))


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([[(1.0, DONE)]], 1),
        ([[(1.0, SORRY)], [(1.0, DONE)]], 2),
        # A rest of the turn before is answered first; what was asked now takes the shop a while.
        ([[(1.0, SORRY), (4.0, DONE)], [(1.0, TAKEN)]], 1),
        ([[(1.0, SORRY)], [(1.0, SORRY)], [(15.0, DONE)]], 3),
    ],
)
async def test_ask_repeats_only_what_was_not_answered(
    answers: list[list[tuple[float, str]]], asked: int
) -> None:
    """What is asked twice may be done twice, or refused the second time."""
    agent = Agent(*answers)
    await ask(STACK, agent, "at half past three", "Done")
    assert agent.asked == asked


async def test_ask_that_is_never_answered_says_what_was_heard() -> None:
    """After three times, the answers to all of them."""
    agent = Agent([(1.0, SORRY)], [], [(1.0, TAKEN)])
    with pytest.raises(NoAnswer) as caught:
        await ask(STACK, agent, "at half past three", "Done")
    assert agent.asked == 3
    assert SORRY in str(caught.value) and TAKEN in str(caught.value)
