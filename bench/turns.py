"""
Turns by voice, over the real SFU: sentences with a pause inside, and an agent that is disturbed.

Sentences: 40, in two voices, with a pause of 0.5 to 0.9 s; one is cut if the agent speaks, or takes
the turn, before its end. Disturbances, while the agent gives long answers: coughs, "uh-huh" and the
like, and a radio at -20 dB all the time; one is a false interruption if the answer is not heard to
its end, or what was no wish becomes a turn or is asked about.
"""

import asyncio
import itertools
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from devstack.ask import speak
from devstack.caller import FRAME_SAMPLES, Caller, NoAnswer, Pcm, joined, trimmed
from tests.support.call_steps import entries, speech_url
from tests.support.local_stack import LocalStack, running_stack
from tests.support.sounds import cough, silence
from voice_contract.journal import AgentTurnEnded, AgentTurnStarted, Entry, UserTurn

MINUTES = float(os.environ.get("PARLEY_BENCH_MINUTES", "30"))
PAUSES_S = (0.5, 0.6, 0.7, 0.8, 0.9)
SETTLES_S = 2.5
JOINED_S = 60
"""For the agent to come and say its first line, on a machine with other work."""
RADIO_DB = -20.0
VOICES = {"low voice": 1.0, "high voice": 1.25}
"""By how much the local voice is raised."""
ENDS = "What would you like?"
"""With which the long answer ends."""
LISTENING = ("uh-huh", "okay", "yeah", "right", "I see")
NEWS = (
    "The council has agreed to rebuild the old bridge. Work begins in spring and will take a year. "
    "In sports, the home team won three to one."
)
SENTENCES = (
    "where is order one|oh four",
    "where is|order seven",
    "where is order number|nine",
    "what is the status of my|order number eight",
    "I would like to know where|my order number seven is",
    "can you tell me|where order nine is",
    "could you please|cancel order ten",
    "I want to|cancel order ten",
    "please cancel|order number ten",
    "I would like a refund for|order two",
    "refund order|number two",
    "book an appointment on|friday",
    "book an appointment for|thursday at three",
    "I would like to book|an appointment",
    "I need to move|my appointment",
    "move my appointment to|monday at nine",
    "when are you|open on saturday",
    "until when are you|open on sunday",
    "what are your|opening hours",
    "hi,|where is order seven",
    "hello,|when are you open",
    "um,|where is order eight",
    "thank you,|and where is order nine",
    "order|seven please",
    "I have a question about|order seven",
    "it's about order number|one two",
    "do you have|a helmet",
    "how much is|a lock",
    "what would a|helmet cost",
    "I would like to speak to|a person",
    "can I talk to|somebody",
    "can somebody|call me back",
    "which appointments do|I have on friday",
    "when is my|appointment",
    "what are my|orders",
    "what have I got|on order",
    "my chain keeps slipping and|what can I do",
    "how often should I|oil the chain",
    "is my order|seven on its way",
    "where is my order,|number seven",
)


def main() -> None:
    """Measure on a stack of our own and print."""
    with tempfile.TemporaryDirectory(prefix="parley-bench-", dir=".") as name:
        with running_stack(Path(name).absolute()) as stack:
            asyncio.run(_sentences(stack))
            asyncio.run(_disturbances(stack))


async def _sentences(stack: LocalStack) -> None:
    pauses_s = itertools.cycle(PAUSES_S)
    cut: dict[str, list[str]] = {voice: [] for voice in VOICES}
    for sentence in SENTENCES:
        pause_s = next(pauses_s)
        for voice, pitch in VOICES.items():
            # A call each: what was said before must not change what is understood.
            joined_at = time.monotonic()
            async with joined(stack.page_url) as caller:
                # To its last sound, which the line is ahead of.
                await caller.answer_after(joined_at, JOINED_S)
                if await _is_cut(stack, caller, sentence.split("|"), pause_s, pitch):
                    cut[voice].append(sentence)
    for voice, sentences in cut.items():
        share = len(sentences) / len(SENTENCES)
        print(f"{voice:<12}{len(sentences)} of {len(SENTENCES)} cut ({share:.0%}): {sentences}")


