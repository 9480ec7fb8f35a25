"""Sentences as vectors, with the real model."""

import numpy as np
import pytest

from speech_server.encoder import SentenceEncoder

pytestmark = pytest.mark.models


@pytest.mark.parametrize(
    ("first", "second", "cosine"),
    [
        ("cancel it", "call it off", 0.549),
        ("when do you close", "until what time are you open", 0.601),
        ("where is my parcel", "I would like to speak to a person", 0.104),
        ("book a visit", "make an appointment", 0.427),
    ],
)
def test_similarity_is_that_of_the_model_before_its_weights_were_rounded(
    encoder: SentenceEncoder, first: str, second: str, cosine: float
) -> None:
    """
    Tokens, pooling and weights are right.

    Source: computed in float64 from the weights of sentence-transformers/all-MiniLM-L6-v2.
    """
    one, other = encoder.encode(first), encoder.encode(second)
    assert float(one @ other) == pytest.approx(cosine, abs=0.015)


@pytest.mark.parametrize("text", ["a", "Where is order seven?", "word " * 1000, "七", "\x00 1"])
def test_vector_is_of_length_one_and_always_the_same(encoder: SentenceEncoder, text: str) -> None:
    """For any text; a long one is cut."""
    vector = encoder.encode(text)
    assert vector.shape == (384,)
    assert vector.dtype == np.float32
    assert float(np.linalg.norm(vector)) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(vector, encoder.encode(text))


def test_case_does_not_matter(encoder: SentenceEncoder) -> None:
    """What was said is written in small letters, what was typed is not."""
    assert np.array_equal(encoder.encode("Where is it"), encoder.encode("where is it"))
