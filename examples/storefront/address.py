"""Where the shop is, for those who ask it."""

from pydantic import Field, SecretStr

from service_base.setting_text import HttpAddress
from service_base.settings import ServiceSettings


class ShopClientSettings(ServiceSettings):
    """Where the shop is."""

    storefront_url: HttpAddress = Field(
        "http://127.0.0.1:8083",
        description="Address of the storefront backend, for its agent and its connectors.",
    )
    storefront_api_key: SecretStr | None = Field(
        None, description="Shared secret that the agent must send as bearer token."
    )

    @property
    def headers(self) -> dict[str, str]:
        """That open the shop."""
        key = self.storefront_api_key
        return {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
