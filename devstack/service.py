"""A process of the stack: its settings, its ports, its sign of being ready."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service_base.settings import ServiceSettings


@dataclass(frozen=True)
class Service:
    """A process of ours. `port` and `host` name fields of `settings`."""

    name: str
    """In the Procfile."""
    label: str
    settings: type[ServiceSettings]
    port: str
    host: str | None = None
    """None: 127.0.0.1"""
    more_ports: Mapping[str, str] = field(default_factory=dict)
    """Field name to `tcp` or `udp`."""
    ready_path: str = "/readyz"
    stop_round: int = 1
    hurry_s: float | None = None

    def address(self, settings: ServiceSettings) -> tuple[str, int]:
        """Host and port at which this machine reaches it."""
        host = getattr(settings, self.host) if self.host else "127.0.0.1"
        reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        return reachable, getattr(settings, self.port)

    def url(self, settings: ServiceSettings, scheme: str = "http") -> str:
        """Where this machine reaches it, without a slash at the end."""
        host, port = self.address(settings)
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
