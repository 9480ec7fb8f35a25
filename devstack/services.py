"""What the stack consists of: each process's settings, ports, and sign of being ready."""

from collections.abc import Mapping
from pathlib import Path

from honcho.environ import parse_procfile

from agent_worker.settings import WorkerSettings
from call_record.settings import RecordSettings
from call_supervisor.settings import SupervisorSettings
from devstack.examples import EXAMPLES, Example
from devstack.process import Program
from devstack.service import Service
from devstack.settings import StackSettings
from post_call.settings import PostCallSettings
from service_base.settings import ENV_PREFIX, ServiceSettings
from speech_server.settings import SpeechSettings
from token_service.settings import TokenSettings

ROOT = Path(__file__).parent.parent
DRAIN_S = 2
"""A developer's Ctrl-C should not wait for a call to end; a production worker's SIGTERM should."""


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
SERVICES = (
    SFU,
    *(example.backend for example in EXAMPLES),
    SPEECH,
    TOKEN,
    WORKER,
    SUPERVISOR,
    POST_CALL,
)

SETTINGS: Mapping[str, type[ServiceSettings]] = {
    **{service.name: service.settings for service in SERVICES},
    **{f"{example.name}-agent": example.agent_settings for example in EXAMPLES},
    "call-record": RecordSettings,
}
"""Every settings class by the name of what reads it."""

Loaded = Mapping[str, ServiceSettings]
"""The settings by the same names."""


def commands(loaded: Loaded, procfile: Path = ROOT / "Procfile") -> dict[str, str]:
    """
    The Procfile's lines: command by name.

    Without the backends of examples that the agent does not need.
    """
    lines = dict(parse_procfile(procfile.read_text()).processes)
    chosen = _stack(loaded).start_example
    own = example_of(loaded)
    started = chosen or (own.name if own else "none")
    for example in EXAMPLES:
        if example.name != started:
            lines.pop(example.backend.name, None)
    return lines


def example_of(loaded: Loaded) -> Example | None:
    """The example that the agent belongs to."""
    worker = loaded[WORKER.name]
    assert isinstance(worker, WorkerSettings)
    folder = worker.agent.split(".")[:2]
    return next((one for one in EXAMPLES if folder == ["examples", one.name]), None)


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
    own = example_of(loaded)
    values = {
        "sfu_url": SFU.url(loaded["sfu"], "ws"),
        "sfu_webhook_url": SUPERVISOR.url(loaded["call-supervisor"]) + "/webhook",
        "stt_base_url": SPEECH.url(loaded["speech-server"]) + "/v1",
        "tts_base_url": SPEECH.url(loaded["speech-server"]) + "/v1",
        "sfu_keys_file": str(run_dir / "sfu-keys.yaml"),
        "journal_keys_file": str(run_dir / "journal-keys.yaml"),
        "database_url": f"sqlite+aiosqlite:///{run_dir}/parley.db",
        "worker_drain_s": str(DRAIN_S),
        # Callers of another agent are nobody's customers.
        "post_call_crm": "none",
        "post_call_tickets": "none",
    }
    for example in EXAMPLES:
        name = example.name
        values[f"{name}_url"] = example.backend.url(loaded[example.backend.name])
        values[f"{name}_database_url"] = f"sqlite+aiosqlite:///{run_dir}/{name}.db"
        values |= example.backend_values
    if own is not None:
        values |= own.agent_values
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
