"""What an answer means for who wants to try again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2 as httpx
import pytest

from post_call.http import Refused, TryAgain, client, retry_after_s, send
from tests.support.local_stack import free_ports
from tests.support.receiver import Receiver


@pytest.mark.parametrize(
    ("status", "raised", "uncertain", "after_s"),
    [
        ("500", TryAgain, True, None),
        ("503", TryAgain, True, None),
        ("429", TryAgain, False, 1.0),
        ("408", TryAgain, False, None),
        ("400", Refused, None, None),
        ("401", Refused, None, None),
        ("302", Refused, None, None),
        ("cut", TryAgain, True, None),
        ("hang", TryAgain, True, None),
    ],
)
async def test_answer_says_whether_to_try_again(
    receiver: tuple[Receiver, str],
    status: str,
    raised: type[TryAgain | Refused],
    uncertain: bool | None,
    after_s: float | None,
) -> None:
    """What the other side refuses, it will refuse again; a redirect is not followed."""
    started, url = receiver
    started.scripts["a"] = [status]
    async with client(0.3) as http:
        with pytest.raises(raised) as caught:
            await send(http, "POST", f"{url}/hooks/a", content=b"{}")
    if isinstance(caught.value, TryAgain):
        assert (caught.value.uncertain, caught.value.after_s) == (uncertain, after_s)
    assert len(started.ledger) == 1


async def test_nobody_there_was_not_asked() -> None:
    """Nothing can have happened."""
    async with client(1.0) as http:
        with pytest.raises(TryAgain, match="no connection") as caught:
            await send(http, "POST", f"http://127.0.0.1:{free_ports(1)[0]}/")
    assert not caught.value.uncertain


async def test_status_that_is_allowed_is_answered(receiver: tuple[Receiver, str]) -> None:
    """The caller of `send` deals with it."""
    started, url = receiver
    started.scripts["a"] = ["409"]
    async with client(1.0) as http:
        answer = await send(http, "POST", f"{url}/hooks/a", allow=frozenset({409}))
    assert (answer.status_code, answer.json()) == (409, {})


def test_retry_after_is_read_in_both_forms_and_bounded() -> None:
    """A date in the past is now; nonsense is nothing."""
    now = datetime.now(UTC)

    def said(value: str) -> float | None:
        return retry_after_s(httpx.Headers({"Retry-After": value}))

    assert said("30") == 30
    assert said("999999") == 3_600
    later = said(format_datetime(now + timedelta(seconds=60)))
    assert later is not None and 55 < later <= 60
    assert said(format_datetime(now - timedelta(days=1))) == 0
    assert said("soon") is None
    assert retry_after_s(httpx.Headers()) is None
