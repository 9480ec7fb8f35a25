"""`python -m tests.chaos.altered_sfu`: the stack's SFU, with what one machine does not need."""

import os
from typing import Any

from devstack import sfu
from devstack.settings import StackSettings

REDIS_PORT = "CHAOS_REDIS_PORT"
"""Its rooms are in a Redis on this port."""
INTERFACE = "CHAOS_SFU_INTERFACE"
"""Its media is on this network interface alone: an address has to be that of the socket."""

plain = sfu.config


def altered(settings: StackSettings) -> dict[str, Any]:
    """The stack's settings, and what the environment says."""
    document = plain(settings)
    if port := os.environ.get(REDIS_PORT):
        document["redis"] = {"address": f"127.0.0.1:{port}"}
    if interface := os.environ.get(INTERFACE):
        document["rtc"]["interfaces"] = {"includes": [interface]}
    return document


if __name__ == "__main__":
    sfu.config = altered
    sfu.main()
