"""
Voice activity of the caller alone: voices far behind theirs, such as a radio's, are not heard.

LiveKit's detector takes a voice for one however quiet it is, so with a radio in the room a turn
would never end. Only the detector gets the gated sound; what is transcribed is as it came.
"""

import numpy as np
from livekit import rtc
from livekit.agents import inference, vad

from agent_worker.livekit_compat import change_frames

DEPTH_DB = 15.0
"""What is quieter than the caller by more counts as silence."""
HOLD_S = 0.3
"""The gate stays open for the quiet ends of words."""
START_DB = 50.0
"""Before anything was heard: a low voice, by which a caller's is known after half a second."""
RISE_DB_PER_S = 40.0
"""A cough is short: it does not make the voice after it count as background."""
FALL_DB_PER_S = 0.05
"""A caller who moves away is heard again after a while at the latest."""


class NoiseGate:
    """Silences what is far quieter than the loudest voice so far. For 16-bit PCM."""

    def __init__(self) -> None:
        self._voice_db = START_DB
        """How loud the caller is, above one step of 16-bit sound."""
        self._open_for_s = 0.0

    def pass_through(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        """*frame*, or silence of its length."""
        pcm = np.frombuffer(frame.data, np.int16)
        sound_db = 10 * np.log10(np.mean(pcm.astype(np.float64) ** 2) + 1) if len(pcm) else 0.0
        if sound_db > self._voice_db:
            self._voice_db = min(sound_db, self._voice_db + RISE_DB_PER_S * frame.duration)
        else:
            self._voice_db -= FALL_DB_PER_S * frame.duration
        if sound_db >= self._voice_db - DEPTH_DB:
            self._open_for_s = HOLD_S
        else:
            self._open_for_s -= frame.duration
        if self._open_for_s > 0:
            return frame
        return rtc.AudioFrame.create(
            frame.sample_rate, frame.num_channels, frame.samples_per_channel
        )


class CallerVAD(inference.VAD):
    """LiveKit's voice activity detection behind a gate for each stream."""

    def stream(self) -> vad.VADStream:
        return change_frames(super().stream(), NoiseGate().pass_through)
