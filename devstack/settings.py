"""Settings of the local stack: where its SFU listens, what it shows."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal

from pydantic import Field

from service_base.setting_text import OptionalHttpAddress
from service_base.sfu import SfuSettings


class StackSettings(SfuSettings):
    """What `make run` reads from the environment besides the services' own settings."""

    sfu_port: int = Field(
        7880, ge=1, le=65535, description="TCP port of the SFU that `make run` starts."
    )
    sfu_tcp_port: int = Field(
        7881, ge=1, le=65535, description="TCP port of that SFU for media where UDP is blocked."
    )
    sfu_udp_port: int = Field(7882, ge=1, le=65535, description="UDP port of that SFU for media.")
    sfu_node_ip: IPv4Address = Field(
        IPv4Address("127.0.0.1"),
        description="Address of that SFU which callers send their media to.",
    )
    sfu_webhook_url: OptionalHttpAddress = Field(
        "http://127.0.0.1:8084/webhook",
        description="Where that SFU reports what happens in its rooms; empty: nowhere.",
    )
    sfu_binary: Path | None = Field(
        None, description="The livekit-server to run; empty: found on PATH or built by `make run`."
    )
    start_example: Literal["storefront", "clinic", "none"] | None = Field(
        None,
        description="The example whose backend `make run` starts: storefront, clinic or none; "
        "empty: the one that PARLEY_AGENT belongs to.",
    )
    ready_timeout_s: float = Field(
        60, gt=0, le=600, description="Seconds that `make run` gives every process to be ready."
    )
    logs: bool = Field(
        False, description="Whether `make run` shows every process's log on the terminal."
    )
