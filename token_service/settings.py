"""Settings of the token service."""

from pathlib import Path

from pydantic import Field

from call_record.settings import RecordSettings
from service_base.sfu import SfuSettings


class TokenSettings(SfuSettings, RecordSettings):
    """What the token service reads from the environment."""

    token_host: str = Field("127.0.0.1", description="Address that the token service listens on.")
    token_port: int = Field(
        8080, ge=1, le=65535, description="Port of the token service and the web page."
    )
    sfu_public_url: str = Field(
        "",
        pattern=r"^(wss?://.+)?$",
        description="Address of the SFU as browsers reach it; empty: the same as PARLEY_SFU_URL.",
    )
    agent_name: str = Field(
        "parley",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="Name under which workers register; calls are dispatched to it.",
    )
    web_dir: Path = Field(Path("web/dist"), description="Folder of the built web client.")

    @property
    def rtc_url(self) -> str:
        """The SFU's WebSocket address for browsers."""
        return self.sfu_public_url or self.sfu_url
