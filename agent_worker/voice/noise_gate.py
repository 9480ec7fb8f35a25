"""
Voice activity of the caller alone: voices far behind theirs, such as a radio's, are not heard.

LiveKit's detector takes a voice for one however quiet it is, so with a radio in the room a turn
would never end; and a recognizer writes the radio's words between the caller's.
"""

from collections import deque

import numpy as np
from livekit import rtc
from livekit.agents import inference, vad

from agent_worker.livekit_compat import change_frames

DEPTH_DB = 12.0
"""What is quieter than the caller by more counts as silence."""
HOLD_S = 0.3
"""The gate stays open for the quiet ends of words."""
START_DB = 50.0
"""Before anything was heard: a low voice, by which a caller's is known after half a second."""
LOUDEST_S = 0.4
"""So much of the loudest sound tells how loud the caller is. Of a cough only its start is loud."""
WITHIN_S = 5.0
"""Of so much of the sound that was let through last: who speaks lower is the measure soon."""
FORGET_S = 60.0
"""A caller who moves away, or hands over to a low voice, is heard after this at the latest."""


class NoiseGate:
    """Silences what is far quieter than the caller's voice of late. For 16-bit PCM."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._let_through: deque[tuple[float, float]] = deque()
        """When each frame came, and how loud it was, above one step of 16-bit sound."""
        self._voice_db = START_DB
        self._open_for_s = 0.0

    def pass_through(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        """*frame*, or silence of its length. All frames are of one length."""
        return frame if self.opens_for(frame) else silence_of(frame)

    def opens_for(self, frame: rtc.AudioFrame) -> bool:
        """Whether *frame*, the next one, is of the caller's voice."""
        self._now_s += frame.duration
        pcm = np.frombuffer(frame.data, np.int16)
        sound_db = 10 * np.log10(np.mean(pcm.astype(np.float64) ** 2) + 1) if len(pcm) else 0.0
        if self._let_through and self._let_through[-1][0] < self._now_s - FORGET_S:
            self._let_through.clear()
            self._voice_db = START_DB
        if sound_db >= self._voice_db - DEPTH_DB:
            self._open_for_s = HOLD_S
            self._voice_db = self._measure(float(sound_db), frame.duration)
        else:
            self._open_for_s -= frame.duration
        return self._open_for_s > 0

    def _measure(self, sound_db: float, duration_s: float) -> float:
        """How loud the caller is, with this frame."""
        loudest = max(1, round(LOUDEST_S / duration_s))
        if not self._let_through:
            self._let_through.extend([(self._now_s, START_DB)] * loudest)
        self._let_through.append((self._now_s, sound_db))
        if len(self._let_through) > WITHIN_S / duration_s:
            self._let_through.popleft()
        heard_db = [one for _, one in self._let_through]
        return float(np.mean(np.partition(heard_db, -loudest)[-loudest:]))


def silence_of(frame: rtc.AudioFrame) -> rtc.AudioFrame:
    """Silence that lasts as long as *frame*."""
    return rtc.AudioFrame.create(frame.sample_rate, frame.num_channels, frame.samples_per_channel)


class CallerVAD(inference.VAD):
    """LiveKit's voice activity detection behind a gate for each stream."""

    def stream(self) -> vad.VADStream:
        return change_frames(super().stream(), NoiseGate().pass_through)
