"""Transcription ahead of time, with a detector and a recognizer by script."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from livekit.agents import APIConnectionError
from livekit.agents import vad as lk_vad
from livekit.agents.stt import RecognizeStream, SpeechEvent, SpeechEventType

from agent_worker.voice.preflight import (
    FINAL_AFTER_S,
    LEAD_S,
    UTTERANCE_MAX_S,
    PreflightSTT,
)
from tests.support.local_stack import until
from tests.unit.agent_worker.voice.speech import (
    END,
    FRAME_S,
    START,
    ScriptedRecognizer,
    ScriptedVAD,
    frame,
)

pytestmark = pytest.mark.usefixtures("virtual_time")

PREFLIGHT = SpeechEventType.PREFLIGHT_TRANSCRIPT
FINAL = SpeechEventType.FINAL_TRANSCRIPT
BEGIN = SpeechEventType.START_OF_SPEECH
PAUSE = SpeechEventType.END_OF_SPEECH


class Ear:
    """A stream under test, what went in, and what came out with its time."""

    def __init__(self, stt: PreflightSTT, recognizer: ScriptedRecognizer) -> None:
        self.stt = stt
        self.recognizer = recognizer
        self.stream: RecognizeStream = stt.stream()
        self.events: list[tuple[SpeechEvent, float]] = []
        self.sent = 0

    async def hear(self, until_s: float) -> None:
        """Push frames, numbered from 1, up to that position."""
        while self.sent < round(until_s / FRAME_S):
            self.sent += 1
            self.stream.push_frame(frame(self.sent))
        assert isinstance(self.stt.vad, ScriptedVAD)
        while self.stt.vad.frames < self.sent:
            await asyncio.sleep(0)
        await asyncio.sleep(0.002)  # for the events of the last frame

    def seen(self, kind: SpeechEventType) -> list[str]:
        """Texts of the events of that kind."""
        return [
            event.alternatives[0].text if event.alternatives else ""
            for event, _ in self.events
            if event.type is kind
        ]

    async def collect(self) -> None:
        async for event in self.stream:
            self.events.append((event, time.monotonic()))


@asynccontextmanager
async def listening(
    script: list[tuple[float, lk_vad.VADEventType]],
    on_failure: Callable[[Exception], None] | None = None,
) -> AsyncIterator[Ear]:
    def unexpected(error: Exception) -> None:
        raise AssertionError("no failure was expected") from error

    recognizer = ScriptedRecognizer()
    ear = Ear(PreflightSTT(recognizer, ScriptedVAD(script), on_failure or unexpected), recognizer)
    collecting = asyncio.create_task(ear.collect())
    try:
        yield ear
    finally:
        await ear.stream.aclose()
        await collecting


async def test_preflight_after_a_pause_becomes_final_without_a_second_recognition() -> None:
    """One recognition: its text first as preflight, and again as final when the pause lasts."""
    async with listening([(0.5, START), (1.0, END)]) as ear:
        await ear.hear(1.0)
        await until(lambda: bool(ear.seen(PREFLIGHT)))
        assert ear.seen(FINAL) == []
        await until(lambda: bool(ear.seen(FINAL)))
        assert [event.type for event, _ in ear.events] == [BEGIN, PAUSE, PREFLIGHT, FINAL]
        assert ear.seen(PREFLIGHT) == ear.seen(FINAL)
        waited_s = ear.events[3][1] - ear.events[2][1]
        assert waited_s == pytest.approx(FINAL_AFTER_S, abs=0.01)
        assert ear.recognizer.asked == 1


async def test_end_of_speech_is_before_the_pause() -> None:
    """The turn's delays count from the caller's last sound, not from its detection."""
    async with listening([(0.5, START), (1.0, END)]) as ear:
        before = time.time()
        await ear.hear(1.0)
        await until(lambda: bool(ear.seen(FINAL)))
        for event, _ in ear.events[1:]:
            assert event.speech_end_time is not None
            assert before - 0.1 <= event.speech_end_time <= time.time() - 0.1


async def test_slow_recognition_is_final_as_soon_as_it_is_there() -> None:
    """When recognizing took longer than the pause, nothing more is waited for."""
    async with listening([(0.5, START), (1.0, END)]) as ear:
        ear.recognizer.open.clear()
        await ear.hear(1.0)
        await asyncio.sleep(FINAL_AFTER_S * 1.5)
        assert ear.seen(PREFLIGHT) == []
        ear.recognizer.open.set()
        await until(lambda: bool(ear.seen(FINAL)))
        assert ear.events[3][1] - ear.events[2][1] < FINAL_AFTER_S / 2


async def test_utterance_begins_a_little_before_its_detection() -> None:
    """The first sound was there before the detector was sure; older silence is left out."""
    async with listening([(5.0, START), (6.0, END)]) as ear:
        await ear.hear(4.98)
        await ear.hear(6.0)
        await until(lambda: bool(ear.seen(FINAL)))
        first, last = map(int, ear.seen(FINAL)[0].split("-"))
        assert last == round(6.0 / FRAME_S)
        assert abs(first * FRAME_S - (5.0 - LEAD_S)) <= 0.05


async def test_speech_that_resumes_drops_the_attempt_and_is_transcribed_whole() -> None:
    """A pause within a sentence: no final for its first half, then one for all of it."""
    script = [(0.5, START), (1.0, END), (1.2, START), (2.0, END)]
    async with listening(script) as ear:
        await ear.hear(1.0)
        await until(lambda: bool(ear.seen(PREFLIGHT)))
        await ear.hear(1.2)
        await asyncio.sleep(FINAL_AFTER_S * 2)
        assert ear.seen(FINAL) == []
        await ear.hear(2.0)
        await until(lambda: bool(ear.seen(FINAL)))
        half, whole = ear.seen(PREFLIGHT)
        assert half.split("-")[0] == whole.split("-")[0]
        assert whole.split("-")[1] == "100"
        assert ear.seen(FINAL) == [whole]


async def test_speech_that_resumes_during_recognition_cancels_it() -> None:
    """An answer to the first half that comes late is never heard of."""
    async with listening([(0.5, START), (1.0, END), (1.2, START), (2.0, END)]) as ear:
        ear.recognizer.open.clear()
        await ear.hear(1.0)
        await until(lambda: ear.recognizer.asked == 1)
        await ear.hear(1.2)
        ear.recognizer.open.set()
        await ear.hear(2.0)
        await until(lambda: bool(ear.seen(FINAL)))
        assert len(ear.seen(PREFLIGHT)) == len(ear.seen(FINAL)) == 1
        assert ear.recognizer.answered == 1


async def test_utterances_after_each_other_do_not_overlap() -> None:
    """The second one does not begin with the words of the first."""
    async with listening([(0.5, START), (1.0, END), (3.0, START), (3.5, END)]) as ear:
        await ear.hear(1.0)
        await until(lambda: len(ear.seen(FINAL)) == 1)
        await ear.hear(3.5)
        await until(lambda: len(ear.seen(FINAL)) == 2)
        first, second = ear.seen(FINAL)
        assert int(second.split("-")[0]) > int(first.split("-")[1])


async def test_failure_is_reported_and_the_stream_lives() -> None:
    """A recognizer that fails is told to whoever asked; the next utterance is heard."""
    failures: list[Exception] = []
    async with listening(
        [(0.5, START), (1.0, END), (2.0, START), (2.5, END)], failures.append
    ) as ear:
        ear.recognizer.failure = APIConnectionError(retryable=False)
        await ear.hear(1.0)
        await until(lambda: bool(failures))
        await asyncio.sleep(FINAL_AFTER_S * 1.5)
        assert ear.seen(PREFLIGHT) == ear.seen(FINAL) == []
        await ear.hear(2.5)
        await until(lambda: bool(ear.seen(FINAL)))
        assert len(failures) == 1
        # What could not be transcribed is not tried again with the next utterance.
        assert int(ear.seen(FINAL)[0].split("-")[0]) > 1.0 / FRAME_S


async def test_recognition_without_words_gives_no_transcript() -> None:
    """A cough has an end of speech, but neither preflight nor final."""
    async with listening([(0.5, START), (1.0, END)]) as ear:
        ear.recognizer.silent = True
        await ear.hear(1.0)
        await until(lambda: ear.recognizer.answered == 1)
        await asyncio.sleep(FINAL_AFTER_S * 1.5)
        assert [event.type for event, _ in ear.events] == [BEGIN, PAUSE]


async def test_long_utterance_is_transcribed_in_pieces() -> None:
    """Speech without a pause is cut at the limit, and every frame of it is in some piece."""
    async with listening([(0.5, START), (40.0, END)]) as ear:
        for second in range(1, 41):
            await ear.hear(second)
        await until(lambda: len(ear.seen(FINAL)) == 2)
        pieces = [tuple(map(int, text.split("-"))) for text in ear.seen(FINAL)]
        assert pieces[0][0] <= 0.5 / FRAME_S
        assert (pieces[0][1] - pieces[0][0]) * FRAME_S <= UTTERANCE_MAX_S + 1
        assert pieces[1][0] <= pieces[0][1] + 1
        assert pieces[1][1] == 40 / FRAME_S
        assert [event.type for event, _ in ear.events][:3] == [BEGIN, PREFLIGHT, FINAL]


async def test_sound_between_utterances_is_bounded() -> None:
    """Minutes of silence keep no more than the lead."""
    async with listening([]) as ear:
        for second in range(1, 121):
            await ear.hear(second)
        kept = getattr(ear.stream, "_kept")  # noqa: B009
        await until(lambda: len(kept) * FRAME_S <= LEAD_S + 0.1)
        assert ear.recognizer.asked == 0


async def test_end_of_input_waits_for_what_was_said() -> None:
    """The last words before the microphone went off are still transcribed."""
    async with listening([(0.5, START), (1.0, END)]) as ear:
        ear.recognizer.open.clear()
        await ear.hear(1.0)
        ear.stream.end_input()
        await until(lambda: ear.recognizer.asked == 1)
        ear.recognizer.open.set()
        await until(lambda: bool(ear.seen(FINAL)))


async def test_closing_during_recognition_leaves_nothing_running() -> None:
    """A call that ends in the middle of a word ends there."""
    async with listening([(0.5, START), (1.0, END)]) as ear:
        ear.recognizer.open.clear()
        await ear.hear(1.0)
        await until(lambda: ear.recognizer.asked == 1)
        await ear.stream.aclose()
        names = [str(task.get_coro()) for task in asyncio.all_tasks()]
        assert not [name for name in names if "_attempt_at" in name]


async def test_names_metrics_and_end_are_those_of_the_recognizer() -> None:
    """Who looks at the numbers sees the recognizer, until it is closed with us."""
    recognizer = ScriptedRecognizer()
    stt = PreflightSTT(recognizer, ScriptedVAD([]), lambda _: None)
    assert (stt.model, stt.provider) == ("scripted-ear", "script")
    seen: list[object] = []
    stt.on("metrics_collected", seen.append)
    event = await stt.recognize([frame(3), frame(4)])
    assert event.alternatives[0].text == "3-4"
    collected = len(seen)
    assert collected >= 1
    await stt.aclose()
    assert recognizer.closed
    recognizer.emit("metrics_collected", object())
    assert len(seen) == collected


async def test_radio_after_the_callers_words_is_not_transcribed() -> None:
    """What is far quieter is silence, but for the hold, in which words end."""
    async with listening([(0.5, START), (1.5, END)]) as ear:
        for level, until_s in ((8_000, 0.7), (200, 1.5)):
            while ear.sent < round(until_s / FRAME_S):
                ear.sent += 1
                ear.stream.push_frame(frame(level))
        await until(lambda: bool(ear.seen(FINAL)))
        assert ear.seen(FINAL) == ["8000-0"]
