"""API keys: servers that call for their users."""

import pytest
from starlette.requests import Request

from token_service.auth import ApiKeys, bearer
from token_service.callers import Caller
from token_service.errors import NotAllowed, SignInRequired

SECRET = "s" * 32
OTHER = "o" * 32


def request(**headers: str) -> Request:
    """A request with these headers."""
    raw = [
        (name.replace("_", "-").lower().encode(), value.encode("latin-1"))
        for name, value in headers.items()
    ]
    return Request({"type": "http", "headers": raw})


async def test_api_key_names_the_tenant_and_its_server_the_user() -> None:
    """Each key is one tenant's; names may have any letters."""
    keys = ApiKeys({"shop": SECRET, "bank": OTHER})
    asked = request(
        Authorization=f"Bearer {OTHER}", Parley_Caller="sam", Parley_Caller_Name="S%C3%A1m"
    )
    assert await keys(asked) == Caller("sam", "bank", "Sám")


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", f"Basic {SECRET}", f"Bearer {SECRET}x", SECRET]
)
async def test_api_key_that_is_none_must_sign_in(authorization: str) -> None:
    """Whatever it says of its user."""
    with pytest.raises(SignInRequired):
        await ApiKeys({"shop": SECRET})(request(Authorization=authorization, Parley_Caller="sam"))


@pytest.mark.parametrize("caller", [None, "", "agent-1", "caller-1", "sam#2", "sam rivera", "é"])
async def test_api_key_without_a_user_that_can_be_is_refused(caller: str | None) -> None:
    """A server cannot pass off its user as an agent."""
    named = {} if caller is None else {"Parley_Caller": caller}
    with pytest.raises(NotAllowed):
        await ApiKeys({"shop": SECRET})(request(Authorization=f"Bearer {SECRET}", **named))


def test_bearer_scheme_is_written_as_one_likes() -> None:
    """RFC 9110: case does not matter."""
    assert bearer(request(Authorization="bEARER  token ")) == "token"


def test_api_keys_do_not_show_their_secrets() -> None:
    """Not in a traceback either."""
    assert SECRET not in repr(vars(ApiKeys({"shop": SECRET})))
