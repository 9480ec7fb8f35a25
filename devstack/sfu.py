"""
`python -m devstack.sfu`: become the SFU, with `sfu/livekit.yaml` moved to this machine's ports.

Makes the keys of the whole stack, at the first start.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import yaml

from call_record import keys as journal_keys
from call_record.settings import RecordSettings
from devstack import keys, livekit_server
from devstack.parent_death import die_with_parent
from devstack.settings import StackSettings
from service_base.settings import SettingsError, load_or_exit, or_exit

BASE = Path(__file__).parent.parent / "sfu" / "livekit.yaml"
LOOPBACK_INTERFACES = ["lo", "lo0"]
"""On Linux, on macOS."""
ITS_OWN_VARIABLES = {"NODE_IP", "UDP_PORT", "REDIS_HOST", "REDIS_PASSWORD"}


def config(settings: StackSettings) -> dict[str, Any]:
    """
    livekit-server's settings: `sfu/livekit.yaml` with the ports and addresses of *settings*.

    Raises: SettingsError: its key, which signs the webhooks, cannot be read.
    """
    document: dict[str, Any] = yaml.safe_load(BASE.read_text())
    document["port"] = settings.sfu_port
    rtc = document["rtc"]
    rtc["tcp_port"] = settings.sfu_tcp_port
    rtc["udp_port"] = settings.sfu_udp_port
    rtc["node_ip"] = str(settings.sfu_node_ip)
    if settings.sfu_webhook_url:
        document["webhook"] = {
            "api_key": settings.sfu_key().api_key,
            "urls": [settings.sfu_webhook_url],
        }
    if settings.sfu_node_ip.is_loopback:
        # Else it listens for media on every interface but this one.
        rtc["interfaces"] = {"includes": LOOPBACK_INTERFACES}
        rtc["enable_loopback_candidate"] = True
    return document


def main() -> None:
    """Make what the SFU needs and replace this process by it."""
    settings = load_or_exit(StackSettings)
    with or_exit():
        keys.ensure(settings.sfu_keys_file)
        journal_keys.ensure(load_or_exit(RecordSettings).journal_keys_file)
        program = livekit_server.find(settings.sfu_binary)
        if program is None:
            raise SettingsError("PARLEY_SFU_BINARY: the SFU is missing; `make sfu` gets it.")
    file = settings.run_dir / "livekit.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(config(settings)))
    # After SIGTERM it waits for its last participant, so an orphan would stay.
    die_with_parent(signal.SIGKILL)
    # It reads settings from these too, and they would override ours.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LIVEKIT_") and name not in ITS_OWN_VARIABLES
    }
    sys.stdout.flush()
    command = [str(program), "--config", str(file), "--key-file", str(settings.sfu_keys_file)]
    os.execve(program, command, environment)  # noqa: S606


if __name__ == "__main__":
    main()
