"""The real models, loaded once for all tests."""

import pytest

from speech_server.encoder import SentenceEncoder
from speech_server.recognizer import Recognizer
from speech_server.synthesizer import Synthesizer


@pytest.fixture(scope="session")
def recognizer() -> Recognizer:
    """Moonshine tiny."""
    return Recognizer()


@pytest.fixture(scope="session")
def synthesizer() -> Synthesizer:
    """Piper's voice joe."""
    return Synthesizer(threads=1)


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    """all-MiniLM-L6-v2."""
    return SentenceEncoder()
