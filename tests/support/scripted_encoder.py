"""A sentence encoder that finds alike what a test says is alike, also behind OpenAI's HTTP API."""

import base64
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent_worker.reasoning.encoder import EncoderUnavailable

DIMENSIONS = 2048


class ScriptedEncoder:
    """
    Texts have nothing in common but what *alike* says: by text, the cosines to others, whose
    squares sum up to 1 at most.
    """

    def __init__(self, alike: Mapping[str, Mapping[str, float]]) -> None:
        self.alike = alike
        self.asked: list[list[str]] = []
        """The texts of each request."""
        self.is_down = False
        self._axes: dict[str, int] = {}

    async def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """An `Embed`."""
        self.asked.append(list(texts))
        if self.is_down:
            raise EncoderUnavailable("it is down")
        return np.stack([self._vector(text) for text in texts])

    def app(self) -> Starlette:
        """The same over HTTP."""
        return Starlette(routes=[Route("/v1/embeddings", self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        wish = await request.json()
        try:
            vectors = await self(wish["input"])
        except EncoderUnavailable:
            return Response(status_code=503)
        is_base64 = wish.get("encoding_format") == "base64"
        data = [
            {
                "object": "embedding",
                "index": index,
                # Half as long: nobody promised that they are normalized.
                "embedding": base64.b64encode((one / 2).tobytes()).decode()
                if is_base64
                else (one / 2).tolist(),
            }
            for index, one in enumerate(vectors)
        ]
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        return JSONResponse(
            # In any order: each says which it is.
            {"object": "list", "data": data[::-1], "model": wish["model"], "usage": usage}
        )

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros(DIMENSIONS, np.float32)
        left = 1.0
        for other, cosine in self.alike.get(text, {}).items():
            vector[self._axis(other)] = cosine
            left -= cosine * cosine
        assert left >= 0
        vector[self._axis(text)] += np.sqrt(left)
        return vector

    def _axis(self, text: str) -> int:
        return self._axes.setdefault(text, len(self._axes))
