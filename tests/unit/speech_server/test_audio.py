"""WAV in and out, and sample rates."""

import io
import math
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from speech_server.audio import read_wav, resample, wav_header
from speech_server.errors import AudioTooLong, EmptyAudio, NotWav


def tone(rate_hz: int, *, seconds: float = 0.5) -> NDArray[np.int16]:
    """440 Hz at a third of full scale."""
    at = np.arange(int(rate_hz * seconds)) / rate_hz
    return (10_000 * np.sin(2 * math.pi * 440 * at)).astype(np.int16)


def wav(samples: bytes, *, rate_hz: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    """A WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(samples)
    return buffer.getvalue()


def error_db(got: NDArray[np.int16], wanted: NDArray[np.int16]) -> float:
    """Difference relative to *wanted*, without the ends, where filters swing."""
    margin = len(wanted) // 10
    difference = got[margin:-margin].astype(float) - wanted[margin:-margin]
    return float(20 * math.log10(max(difference.std(), 1e-9) / wanted.std()))


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_read_wav_any_rate_gives_the_same_tone_at_16_khz(rate_hz: int) -> None:
    """Sound keeps its pitch, level and duration, whatever rate it came in."""
    pcm = read_wav(wav(tone(rate_hz).tobytes(), rate_hz=rate_hz), rate_hz=16_000, limit_s=1)
    wanted = tone(16_000)
    assert abs(len(pcm) - len(wanted)) <= 2
    length = min(len(pcm), len(wanted))
    assert error_db(pcm[:length], wanted[:length]) < -50


def test_read_wav_stereo_averages_the_channels() -> None:
    """Both channels are heard."""
    left, right = tone(16_000), np.zeros(8_000, np.int16)
    both = np.stack([left, right], axis=1)
    pcm = read_wav(wav(both.tobytes(), channels=2), rate_hz=16_000, limit_s=1)
    assert np.abs(pcm - left / 2).max() <= 1


def test_read_wav_streamed_file_without_length_is_read_to_its_end() -> None:
    """What this server streams as WAV it can also hear."""
    file = wav_header(24_000) + tone(24_000).tobytes()
    assert len(read_wav(file, rate_hz=24_000, limit_s=1)) == 12_000


def test_read_wav_half_a_sample_at_the_end_is_dropped() -> None:
    """A file that was cut off is heard as far as it goes."""
    file = wav_header(16_000) + tone(16_000).tobytes() + b"\x01"
    assert len(read_wav(file, rate_hz=16_000, limit_s=1)) == 8_000


@pytest.mark.parametrize(
    "file", [b"", b"RIFF", b"ID3 an mp3", b"OggS" * 20, wav(b"\0\0")[:20]], ids=repr
)
def test_read_wav_not_a_wav_file_says_so(file: bytes) -> None:
    """Another format, and no format at all, have a clear answer."""
    with pytest.raises(NotWav, match="not a WAV file"):
        read_wav(file, rate_hz=16_000, limit_s=1)


def test_read_wav_eight_bits_says_what_it_reads() -> None:
    """The answer names the difference."""
    with pytest.raises(NotWav, match="8 bits"):
        read_wav(wav(b"\x80" * 800, width=1), rate_hz=16_000, limit_s=1)


@pytest.mark.parametrize(("rate_hz", "channels"), [(100, 1), (400_000, 1), (16_000, 9)])
def test_read_wav_absurd_rate_or_channels_is_refused(rate_hz: int, channels: int) -> None:
    """A header cannot make the resampler work on nonsense."""
    file = wav(b"\0\0" * channels * 100, rate_hz=rate_hz, channels=channels)
    with pytest.raises(NotWav, match=r"channels at \d+ Hz"):
        read_wav(file, rate_hz=16_000, limit_s=1)


def test_read_wav_no_samples_is_empty() -> None:
    """A header alone is not sound."""
    with pytest.raises(EmptyAudio):
        read_wav(wav(b""), rate_hz=16_000, limit_s=1)


def test_read_wav_longer_than_the_limit_tells_both_lengths() -> None:
    """The client learns how long its audio was and may be."""
    with pytest.raises(AudioTooLong, match=r"lasts 1\.5 s; this server transcribes up to 1 s"):
        read_wav(wav(tone(16_000, seconds=1.5).tobytes()), rate_hz=16_000, limit_s=1)


@given(st.binary(max_size=200), st.integers(0, 43), st.binary(min_size=1, max_size=4))
def test_read_wav_damaged_header_is_answered_never_a_crash(
    data: bytes, at: int, damage: bytes
) -> None:
    """Whatever a header says, the outcome is sound or one of the three errors."""
    file = bytearray(wav(data))
    file[at : at + len(damage)] = damage
    try:
        pcm = read_wav(bytes(file), rate_hz=16_000, limit_s=1)
    except (NotWav, EmptyAudio, AudioTooLong):
        return
    assert pcm.dtype == np.int16


def test_resample_to_24_khz_keeps_the_tone() -> None:
    """The voice's own rate becomes OpenAI's without being heard."""
    assert error_db(resample(tone(22_050), 22_050, 24_000), tone(24_000)) < -60
