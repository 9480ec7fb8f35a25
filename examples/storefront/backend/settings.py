"""Settings of the storefront backend."""

from datetime import UTC, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr

from service_base.database_url import DatabaseUrl
from service_base.settings import ServiceSettings


def _timezone(value: str) -> str:
    to_timezone(value)
    return value


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


class StorefrontSettings(ServiceSettings):
    """What the storefront backend reads from the environment."""

    storefront_host: str = Field(
        "127.0.0.1", description="Address that the storefront backend listens on."
    )
    storefront_port: int = Field(
        8083, ge=1, le=65535, description="Port of the storefront backend."
    )
    storefront_database_url: DatabaseUrl = Field(
        "sqlite+aiosqlite:///.run/storefront.db",
        repr=False,
        description="Database of the storefront: an SQLite file or PostgreSQL, as SQLAlchemy URL.",
    )
    storefront_api_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Shared secret that the agent must send as bearer token; empty: not asked for.",
    )
    storefront_demo_customer: bool = Field(
        False,
        description="Serve callers who did not sign in as the demo customer, Sam Rivera. "
        "`make run` does.",
    )
    storefront_timezone: Annotated[str, AfterValidator(_timezone)] = Field(
        "UTC", description="Time zone of the shop: its opening hours, appointments and dates."
    )
