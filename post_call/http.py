"""Requests to other systems, and what their answers mean: done, try again, or refused."""

import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2 as httpx

ANSWER_MAX_BYTES = 1_000_000
RETRY_AFTER_MAX_S = 3_600.0
TRY_AGAIN = frozenset({408, 425, 429})
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class TryAgain(Exception):
    """
    It did not work now. The message is a reason without personal data.

    Args:
        after_s: What the other side asked to wait, in seconds.
        uncertain: Whether the other side may have done it all the same.
    """

    def __init__(
        self, reason: str, *, after_s: float | None = None, uncertain: bool = False
    ) -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.uncertain = uncertain


class Refused(Exception):
    """It will never work. The message is a reason as in `TryAgain`."""


def client(timeout_s: float, **options: Any) -> httpx.AsyncClient:
    """A client whose every wait is bounded, and which follows no redirect."""
    return httpx.AsyncClient(
        timeout=timeout_s,
        verify=ssl.create_default_context(),
        limits=httpx.Limits(max_connections=20, max_keepalive_connections=10),
        **options,
    )


async def send(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    allow: frozenset[int] = frozenset(),
    **of: Any,
) -> httpx.Response:
    """
    One request, and its answer of at most 1 MB.

    Args: allow: statuses that the caller deals with, beside 2xx.
    Raises: TryAgain, Refused.
    """
    try:
        async with http.stream(method, url, **of) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > ANSWER_MAX_BYTES:
                    raise Refused("the answer is larger than 1 MB")
    except NOT_SENT as error:
        raise TryAgain(f"no connection ({type(error).__name__})") from None
    except httpx.TransportError as error:
        raise TryAgain(f"no answer ({type(error).__name__})", uncertain=True) from None
    except httpx.HTTPError as error:
        raise Refused(f"the answer is unreadable ({type(error).__name__})") from None
    status = response.status_code
    if response.is_success or status in allow:
        return httpx.Response(status, headers=_plain(response.headers), content=bytes(body))
    if status in TRY_AGAIN or status >= 500:
        raise TryAgain(
            f"HTTP {status}", after_s=retry_after_s(response.headers), uncertain=status >= 500
        )
    raise Refused(f"HTTP {status}")


def retry_after_s(headers: httpx.Headers) -> float | None:
    """What `Retry-After` says, in seconds, an hour at most; None: nothing that can be read."""
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return min(float(value), RETRY_AFTER_MAX_S)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - datetime.now(UTC)).total_seconds(), 0.0), RETRY_AFTER_MAX_S)


def _plain(headers: httpx.Headers) -> list[tuple[str, str]]:
    """Without what spoke of the body as it travelled."""
    gone = ("content-encoding", "content-length", "transfer-encoding")
    return [(name, value) for name, value in headers.multi_items() if name not in gone]
