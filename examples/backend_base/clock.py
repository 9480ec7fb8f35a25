"""The present, and where it is told."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

Clock = Callable[[], datetime]
"""The present, aware."""


def system_clock() -> datetime:
    """The present, UTC."""
    return datetime.now(UTC)


def to_timezone(name: str) -> tzinfo:
    """
    The time zone of that IANA name. `UTC` needs no time zone data on the machine.

    Raises: ValueError: there is no such zone.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ValueError("expected the name of a time zone, such as Europe/Berlin") from None


def _timezone(value: str) -> str:
    to_timezone(value)
    return value


TimeZoneName = Annotated[str, AfterValidator(_timezone)]
"""The name of a time zone, as a setting."""
