"""Settings of the call supervisor."""

from ipaddress import ip_address
from typing import Self

from pydantic import Field, model_validator

from call_record.settings import RecordSettings
from service_base.setting_text import AgentName
from service_base.sfu import SfuSettings


class SupervisorSettings(SfuSettings, RecordSettings):
    """What the call supervisor reads from the environment."""

    supervisor_host: str = Field(
        "127.0.0.1",
        description="Address of the supervisor's webhooks, health and metrics.",
    )
    supervisor_port: int = Field(
        8084, ge=1, le=65535, description="Port of the supervisor's webhooks, health and metrics."
    )
    supervisor_exposed: bool = Field(
        False,
        description="Whether the supervisor may listen on more than loopback. It is for the SFU "
        "and for operators: never let callers reach it.",
    )
    agent_name: AgentName = Field(
        "parley", description="Name under which workers register; calls are dispatched to it."
    )
    no_agent_s: float = Field(
        60.0,
        ge=1,
        le=600,
        description="Seconds for which an agent is sought for a call that has none; then the call "
        "ends.",
    )

    @model_validator(mode="after")
    def _private(self) -> Self:
        if not self.supervisor_exposed and not _is_loopback(self.supervisor_host):
            raise ValueError(
                "PARLEY_SUPERVISOR_HOST: expected a loopback address, or "
                "PARLEY_SUPERVISOR_EXPOSED=true where only the SFU and operators get there"
            )
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
