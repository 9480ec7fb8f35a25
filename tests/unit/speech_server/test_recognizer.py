"""Speech to text with the real model."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from rapidfuzz import fuzz

from speech_server import recognizer as recognizer_module
from speech_server import synthesizer as synthesizer_module
from speech_server.audio import resample
from speech_server.recognizer import RATE_HZ, Recognizer
from speech_server.synthesizer import Synthesizer

pytestmark = pytest.mark.models

SENTENCES = ("Where is order seven?", "I would like to speak to a person.", "Thank you.")


def say(synthesizer: Synthesizer, text: str) -> NDArray[np.int16]:
    """*text* as the recognizer hears it, after a short silence as in a call."""
    sound = np.frombuffer(synthesizer.speak(text, 1.0), np.int16)
    return np.pad(resample(sound, synthesizer_module.RATE_HZ, RATE_HZ), (RATE_HZ // 10, 0))


def noise(kind: str, seconds: float, level: float) -> NDArray[np.int16]:
    """White noise, or pink noise, which sounds like a room."""
    generator = np.random.default_rng(7)
    sound = generator.standard_normal(int(RATE_HZ * seconds))
    if kind == "pink":
        spectrum = np.fft.rfft(sound)
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
        sound = np.fft.irfft(spectrum, len(sound))
    scaled: NDArray[np.int16] = (sound * (32767 * level / np.abs(sound).max())).astype(np.int16)
    return scaled


@pytest.mark.parametrize("sentence", SENTENCES)
def test_transcribe_spoken_sentence_gives_its_words(
    recognizer: Recognizer, synthesizer: Synthesizer, sentence: str
) -> None:
    """The two models understand each other; the voice varies, so a letter may be misheard."""
    heard = recognizer.transcribe(say(synthesizer, sentence))
    assert fuzz.ratio(heard.lower(), sentence.lower()) > 65


def test_transcribe_by_several_threads_at_once_gives_each_its_own(
    recognizer: Recognizer, synthesizer: Synthesizer
) -> None:
    """One loaded model serves many callers, and keeps nothing of one for the next."""
    sounds = [say(synthesizer, sentence) for sentence in SENTENCES] * 4
    expected = [recognizer.transcribe(sound) for sound in sounds]
    with ThreadPoolExecutor(4) as executor:
        assert list(executor.map(recognizer.transcribe, sounds)) == expected


@pytest.mark.parametrize("seconds", [0.001, 0.3, 2, 10])
def test_transcribe_silence_is_empty(recognizer: Recognizer, seconds: float) -> None:
    """Left to itself the model says `You`."""
    silence = np.zeros(int(RATE_HZ * seconds), np.int16)
    assert recognizer.guess(silence).text == "You"
    assert recognizer.transcribe(silence) == ""


@pytest.mark.parametrize("kind", ["white", "pink"])
@pytest.mark.parametrize("seconds", [0.02, 0.3, 1, 3, 8])
@pytest.mark.parametrize("level", [0.002, 0.02, 0.2, 0.8])
def test_transcribe_noise_is_empty(
    recognizer: Recognizer, kind: str, seconds: float, level: float
) -> None:
    """Nobody spoke, so nothing was said, however loud and long the noise is."""
    assert recognizer.transcribe(noise(kind, seconds, level)) == ""


def test_transcribe_hum_and_click_are_empty(recognizer: Recognizer) -> None:
    """The model is sure that these are words; they are not."""
    at = np.arange(2 * RATE_HZ) / RATE_HZ
    click = np.zeros(2 * RATE_HZ, np.int16)
    click[9000] = 30_000
    for sound in (3_000 * np.sin(2 * np.pi * 50 * at), 9_000 * np.sin(2 * np.pi * 440 * at), click):
        guess = recognizer.guess(sound.astype(np.int16))
        assert guess.certainty > recognizer_module.UNSURE_BELOW
        assert recognizer.transcribe(sound.astype(np.int16)) == ""


def test_transcribe_longest_audio_ends(recognizer: Recognizer, synthesizer: Synthesizer) -> None:
    """30 s, the most that is accepted, are understood to the end."""
    sound = np.resize(say(synthesizer, SENTENCES[1]), 30 * RATE_HZ)
    assert recognizer.guess(sound).text.count("person") >= 4


@pytest.mark.parametrize("word", ["tomorrow", "today"])
def test_words_are_written_as_they_are_now(
    recognizer: Recognizer, synthesizer: Synthesizer, word: str
) -> None:
    """The model read old books: "to-morrow"."""
    heard = recognizer.transcribe(say(synthesizer, f"Put me down for half past ten {word}."))
    assert word in heard.lower()
