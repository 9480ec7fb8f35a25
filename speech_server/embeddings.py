"""`POST /v1/embeddings`: sentences as vectors."""

import base64
import time
from typing import Literal

import numpy as np
import structlog
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from service_base.problems import BadRequest
from speech_server.cache import ByteCache
from speech_server.errors import EmptyText, TextTooLong
from speech_server.metrics import SENTENCES
from speech_server.models import Models
from speech_server.requests import read_json, supervised, while_connected
from speech_server.settings import SpeechSettings
from speech_server.work_queue import WorkQueue

log = structlog.get_logger()

EMBEDDING_MODEL = "all-minilm-l6-v2"
INPUTS_MAX = 128
CHARACTERS_MAX = 1_000
"""Of one text. The model reads its first 256 tokens."""

CACHE_BYTES = 8 * 1024 * 1024
"""About 5,000 sentences: the examples of an agent are encoded once for all calls."""


class EmbeddingsRequest(BaseModel):
    """The body. `model`, `dimensions` and `user` are ignored: there is one model."""

    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"
    """Numbers, or the bytes of little-endian float32 in base64."""


class Embeddings:
    """The endpoint, an ASGI application."""

    def __init__(self, models: Models, queue: WorkQueue, settings: SpeechSettings) -> None:
        self._models = models
        self._queue = queue
        self._settings = settings
        self._cache = ByteCache[str](CACHE_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Raises: ServiceError: NotReady, Busy, TimedOut, BodyTooLarge, BadRequest and its kinds.
        """
        started = time.perf_counter()
        async with supervised("encoder", limit_s=self._settings.speech_timeout_s):
            _ = self._models.encoder
            async with self._queue.admit():
                wish = await read_json(
                    Request(scope, receive),
                    EmbeddingsRequest,
                    characters=INPUTS_MAX * CHARACTERS_MAX,
                )
                texts = _checked(wish.input)
                vectors = await while_connected(receive, self._encode(texts))
            await _answer(vectors, wish.encoding_format)(scope, receive, send)
        log.info(
            "embeddings.answered",
            texts=len(texts),
            duration_ms=round(1000 * (time.perf_counter() - started)),
        )

    async def _encode(self, texts: list[str]) -> list[bytes]:
        """One after another, so that a caller's sentence need not wait for all of another's."""
        return [await self._vector(text) for text in texts]

    async def _vector(self, text: str) -> bytes:
        known = self._cache.get(text)
        SENTENCES.labels("model" if known is None else "cache").inc()
        if known is not None:
            return known
        encoder = self._models.encoder
        vector, _ = await self._queue.run(lambda: encoder.encode(text).astype("<f4").tobytes())
        self._cache.put(text, vector)
        return vector


def _checked(given: str | list[str]) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not 1 <= len(texts) <= INPUTS_MAX:
        raise BadRequest(f"`input` has {len(texts)} texts; this server encodes 1 to {INPUTS_MAX}.")
    if any(len(text) > CHARACTERS_MAX for text in texts):
        raise TextTooLong(f"A text is longer than {CHARACTERS_MAX} characters.")
    if not all(any(map(str.isalnum, text)) for text in texts):
        raise EmptyText("A text contains no letter or digit.")
    return texts


def _answer(vectors: list[bytes], encoding: str) -> JSONResponse:
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": base64.b64encode(vector).decode()
            if encoding == "base64"
            else np.frombuffer(vector, "<f4").tolist(),
        }
        for index, vector in enumerate(vectors)
    ]
    document = {
        "object": "list",
        "data": data,
        "model": EMBEDDING_MODEL,
        "usage": {"prompt_tokens": 0, "total_tokens": 0},
    }
    return JSONResponse(document, headers={"Cache-Control": "no-store"})
