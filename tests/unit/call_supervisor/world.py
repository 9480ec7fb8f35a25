"""A world in which time is turned by hand: a real record, rooms without media, scripted agents."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from call_record import calls, workers
from call_record.calls import Claim
from call_record.record import Record
from call_supervisor.rooms import OpenRoom, Rooms, SfuUnavailable
from call_supervisor.supervisor import CallSupervisor
from call_supervisor.timeouts import Timeouts
from tests.support.calls import FakeClock
from voice_contract.dispatch import DispatchMetadata
from voice_contract.names import agent_identity
from voice_contract.room import RoomState

STEP_S = 0.25
COARSE_STEP_S = 1.0
"""Where much time passes: the longest that a supervisor may be late."""


class Killed(BaseException):
    """The supervisor's process dies here."""


@dataclass
class Room:
    """A room of the SFU."""

    people: set[str] = field(default_factory=set)
    state: RoomState | None = None
    dispatches: list[DispatchMetadata] = field(default_factory=list)
    deployments: list[str] = field(default_factory=list)
    """To which the dispatches went."""


class RoomsWithoutMedia(Rooms):
    """What the SFU does with rooms, as tests/integration shows of the real one."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self.away = False
        self.refuses: set[str] = set()
        """Requests that fail: names of methods."""
        self.asked: list[str] = []
        self.killed = False
        self.kill_before: int | None = None
        """The request of this number is not sent any more: the supervisor dies."""
        self.on_dispatch: Callable[[DispatchMetadata], Awaitable[None]] | None = None

    def _ask(self, method: str) -> None:  # type: ignore[override]
        if self.kill_before == len(self.asked):
            self.killed = True
            raise Killed
        self.asked.append(method)
        if self.away or method in self.refuses:
            raise SfuUnavailable(method)

    async def people(self, call_id: str) -> frozenset[str]:
        self._ask("people")
        return frozenset(self.rooms[call_id].people) if call_id in self.rooms else frozenset()

    async def remove(self, call_id: str, identity: str) -> None:
        self._ask("remove")
        if call_id in self.rooms:
            self.rooms[call_id].people.discard(identity)

    async def withdraw(self, call_id: str, attempt: int) -> None:
        self._ask("withdraw")
        if room := self.rooms.get(call_id):
            room.dispatches = [one for one in room.dispatches if one.attempt >= attempt]

    async def dispatch(self, metadata: DispatchMetadata, deployment: str) -> None:
        self._ask("dispatch")
        room = self.rooms.setdefault(metadata.call_id, Room())
        room.dispatches.append(metadata)
        room.deployments.append(deployment)
        if self.on_dispatch:
            await self.on_dispatch(metadata)

    async def show(self, call_id: str, state: RoomState) -> None:
        self._ask("show")
        if call_id in self.rooms:
            self.rooms[call_id].state = state

    async def delete(self, call_id: str) -> None:
        self._ask("delete")
        self.rooms.pop(call_id, None)

    async def all(self) -> list[OpenRoom]:
        self._ask("all")
        return [OpenRoom(name, room.state) for name, room in self.rooms.items()]


@dataclass
class Agent:
    """A job that has claimed its call."""

    call_id: str
    attempt: int
    owner: str
    renews: bool = True
    next_s: float = 0.0


class World:
    """
    One record, its rooms, agents that renew each second, and a supervisor.

    Agents are there for whoever is dispatched, unless `agents_come` is False.
    """

    def __init__(self, record: Record, clock: FakeClock, timeouts: Timeouts | None = None) -> None:
        self.record, self.clock = record, clock
        self.timeouts = timeouts or Timeouts()
        self.rooms = RoomsWithoutMedia()
        self.rooms.on_dispatch = self._arrive
        self.agents: list[Agent] = []
        self.agents_come = True
        self.workers_live = True
        self.supervisor = self.another_supervisor()

    def another_supervisor(self) -> CallSupervisor:
        """One that knows nothing yet."""
        return CallSupervisor(self.record, self.rooms, self.timeouts, self.clock.boot_s)

    async def restart(self) -> None:
        """The supervisor died; the next one begins."""
        self.rooms.kill_before = None
        self.supervisor = self.another_supervisor()

    async def pass_time(self, seconds: float) -> None:
        """Agents renew and the supervisor looks, four times a second or, for long, once."""
        step_s = STEP_S if seconds < 15 else COARSE_STEP_S
        for _ in range(round(seconds / step_s)):
            self.clock.seconds += step_s
            await self._live()
            await self.look()

    async def look(self) -> None:
        """The supervisor looks once, and does all that follows."""
        await self.supervisor.poll()
        await self.supervisor.settle()

    def room(self, call_id: str) -> Room:
        """The call's room; made when there is none."""
        return self.rooms.rooms.setdefault(call_id, Room())

    def agents_in(self, call_id: str) -> list[str]:
        """Identities of all agents in the room."""
        return sorted(name for name in self.room(call_id).people if name.startswith("agent-"))

    async def joins(self, call_id: str, attempt: int = 1) -> Agent:
        """An agent claims the call and enters its room."""
        agent = Agent(call_id, attempt, f"job-{attempt}", next_s=self.clock.seconds + 1)
        claim = await calls.claim(self.record, call_id, attempt, agent.owner, "worker")
        assert claim is Claim.CLAIMED
        await calls.renew(self.record, call_id, attempt, agent.owner)
        self.room(call_id).people.add(agent_identity(call_id, attempt))
        self.agents.append(agent)
        return agent

    async def _arrive(self, metadata: DispatchMetadata) -> None:
        if self.agents_come:
            await self.joins(metadata.call_id, metadata.attempt)

    async def _live(self) -> None:
        for agent in self.agents:
            if agent.renews and self.clock.seconds >= agent.next_s:
                agent.next_s = self.clock.seconds + 1
                await calls.renew(self.record, agent.call_id, agent.attempt, agent.owner)
        if self.workers_live:
            for worker in await workers.read_all(self.record):
                await workers.heartbeat(self.record, worker.worker_id)
