"""What the processes of a stack have logged, for tests of the whole stack."""

import asyncio
import json
import re
from typing import Any

from devstack.services import SERVICES
from tests.support.local_stack import LocalStack

QUIET_LEVELS = ("debug", "info")
STALL = "event loop blocked for "
"""LiveKit's watch over the event loop: says how busy the machine is, not what went wrong."""
IDENTITY = re.compile(r"caller-[0-9a-f]{24}|\"participant\"|[\w.+-]+@[\w-]+(\.[\w-]+)*\.[a-z]{2,}\b")
"""
An anonymous caller's, however the SFU names participants, or an e-mail address. A Go module with
its version (`ice/v4@v4.4.0/udp_mux.go`, in the stack trace of an error) is none.
"""


def every_line(stack: LocalStack) -> list[str]:
    """All lines of all processes so far."""
    return [line for one in SERVICES for line in stack.log(one.name).splitlines()]


def identities(stack: LocalStack) -> list[str]:
    """The lines that tell who somebody is."""
    return [line for line in every_line(stack) if IDENTITY.search(line)]


def loud(stack: LocalStack, call_id: str) -> list[str]:
    """The lines above INFO that belong to a call, in whichever process."""
    return [
        line
        for line in every_line(stack)
        if call_id in line and _level(line) not in QUIET_LEVELS and STALL not in line
    ]


async def process_exited(stack: LocalStack, call_id: str) -> None:
    """Wait until the process of the call has logged its last line, for 15 s at most."""
    async with asyncio.timeout(15):
        while not any(
            call_id in line and '"process exiting"' in line
            for line in stack.log("agent-worker").splitlines()
        ):
            await asyncio.sleep(0.1)


def _level(line: str) -> str:
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return "not JSON"
    return str(entry.get("level", "none")).lower()
