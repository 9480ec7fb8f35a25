"""
Moves a call to another worker because its own worker stops before the call ends.

The worker sends its job a signal. The job waits for a pause in the conversation, leaves the room
and gives its claim back. The supervisor then sends an agent from another worker.
"""

import asyncio
import signal
from collections.abc import Callable

import structlog
from livekit.agents import AgentSession

log = structlog.get_logger()

SIGNAL = signal.SIGUSR2
PAUSE_S = 0.6
"""How long neither side must speak for a pause."""
LOOK_S = 0.05
WITHOUT_PAUSE_S = 10.0
"""After this time the call moves even if somebody speaks."""


class Migration:
    """
    Knows whether the worker has asked this job to give up its call.

    Args: signals: Whether to listen for the worker's signal. Tests do not.
    """

    def __init__(self, *, signals: bool = True) -> None:
        self._asked = asyncio.Event()
        if signals:
            # Without a handler the signal would kill this process.
            asyncio.get_running_loop().add_signal_handler(SIGNAL, self.ask)

    def ask(self) -> None:
        """Move the call at the next pause."""
        self._asked.set()

    async def pause(self, session: AgentSession[None], busy: Callable[[], bool]) -> None:
        """
        Wait until the job has been asked to give up its call and nobody is in mid-sentence.

        Args: busy: Whether work is in progress that must not be cut off.
        """
        await self._asked.wait()
        log.info("call.migration_asked")
        loop = asyncio.get_running_loop()
        latest_s = loop.time() + WITHOUT_PAUSE_S
        quiet_since_s = loop.time()
        while loop.time() < latest_s:
            if busy() or _somebody_speaks(session):
                quiet_since_s = loop.time()
            elif loop.time() - quiet_since_s >= PAUSE_S:
                return
            await asyncio.sleep(LOOK_S)


def _somebody_speaks(session: AgentSession[None]) -> bool:
    return session.agent_state in ("thinking", "speaking") or session.user_state == "speaking"
