"""Text to speech with the real voice."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech_server.synthesizer import QUIET_PEAK, RATE_HZ, Synthesizer, trim_head

pytestmark = pytest.mark.models


def seconds(sound: bytes) -> float:
    """Duration of 24 kHz PCM."""
    return len(sound) / 2 / RATE_HZ


@pytest.mark.parametrize("text", ["Hello.", "Yes.", "For order seven", "Sam Rivera", "One moment,"])
def test_speak_begins_with_sound_within_20_ms(synthesizer: Synthesizer, text: str) -> None:
    """The 40 to 65 ms of silence at the head are cut, soft consonants are not."""
    sound = np.frombuffer(synthesizer.speak(text, 1.0), np.int16)
    first = np.flatnonzero(np.abs(sound.astype(int)) > QUIET_PEAK)[0]
    assert first / RATE_HZ < 0.02


def test_speak_leaves_room_below_full_scale(synthesizer: Synthesizer) -> None:
    """Neither resampling nor the codec clips."""
    sound = np.frombuffer(synthesizer.speak("Hello, how can I help you?", 1.0), np.int16)
    assert 20_000 < np.abs(sound.astype(int)).max() < 30_000


def test_speak_twice_as_fast_takes_about_half_the_time(synthesizer: Synthesizer) -> None:
    """Speed is what OpenAI means by it."""
    text = "This sentence is long enough to be measured."
    slow, normal, fast = (seconds(synthesizer.speak(text, speed)) for speed in (0.5, 1.0, 2.0))
    assert slow / normal == pytest.approx(2, rel=0.25)
    assert normal / fast == pytest.approx(2, rel=0.25)


def test_speak_brackets_of_the_voices_own_notation_are_plain_text(
    synthesizer: Synthesizer,
) -> None:
    """A caller's text cannot switch to phonemes."""
    assert seconds(synthesizer.speak("Say [[ hello ]] now.", 1.0)) > 0.8


@settings(deadline=None, max_examples=25)
@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=25))
def test_speak_any_printable_text_is_sound_or_nothing(synthesizer: Synthesizer, text: str) -> None:
    """Any script and any symbol is answered."""
    assert len(synthesizer.speak(text, 2.0)) % 2 == 0


def test_trim_head_keeps_10_ms_before_the_first_loud_sample() -> None:
    """A soft beginning of the first consonant stays."""
    sound = np.array([0] * 100 + [1000] * 50, np.int16)
    assert trim_head(sound, 1000).tolist() == [0] * 10 + [1000] * 50


def test_trim_head_of_silence_alone_leaves_next_to_nothing() -> None:
    """A clause that made no sound does not make a pause either."""
    assert len(trim_head(np.zeros(1000, np.int16), 1000)) == 10


def test_speak_in_threads_is_the_same_sound() -> None:
    """With threads for two clauses at the same time; the others wait."""
    voice = Synthesizer(threads=4)
    texts = ["One moment, please.", "Your order is on its way."]
    alone = [len(voice.speak(text, 1.0)) for text in texts]
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(lambda text: len(voice.speak(text, 1.0)), texts * 6))
    for length, expected in zip(together, alone * 6, strict=True):
        # Piper draws the rhythm at random.
        assert 0.5 < length / expected < 2
