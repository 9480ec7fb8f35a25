"""Whatever is sent, no answer is a 500, and every answer is one that the API's description has."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote_from_bytes

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from call_record import workers
from call_record.record import Record
from tests.support.token_service import client, served
from token_service.app import build
from token_service.settings import TokenSettings

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
PATHS = [
    *("/api/voice-token", "/api/livekit-token", "/api/calls/", "/api/openapi.json", "/api/"),
    *("/", "/assets/", "/metrics", "/healthz"),
]
NAMES = [
    *("Authorization", "Cookie", "Origin", "Host", "Content-Length", "Content-Type", "Range"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "Parley-Caller", "Transfer-Encoding", "Expect"),
    *("Accept-Encoding", "If-None-Match", "If-Modified-Since", "Connection", "Upgrade"),
]
KNOWN = {"Authorization": "Bearer " + "s" * 40, "Parley-Caller": "sam"}
"""Of a server that has an API key."""
TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.parametrize(
        "examples", [10, pytest.param(300, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
    ),
]


@pytest.fixture(params=["none", "api-key"])
async def port(
    request: pytest.FixtureRequest, settings: TokenSettings, record: Record
) -> AsyncIterator[int]:
    """Where the service listens, which believes what a proxy says and always has a slot."""
    await workers.register(record, "worker", 1_000_000)
    keys = settings.journal_keys_file.with_name("api-keys.yaml")
    keys.write_text("shop: " + "s" * 40)
    chosen = {
        "token_auth": request.param,
        "token_api_keys_file": keys,
        "token_trusted_proxies": "127.0.0.1",
        "token_rate_address": 1_000_000,
        "token_rate_caller": 1_000_000,
        "token_rate_all": 1_000_000,
    }
    app = build(settings.model_copy(update=chosen))
    async with client(app), served(app) as number:
        yield number


def often(examples: int) -> hypothesis.settings:
    """So many examples, none of them kept."""
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


async def test_requests_of_any_kind_get_an_answer_of_the_description(
    port: int, examples: int
) -> None:
    """What the published OpenAPI allows, and what it does not."""
    url = f"http://127.0.0.1:{port}"

    def ask_all() -> None:
        schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json")
        operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
        assert len(operations) == 6
        for operation in operations:
            for mode in schemathesis.GenerationMode:
                if mode.is_negative and not (operation.body or [*operation.iter_parameters()]):
                    # Nothing can be sent to it that is wrong.
                    continue

                @often(examples)
                @given(case=operation.as_strategy(generation_mode=mode))
                def check(case: schemathesis.Case[Any]) -> None:
                    answer = case.call(base_url=url, headers=KNOWN)
                    case.validate_response(answer, checks=CHECKS)
                    assert answer.status_code != 500
                    answered.add(answer.status_code)

                check()

    answered: set[int] = set()
    await asyncio.to_thread(ask_all)
    assert {200, 201, 404} <= answered, "they reach all the way"


async def test_bytes_of_any_kind_get_no_500(port: int, examples: int) -> None:
    """Paths, headers and bodies that no client would send."""

    answered: set[int] = set()

    @often(10 * examples)
    @given(
        method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "BREW"]),
        path=st.tuples(st.sampled_from(PATHS), st.just(b"") | st.binary(max_size=40)),
        headers=st.dictionaries(
            st.sampled_from(NAMES) | st.text(TOKEN, min_size=1, max_size=20),
            st.binary(max_size=60).map(lambda raw: bytes(b for b in raw if b not in b"\r\n\0")),
            max_size=5,
        ),
        body=st.binary(max_size=5_000) | st.sampled_from([b"{}", b"[]", b'{"call_id": 1}']),
    )
    def check(method: str, path: tuple[str, bytes], headers: dict[str, bytes], body: bytes) -> None:
        target = path[0] + quote_from_bytes(path[1])
        lines = [f"{method} {target} HTTP/1.1".encode()]
        sent = {"Host": b"127.0.0.1", "Content-Length": str(len(body)).encode(), **headers}
        lines += [name.encode() + b": " + value for name, value in sent.items()]
        status = ask(port, b"\r\n".join([*lines, b"Connection: close", b"", body]))
        assert status != 500, (method, target, headers, body)
        answered.add(status)

    await asyncio.to_thread(check)
    assert {400, 404, 405} < answered, "they reach more than the parser"


def ask(port: int, request: bytes) -> int:
    """The status that is answered; 0: none, as a body that was announced did not come."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            first = connection.recv(64)
        except (ConnectionError, TimeoutError):
            return 0
    return int(first.split(b" ")[1]) if first.startswith(b"HTTP/1.1 ") else 0
