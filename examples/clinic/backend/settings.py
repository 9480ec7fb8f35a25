"""Settings of the clinic's backend."""

from pydantic import Field, SecretStr

from examples.backend_base.clock import TimeZoneName
from service_base.database_url import DatabaseUrl
from service_base.settings import ServiceSettings


class ClinicSettings(ServiceSettings):
    """What the clinic's backend reads from the environment."""

    clinic_host: str = Field(
        "127.0.0.1", description="Address that the clinic's backend listens on."
    )
    clinic_port: int = Field(8086, ge=1, le=65535, description="Port of the clinic's backend.")
    clinic_database_url: DatabaseUrl = Field(
        "sqlite+aiosqlite:///.run/clinic.db",
        repr=False,
        description="Database of the clinic: an SQLite file or PostgreSQL, as SQLAlchemy URL.",
    )
    clinic_api_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Shared secret that the agent must send as bearer token; empty: not asked for.",
    )
    clinic_timezone: TimeZoneName = Field(
        "UTC", description="Time zone of the clinic: its opening hours, appointments and dates."
    )
