"""What the stack consists of: each process's settings, ports, and sign of being ready."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from honcho.environ import parse_procfile

from agent_worker.settings import WorkerSettings
from call_record.settings import RecordSettings
from call_supervisor.settings import SupervisorSettings
from devstack.process import Program
from devstack.settings import StackSettings
from examples.storefront.address import ShopClientSettings
from examples.storefront.backend.settings import StorefrontSettings
from post_call.settings import PostCallSettings
from service_base.settings import ENV_PREFIX, ServiceSettings
from speech_server.settings import SpeechSettings
from token_service.settings import TokenSettings

ROOT = Path(__file__).parent.parent
CONNECTORS = "examples.storefront.connectors"
DRAIN_S = 2
"""A developer's Ctrl-C should not wait for a call to end; a production worker's SIGTERM should."""


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


SFU = Service(
    "sfu",
    "SFU",
    StackSettings,
    "sfu_port",
    more_ports={"sfu_tcp_port": "tcp", "sfu_udp_port": "udp"},
    ready_path="/",
    stop_round=2,
    # After the first SIGTERM it waits for its participants, after the second it does not.
    hurry_s=1.0,
)
STOREFRONT = Service(
    "storefront", "storefront", StorefrontSettings, "storefront_port", "storefront_host"
)
SPEECH = Service("speech-server", "speech server", SpeechSettings, "speech_port", "speech_host")
TOKEN = Service("token-service", "token service", TokenSettings, "token_port", "token_host")
WORKER = Service(
    "agent-worker", "agent worker", WorkerSettings, "worker_port", "worker_host", stop_round=0
)
SUPERVISOR = Service(
    "call-supervisor",
    "call supervisor",
    SupervisorSettings,
    "supervisor_port",
    "supervisor_host",
    # Together with the worker: else it would dispatch other agents to the worker's calls.
    stop_round=0,
)
POST_CALL = Service(
    "post-call", "post-call service", PostCallSettings, "post_call_port", "post_call_host"
)
SERVICES = (SFU, STOREFRONT, SPEECH, TOKEN, WORKER, SUPERVISOR, POST_CALL)

SETTINGS: Mapping[str, type[ServiceSettings]] = {
    **{service.name: service.settings for service in SERVICES},
    "storefront-agent": ShopClientSettings,
    "call-record": RecordSettings,
}
"""Every settings class by the name of what reads it."""

Loaded = Mapping[str, ServiceSettings]
"""The settings by the same names."""


def commands(loaded: Loaded, procfile: Path = ROOT / "Procfile") -> dict[str, str]:
    """
    The Procfile's lines: command by name.

    Without the example's shop when the agent does not need it.
    """
    lines = dict(parse_procfile(procfile.read_text()).processes)
    if not has_shop(loaded):
        lines.pop(STOREFRONT.name, None)
    return lines


def has_shop(loaded: Loaded) -> bool:
    """Whether the example's shop is started: for the example's agent, or by a setting."""
    chosen = _stack(loaded).start_storefront
    if chosen is not None:
        return chosen
    worker = loaded[WORKER.name]
    assert isinstance(worker, WorkerSettings)
    return worker.agent.split(".")[:2] == ["examples", "storefront"]


def programs(lines: Mapping[str, str], loaded: Loaded) -> list[Program]:
    """What to start. A Procfile line that is no service of ours counts as ready when started."""
    known = {service.name: service for service in SERVICES}
    found = []
    for name, command in lines.items():
        service = known.get(name)
        if service is None:
            found.append(Program(name, name, command))
            continue
        found.append(
            Program(
                name,
                service.label,
                command,
                service.url(loaded[name]) + service.ready_path,
                service.stop_round,
                service.hurry_s,
            )
        )
    return found


def derived(loaded: Loaded) -> dict[str, str]:
    """
    Variables for the processes, where no setting was chosen: moving a port or the run folder also
    moves what points to it.
    """
    run_dir = _stack(loaded).run_dir.absolute()
    worker = loaded["agent-worker"]
    assert isinstance(worker, WorkerSettings)
    # Only the shop's own agent has callers that belong into the shop's CRM.
    shop = worker.agent.startswith("examples.storefront")
    values = {
        "sfu_url": SFU.url(loaded["sfu"], "ws"),
        "sfu_webhook_url": SUPERVISOR.url(loaded["call-supervisor"]) + "/webhook",
        "stt_base_url": SPEECH.url(loaded["speech-server"]) + "/v1",
        "tts_base_url": SPEECH.url(loaded["speech-server"]) + "/v1",
        "storefront_url": STOREFRONT.url(loaded["storefront"]),
        "sfu_keys_file": str(run_dir / "sfu-keys.yaml"),
        "journal_keys_file": str(run_dir / "journal-keys.yaml"),
        "database_url": f"sqlite+aiosqlite:///{run_dir}/parley.db",
        "storefront_database_url": f"sqlite+aiosqlite:///{run_dir}/storefront.db",
        # So that who opens the page without signing in has orders to ask about.
        "storefront_demo_customer": "true",
        "worker_drain_s": str(DRAIN_S),
        "post_call_crm": f"{CONNECTORS}:StorefrontCrm" if shop else "none",
        "post_call_tickets": f"{CONNECTORS}:StorefrontTickets" if shop else "none",
    }
    speech = loaded[SPEECH.name]
    assert isinstance(speech, SpeechSettings)
    if speech.speech_encoder:
        values["encoder_url"] = values["stt_base_url"]
    chosen = {name for settings in loaded.values() for name in settings.model_fields_set}
    return {
        (ENV_PREFIX + name).upper(): value for name, value in values.items() if name not in chosen
    }


def _stack(loaded: Loaded) -> StackSettings:
    settings = loaded["sfu"]
    assert isinstance(settings, StackSettings)
    return settings
