"""Settings of the storefront backend."""

from pydantic import Field, SecretStr

from examples.backend_base.clock import TimeZoneName
from service_base.database_url import DatabaseUrl
from service_base.settings import ServiceSettings


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
    storefront_timezone: TimeZoneName = Field(
        "UTC", description="Time zone of the shop: its opening hours, appointments and dates."
    )
