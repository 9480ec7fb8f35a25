"""Vectors from a server with OpenAI's endpoint for embeddings, by OpenAI's own client."""

from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
from openai import AsyncOpenAI

from agent_worker.reasoning.embeddings import Embeddings
from agent_worker.reasoning.encoder import EncoderUnavailable
from agent_worker.voice.providers import build_embeddings
from tests.support.scripted_encoder import ScriptedEncoder
from tests.unit.agent_worker.voice.test_providers import settings


def _client(transport: httpx.AsyncBaseTransport) -> AsyncOpenAI:
    http = httpx.AsyncClient(transport=transport)
    return AsyncOpenAI(base_url="http://encoder/v1", api_key="key", max_retries=0, http_client=http)


def _answering(answer: Callable[[httpx.Request], httpx.Response]) -> Embeddings:
    return Embeddings(_client(httpx.MockTransport(answer)), "small")


async def test_vectors_come_in_order_and_normalized() -> None:
    """Whatever their order and length in the answer."""
    service = ScriptedEncoder({"one": {"two": 0.6}})
    embeddings = Embeddings(_client(httpx.ASGITransport(service.app())), "small")
    vectors = await embeddings(["one", "two", "three"])
    assert service.asked == [["one", "two", "three"]]
    cosines = np.array([[1.0, 0.6, 0.0], [0.6, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert np.allclose(vectors @ vectors.T, cosines, atol=1e-6)
    await embeddings.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        {"data": []},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": [0.0, 0.0]}]},
        {"data": [{"index": 0, "embedding": [1.0, None]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": "!"}]},
        {"data": None},
        {},
        [],
        "hello",
    ],
)
async def test_answer_that_is_none_is_told(answer: Any) -> None:
    """Never a wrong vector, never another error."""
    embeddings = _answering(lambda _: httpx.Response(200, json=answer))
    with pytest.raises(EncoderUnavailable):
        await embeddings(["one"])
    await embeddings.aclose()


async def test_server_that_refuses_or_is_gone_is_told() -> None:
    """By the kind of error alone: no text is in it."""

    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone", request=request)

    for answer in (gone, lambda _: httpx.Response(503), lambda _: httpx.Response(200, text="x")):
        embeddings = _answering(answer)
        with pytest.raises(EncoderUnavailable) as caught:
            await embeddings(["secret"])
        assert "secret" not in str(caught.value)
        await embeddings.aclose()


async def test_key_and_model_are_sent() -> None:
    """As any server of that kind wants them."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": [{"index": 0, "embedding": [1.0]}]})

    await _answering(answer)(["one"])
    assert seen[0].headers["authorization"] == "Bearer key"
    assert b'"model":"small"' in seen[0].content.replace(b" ", b"")


async def test_encoder_is_built_where_it_is_set_and_examples_are_used() -> None:
    """Where a model answers what no template accepts, it would be asked in vain."""
    url = "http://127.0.0.1:1/v1"
    assert build_embeddings(settings()) is None
    model = {"llm_base_url": url, "llm_model": "small"}
    assert build_embeddings(settings(encoder_url=url, **model)) is None
    built = build_embeddings(settings(encoder_url=url, encoder_api_key="top"))
    assert built is not None
    assert "top" not in repr(vars(built))
    await built.aclose()
