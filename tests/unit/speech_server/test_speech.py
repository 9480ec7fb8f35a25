"""Which requests for speech somebody waits for."""

import pytest
from starlette.requests import Request

from speech_server.speech import _is_awaited


@pytest.mark.parametrize(
    ("header", "awaited"),
    [
        (None, True),
        ("u=0", True),
        ("u=3, i", True),
        ("i, u=7", False),
        ("u=4", False),
        ("u=77", True),
        ("urgent", True),
    ],
)
def test_request_is_awaited_unless_its_priority_is_behind(
    header: str | None, awaited: bool
) -> None:
    """The header is RFC 9218's; what is none of its kind says nothing."""
    headers = [] if header is None else [(b"priority", header.encode())]
    assert _is_awaited(Request({"type": "http", "headers": headers})) is awaited