async def _is_cut(
    stack: LocalStack, caller: Caller, parts: list[str], pause_s: float, pitch: float
) -> bool:
    first, second = [await _voice(stack, part, pitch) for part in parts]
    began_at = time.monotonic()
    ended_at = await caller.say(np.concatenate([first, silence(pause_s), second]))
    first_sound = caller.ear.first_sound_after(began_at)
    await asyncio.sleep(SETTLES_S)
    turns = [one for one in await entries(stack, caller) if isinstance(one, UserTurn)]
    return len(turns) > 1 or (first_sound is not None and first_sound < ended_at)


async def _disturbances(stack: LocalStack) -> None:
    chance = random.Random(7)  # noqa: S311 - the same each time
    ends_at = time.monotonic() + MINUTES * 60
    began_at = time.monotonic()
    happened = {"cough": 0, "listening": 0}
    false = 0
    question = await _voice(stack, "what can you do", 1.0)
    while time.monotonic() < ends_at:
        async with joined(stack.page_url) as caller:
            await caller.agent_line(timeout_s=JOINED_S)
            radio = _radio(await _voice(stack, NEWS, 0.9))
            for _ in range(6):
                lines = len(caller.lines)
                asked_at = await caller.say(question)
                # Before the caller has spoken, nobody could say whose voice it is.
                caller.noise = radio
                if await _heard(caller, asked_at):
                    for _ in range(2):
                        await asyncio.sleep(chance.uniform(1.0, 2.5))
                        kind = chance.choice(list(happened))
                        happened[kind] += 1
                        await caller.say(
                            cough(chance.randrange(1_000))
                            if kind == "cough"
                            else await _voice(stack, chance.choice(LISTENING), 1.0)
                        )
                # Its sound may pause: the line comes when all of it was spoken.
                with suppress(NoAnswer):
                    await caller.agent_line(after=lines, containing=ENDS, timeout_s=30)
                await asyncio.sleep(SETTLES_S)
            false += _false(await entries(stack, caller))
    hours = (time.monotonic() - began_at) / 3600
    print(
        f"{hours * 60:.0f} minutes, {happened['cough']} coughs, {happened['listening']} words of "
        f"listening, a radio at {RADIO_DB:g} dB: {false} false interruptions, {false / hours:.0f} "
        "an hour"
    )


def _false(read: list[Entry | None]) -> int:
    """Answers that were cut, turns that nobody took, and what the agent asked about them."""
    planned = {one.turn_id: one.planned for one in read if isinstance(one, AgentTurnStarted)}
    cut = [one for one in read if isinstance(one, AgentTurnEnded) and one.interrupted]
    turns = [
        one for one in read if isinstance(one, UserTurn) and "can you do" not in one.text.lower()
    ]
    asked = [words for words in planned.values() if words.startswith(("Sorry", "I'm sorry"))]
    return max(len(cut), len(turns), len(asked))


async def _heard(caller: Caller, moment: float) -> bool:
    ends_at = time.monotonic() + 15
    while time.monotonic() < ends_at:
        if caller.ear.first_sound_after(moment) is not None:
            return True
        await asyncio.sleep(0.02)
    return False


async def _voice(stack: LocalStack, text: str, pitch: float) -> Pcm:
    """*text* in the local voice, or in a higher one that takes as long."""
    pcm = await speak(speech_url(stack), text, 1 / pitch)
    if pitch == 1.0:
        return trimmed(pcm)
    places = np.arange(0, len(pcm) - 1, pitch)
    return trimmed(np.interp(places, np.arange(len(pcm)), pcm).astype(np.int16))


def _radio(pcm: Pcm) -> Iterator[Pcm]:
    quiet = (pcm * 10 ** (RADIO_DB / 20)).astype(np.int16)
    padded = np.pad(quiet, (0, -len(quiet) % FRAME_SAMPLES))
    return itertools.cycle(np.split(padded, len(padded) // FRAME_SAMPLES))
