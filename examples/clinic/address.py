"""Where the clinic's backend is, for those who ask it."""

from pydantic import Field, SecretStr

from examples.backend_base.clock import TimeZoneName
from service_base.setting_text import HttpAddress
from service_base.settings import ServiceSettings


class ClinicClientSettings(ServiceSettings):
    """Where the clinic is."""

    clinic_url: HttpAddress = Field(
        "http://127.0.0.1:8086", description="Address of the clinic's backend, for its agent."
    )
    clinic_api_key: SecretStr | None = Field(
        None, description="Shared secret that the agent must send as bearer token."
    )
    clinic_timezone: TimeZoneName = Field(
        "UTC", description="Time zone of the clinic: its opening hours, appointments and dates."
    )

    @property
    def headers(self) -> dict[str, str]:
        """That open the clinic."""
        key = self.clinic_api_key
        return {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
