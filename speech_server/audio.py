"""Audio as bytes: reading and writing WAV, and changing sample rates."""

import io
import wave

import numpy as np
from livekit.rtc import AudioResampler, AudioResamplerQuality
from numpy.typing import NDArray

from speech_server.errors import AudioTooLong, EmptyAudio, NotWav

Pcm = NDArray[np.int16]
"""Mono samples, shape (frames,)."""

LOWEST_RATE_HZ = 4_000
HIGHEST_RATE_HZ = 192_000
CHANNELS_MAX = 8

_UNKNOWN_SIZE = b"\xff\xff\xff\xff"


def read_wav(file: bytes, *, rate_hz: int, limit_s: float) -> Pcm:
    """
    The sound of a WAV file, channels averaged, at *rate_hz*.

    A streamed file, whose header has no length or one that is too long, is read to its end.

    Raises:
        NotWav: not a WAV file, or not 16-bit PCM.
        EmptyAudio: it has no samples.
        AudioTooLong: more than *limit_s* seconds.
    """
    try:
        with wave.open(io.BytesIO(file)) as wav:
            width, channels, source_hz = wav.getsampwidth(), wav.getnchannels(), wav.getframerate()
            data = wav.readframes(wav.getnframes())
    except (wave.Error, EOFError, ValueError, RuntimeError) as error:
        raise NotWav from error
    if width != 2:
        raise NotWav(f"The samples have {8 * width} bits; this server reads 16-bit PCM.")
    if channels > CHANNELS_MAX or not LOWEST_RATE_HZ <= source_hz <= HIGHEST_RATE_HZ:
        raise NotWav(
            f"The file has {channels} channels at {source_hz} Hz; this server reads up to"
            f" {CHANNELS_MAX} channels at {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz."
        )
    frames = len(data) // (2 * channels)
    if not frames:
        raise EmptyAudio
    if frames > limit_s * source_hz:
        raise AudioTooLong(
            f"The audio lasts {frames / source_hz:.1f} s; this server transcribes up to"
            f" {limit_s:g} s."
        )
    samples = np.frombuffer(data[: frames * 2 * channels], "<i2").reshape(frames, channels)
    mono = samples[:, 0] if channels == 1 else samples.mean(axis=1).astype(np.int16)
    return resample(mono, source_hz, rate_hz)


def resample(pcm: Pcm, from_hz: int, to_hz: int) -> Pcm:
    """*pcm* at another sample rate."""
    if from_hz == to_hz:
        return pcm
    resampler = AudioResampler(from_hz, to_hz, quality=AudioResamplerQuality.HIGH)
    frames = [*resampler.push(bytearray(pcm.tobytes())), *resampler.flush()]
    return np.frombuffer(b"".join(bytes(frame.data) for frame in frames), np.int16)


def wav_header(rate_hz: int) -> bytes:
    """
    The header of a mono, 16-bit WAV file whose length is not known yet.

    Source: the sizes are set to the largest value, as ffmpeg does when it writes to a pipe.
    """
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(rate_hz)
        wav.writeframes(b"")
    header = buffer.getvalue()
    return header[:4] + _UNKNOWN_SIZE + header[8:40] + _UNKNOWN_SIZE
