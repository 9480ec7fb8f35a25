"""A call moves at a pause, and not much later than asked."""

import asyncio
import os
import time
from dataclasses import dataclass
from typing import Any

import pytest
from livekit.agents import AgentSession

from agent_worker import call_migration
from agent_worker.call_migration import Migration

pytestmark = pytest.mark.usefixtures("virtual_time")


@dataclass
class Scene:
    """A session that is not started, whose states are set by hand."""

    session: AgentSession[None]
    migration: Migration
    busy: bool = False

    def is_(self, *, agent: str = "listening", user: str = "listening") -> None:
        """What both sides do."""
        states: dict[str, Any] = {"_agent_state": agent, "_user_state": user}
        for name, state in states.items():
            setattr(self.session, name, state)

    def waiting(self) -> asyncio.Task[None]:
        """The wait for the pause."""
        return asyncio.create_task(self.migration.pause(self.session, lambda: self.busy))


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(call_migration, "PAUSE_S", 0.2)
    monkeypatch.setattr(call_migration, "WITHOUT_PAUSE_S", 1.0)
    made = Scene(AgentSession(), Migration(signals=False))
    made.is_()
    return made


async def test_migration_is_not_done_unasked(scene: Scene) -> None:
    """However quiet it is."""
    waiting = scene.waiting()
    await asyncio.sleep(0.5)
    assert not waiting.done()
    waiting.cancel()


async def test_migration_waits_for_a_pause(scene: Scene) -> None:
    """Nobody speaks, nothing is under way, for a moment."""
    waiting = scene.waiting()
    scene.is_(agent="speaking")
    scene.migration.ask()
    await asyncio.sleep(0.4)
    scene.is_(user="speaking")
    await asyncio.sleep(0.15)
    scene.is_()
    scene.busy = True
    await asyncio.sleep(0.15)
    scene.busy = False
    assert not waiting.done()
    quiet_at = time.monotonic()
    await waiting
    assert time.monotonic() - quiet_at == pytest.approx(0.2, abs=call_migration.LOOK_S)


async def test_migration_without_a_pause_happens_all_the_same(scene: Scene) -> None:
    """Its worker must go."""
    scene.is_(agent="speaking")
    scene.migration.ask()
    asked_at = time.monotonic()
    await scene.waiting()
    assert time.monotonic() - asked_at == pytest.approx(1.0, abs=call_migration.LOOK_S)


async def test_migration_is_asked_for_by_a_signal() -> None:
    """From the worker's process."""
    asked = Migration()
    os.kill(os.getpid(), call_migration.SIGNAL)
    await asyncio.sleep(0.05)
    assert asked._asked.is_set()
    asyncio.get_running_loop().remove_signal_handler(call_migration.SIGNAL)
