"""Sentences as vectors, by any server with OpenAI's endpoint for embeddings."""

from collections.abc import Sequence

import numpy as np
from openai import AsyncOpenAI, OpenAIError

from agent_worker.reasoning.encoder import EncoderUnavailable
from agent_worker.reasoning.opinions import Vectors


class Embeddings:
    """Encodes with *model* of the server that *client* reaches. An `Embed`."""

    def __init__(self, client: AsyncOpenAI, model: str) -> None:
        self._client = client
        self._model = model

    async def __call__(self, texts: Sequence[str]) -> Vectors:
        """
        The vectors of *texts*, in their order, each of length 1.

        Raises: EncoderUnavailable: the server does not answer, or not with as many vectors.
        """
        try:
            answer = await self._client.embeddings.create(model=self._model, input=list(texts))
            found = sorted(answer.data, key=lambda one: one.index)
            vectors: Vectors = np.array([one.embedding for one in found], np.float32)
        except (OpenAIError, AttributeError, TypeError, ValueError) as error:
            raise EncoderUnavailable(type(error).__name__) from error
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise EncoderUnavailable(f"vectors of shape {vectors.shape} for {len(texts)} texts")
        lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.all(np.isfinite(lengths)) or not np.all(lengths > 0):
            raise EncoderUnavailable("a vector has no direction")
        vectors /= lengths
        return vectors

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()
