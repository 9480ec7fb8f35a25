"""
A call handed over on purpose: its worker must go sooner than the call ends.

The worker asks its job with a signal. The job waits for a pause in the conversation, leaves, and
gives its claim back; the supervisor sends another agent, to another worker.
"""

import asyncio
import signal
from collections.abc import Callable

import structlog
from livekit.agents import AgentSession

log = structlog.get_logger()

SIGNAL = signal.SIGUSR2
PAUSE_S = 0.6
"""Neither side speaks for so long: a pause."""
LOOK_S = 0.05
WITHOUT_PAUSE_S = 10.0
"""Who talks for longer is interrupted."""


class Migration:
    """
    Whether this job was asked to give its call to another worker.

    Args: signals: whether to listen to the worker's signal; not in tests.
    """

    def __init__(self, *, signals: bool = True) -> None:
        self._asked = asyncio.Event()
        if signals:
            # From the first moment on: unheard, the signal would kill this process.
            asyncio.get_running_loop().add_signal_handler(SIGNAL, self.ask)

    def ask(self) -> None:
        """Hand the call over at the next pause."""
        self._asked.set()

    async def pause(self, session: AgentSession[None], busy: Callable[[], bool]) -> None:
        """
        Return when the call is to be handed over and nobody is in mid-sentence.

        Args: busy: whether something is being done that must not be cut off.
        """
        await self._asked.wait()
        log.info("call.to_be_handed_over")
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
