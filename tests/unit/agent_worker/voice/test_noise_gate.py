"""What counts as the caller's voice, by how loud it is beside what was loudest."""

import numpy as np
import pytest
from livekit import rtc

from agent_worker.voice.noise_gate import CallerVAD, NoiseGate

RATE_HZ = 16_000
FRAME_S = 0.05
VOICE = 3_000.0


def hear(gate: NoiseGate, amplitude: float, seconds: float) -> list[bool]:
    """Whether each frame of a sound comes through."""
    frame_samples = int(FRAME_S * RATE_HZ)
    tone = np.sin(np.arange(frame_samples) * 0.3) * amplitude
    frame = rtc.AudioFrame(tone.astype(np.int16).tobytes(), RATE_HZ, 1, frame_samples)
    return [any(gate.pass_through(frame).data) for _ in range(round(seconds / FRAME_S))]


def quieter(db: float) -> float:
    return VOICE * float(10 ** (-db / 20))


def test_caller_is_heard_at_once() -> None:
    """From the first frame on."""
    assert all(hear(NoiseGate(), VOICE, 2))


def test_radio_behind_the_caller_is_silence() -> None:
    """After the caller's first words, and the hold, in which words end."""
    gate = NoiseGate()
    hear(gate, VOICE, 0.6)
    through = hear(gate, quieter(20), 5)
    assert through[0] and not any(through[8:])
    assert all(hear(gate, VOICE, 1))


SYLLABLES_DB = (0, 4, 7, 13, 26)
"""How much quieter than its loudest each twentieth of a second of a voice is."""


def speak(gate: NoiseGate, down_db: float, seconds: float) -> list[bool]:
    """As `hear`, of a voice that rises and falls."""
    steps = round(seconds / FRAME_S)
    levels = [down_db + SYLLABLES_DB[step % len(SYLLABLES_DB)] for step in range(steps)]
    return [one for level in levels for one in hear(gate, quieter(level), FRAME_S)]


def test_few_words_tell_the_caller_from_the_radio() -> None:
    """A question of a second, and then it plays for minutes, with coughs between."""
    gate = NoiseGate()
    assert all(speak(gate, -12, 0.6))
    hear(gate, quieter(40), 0.5)
    for _ in range(4):
        assert not any(speak(gate, 8, 12))
        hear(gate, 20_000, 0.1)
        hear(gate, quieter(40), 0.5)
        assert all(speak(gate, -12, 0.3))
        hear(gate, quieter(40), 0.5)


def test_low_voice_is_heard_from_the_first_word() -> None:
    """Not every microphone is close."""
    assert all(hear(NoiseGate(), quieter(25), 2))


def test_caller_who_speaks_lower_is_heard() -> None:
    """Nobody speaks always the same."""
    gate = NoiseGate()
    hear(gate, VOICE, 2)
    assert all(hear(gate, quieter(11), 5))


def test_cough_hides_no_voice_after_it() -> None:
    """It is louder than words, and short."""
    gate = NoiseGate()
    hear(gate, VOICE, 2)
    hear(gate, 20_000, 0.2)
    assert all(hear(gate, VOICE, 2))


def test_caller_who_moves_away_is_heard_again() -> None:
    """Not for ever is the loudest moment the measure."""
    gate = NoiseGate()
    hear(gate, VOICE, 2)
    assert hear(gate, quieter(18), 70)[-1]


async def test_detector_hears_what_the_gate_lets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """And each stream has a gate of its own."""
    heard: list[bool] = []
    streams = [CallerVAD().stream() for _ in range(2)]
    for stream in streams:
        channel = stream._input_ch
        monkeypatch.setattr(channel, "send_nowait", lambda frame: heard.append(any(frame.data)))
    samples = int(FRAME_S * RATE_HZ)
    loud, quiet = (
        rtc.AudioFrame(np.full(samples, level, np.int16).tobytes(), RATE_HZ, 1, samples)
        for level in (3_000, 200)
    )
    for frame in (*[loud] * 60, *[quiet] * 20):
        streams[0].push_frame(frame)
    streams[1].push_frame(quiet)
    assert heard[:60] == [True] * 60 and not any(heard[70:80]) and heard[80]
    for stream in streams:
        await stream.aclose()
