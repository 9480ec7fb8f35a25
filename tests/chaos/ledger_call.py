"""One call of the ledger test: its caller, its agents, the fault that meets them."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from random import Random
from typing import Any, Literal, get_args

from sqlalchemy.engine import make_url

from agent_worker.tools.phrases import GatePhrases
from call_record import calls, journal, workers
from call_record.admission import Admitted, Applicant, admit
from call_record.database import DATABASE_DOWN
from call_record.record import Record
from call_record.tables import CallState
from call_record.timeline import Timeline, fold
from call_record.timeline_parts import Invocation
from call_supervisor.supervisor import CallSupervisor
from call_supervisor.timeouts import Timeouts
from service_base.tasks import TaskSet
from tests.chaos import ledger_agent
from tests.chaos.ledger_agent import AWAY_S, Job, Trap
from tests.chaos.ledger_lines import RecordLine, ShopFault, ShopFaults, ShopLine
from tests.support.calls import fence
from tests.unit.call_supervisor.world import Room, RoomsWithoutMedia
from voice_contract.dispatch import DispatchMetadata
from voice_contract.ids import new_call_id
from voice_contract.journal import ToolUnknown
from voice_contract.names import agent_identity

WORKER = "worker"
GRACE_S = 4.0
"""How long the supervisor waits for a caller who is gone: shorter than in life."""
ANSWER_S = 30.0
"""How long a caller waits for what was wished."""
SETTLE_S = 12.0
"""How long a caller waits in a doubt."""

Fault = Literal[
    "killed before the start is stored",
    "killed before the request",
    "killed during the request",
    "killed before the result is stored",
    "stopped for longer than the lease",
    "answer lost",
    "request lost",
    "busy",
    "hangs",
    "answer to a COMMIT lost",
    "record away for 1 s",
    "clock jumps",
    "replaced while alive",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
Manner = Literal[
    "agrees",
    "repeats the wish",
    "repeats it in other words",
    "declines",
    "lets the question expire",
    "hangs up in doubt",
]
MANNERS: tuple[Manner, ...] = get_args(Manner)
LOST: tuple[ShopFault, ShopFault] = ("answer lost", "request lost")
REPEATS: tuple[Manner, Manner] = ("repeats the wish", "repeats it in other words")
UNHEARD_S = 6.0
"""After this time a caller says it again."""
PHRASES = GatePhrases()


class Stuck(Exception):
    """A call does not go on."""


@dataclass(frozen=True)
class Wish:
    """Something that a caller wants of the shop, in several words that mean the same."""

    tool: str
    words: tuple[str, ...]
    asks: bool = True
    """Whether the agent asks before it is done."""
    once: bool = False
    """Whether the shop itself refuses to do it twice."""

    def suits(self, manner: Manner) -> bool:
        """Whether a caller of that manner can have it: what matters is what could go wrong."""
        if manner in REPEATS:
            return not self.once
        return self.asks or manner not in ("declines", "lets the question expire")


def wishes(order: int, open_order: int) -> tuple[Wish, ...]:
    """What a caller with those orders may want."""
    return (
        Wish(
            "refund_order",
            (f"refund 1 dollars for order {order}", f"get a refund of 1 dollars for order {order}"),
        ),
        Wish(
            "cancel_order", (f"cancel order {open_order}", f"i no longer want order {open_order}")
        ),
        Wish(
            "cancel_appointment",
            ("cancel my appointment", "cancel my fitting", "i can't make my appointment"),
        ),
        Wish("talk_to_person", ("talk to a person", "call me back"), asks=False),
    )


class Lobby(RoomsWithoutMedia):
    """The rooms of all calls of one record. Who is removed is told, if its line tells anything."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, LedgerCall] = {}
        self.on_dispatch = self._send

    async def remove(self, call_id: str, identity: str) -> None:
        """Put somebody out of a room."""
        await super().remove(call_id, identity)
        if call := self.calls.get(call_id):
            call.removed(identity)

    async def _send(self, metadata: DispatchMetadata) -> None:
        if call := self.calls.get(metadata.call_id):
            await call.send_agent(metadata.attempt)


class Place:
    """One record with its supervisor and its one worker, shared by its calls."""

    def __init__(self, record: Record, url: str, keys_file: Path) -> None:
        self.record = record
        self.url = url
        self.keys_file = keys_file
        self.lobby = Lobby()
        timeouts = Timeouts(grace_s=GRACE_S, look_s=1.0, look_often_s=0.5)
        self._supervisor = CallSupervisor(record, self.lobby, timeouts)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_sqlite(self) -> bool:
        """Whether it is on SQLite."""
        return self.record.database.is_sqlite

    async def __aenter__(self) -> "Place":
        await workers.register(self.record, WORKER, 1_000)
        self._tasks = [
            asyncio.create_task(self._supervisor.run()),
            asyncio.create_task(self._beat()),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _beat(self) -> None:
        while True:
            with suppress(*DATABASE_DOWN):
                await workers.heartbeat(self.record, WORKER)
            await asyncio.sleep(0.5)


@dataclass
class Agent:
    """An agent's process, as its worker and the caller see it."""

    attempt: int
    process: ForkServerProcess
    line: Connection
    owner: str
    ready: bool = False
    gone: bool = False


@dataclass
class Acts:
    """What the caller did, as the caller knows it."""

    wished: int = 0
    """Turns that wished it."""
    yes: int = 0
    hung_up_in_doubt: bool = False


@dataclass
class LedgerCall:
    """One call from its admission to its end."""

    number: int
    chance: Random
    place: Place
    context: ForkServerContext
    shop_port: int
    folder: Path
    caller: str
    wish: Wish
    fault: Fault
    manner: Manner
    hits: Counter[str]
    call_id: str = field(default_factory=new_call_id)
    acts: Acts = field(default_factory=Acts)
    story: list[str] = field(default_factory=list)
    """What happened, for whoever looks into a violation."""

    wrongs: list[str] = field(default_factory=list)
    """What was seen to be wrong while it went on."""

    def __post_init__(self) -> None:
        self._agents: list[Agent] = []
        self._tasks = TaskSet()
        self._shop = ShopFaults(self._hit)
        self._servers: list[asyncio.Server] = []
        self._record_line: RecordLine | None = None
        self._began_s = time.monotonic()
        self._stopped: set[int] = set()
        """Attempts whose agents were stopped for longer than their lease."""
        self._has_cards = self.chance.random() < 0.5
        self._answers: list[bool | None] = []
        """What the caller answers to the next questions: None: nothing. After that: yes."""
        self._traps: dict[int, tuple[Trap, ...]] = {}
        self._loses = b""
        """The COMMIT of what loses its answer, on PostgreSQL."""
        self._over = False
        self._arm()

    # -- what will happen

    def _arm(self) -> None:
        faults: list[Fault] = [self.fault]
        if self.chance.random() < 0.4:
            faults.append(self.chance.choice(FAULTS))
        if self.manner in REPEATS and self.chance.random() < 0.7:
            # So that the wish is repeated in a doubt.
            self._shop.next.extend(self.chance.choice(LOST) for _ in range(4))
        attempt = 1
        for fault in faults:
            trap = self._trap(fault)
            if trap is not None:
                self._traps[attempt] = (*self._traps.get(attempt, ()), trap)
                # Of two faults that end an agent, the second meets the next one.
                attempt += trap.deed in ("kill", "stop", "tell")
        if self.manner == "hangs up in doubt":
            self._shop.rest = self.chance.choice(
                ("answer lost", "request lost", "hangs", "hangs and arrives")
            )
        match self.manner:
            case "declines":
                self._answers = [False]
            case "lets the question expire":
                self._answers = [None]
            case "repeats the wish" | "repeats it in other words":
                self._answers = [True, *self.chance.choices((True, True, False), k=3)]

    def _trap(self, fault: Fault) -> Trap | None:
        choose = self.chance.choice
        match fault:
            case "killed before the start is stored":
                return Trap(fault, "start", "kill")
            case "killed before the request":
                return Trap(fault, "started", "kill")
            case "killed before the result is stored":
                return Trap(fault, "result", "kill")
            case "stopped for longer than the lease":
                return Trap(fault, choose(("start", "started", "started")), "stop")
            case "replaced while alive":
                return Trap(fault, choose(("start", "started")), "tell")
            case "clock jumps":
                jump_ms = choose((-1, 1)) * self.chance.randrange(60_000, 600_000)
                return Trap(fault, choose(("start", "started", "result")), "jump", jump_ms)
            case "record away for 1 s" if self.place.is_sqlite:
                return Trap(fault, choose(("start", "started", "result")), "away")
            case "record away for 1 s":
                return Trap(fault, choose(("start", "started")), "tell")
            case "answer to a COMMIT lost" if self.place.is_sqlite:
                return Trap(fault, choose(("start", "started", "result")), "lose-commit")
            case "answer to a COMMIT lost":
                self._loses = choose((b"tool.started", b"tool.finished", b"tool.proposed"))
                return None
            case "killed during the request":
                if choose((True, False)):
                    self._shop.on_request = self._kill_during_request
                else:
                    self._shop.on_done = self._kill_during_request
                return None
            case "hangs":
                self._shop.next.append(choose(("hangs", "hangs and arrives")))
                return None
            case _:
                lost: ShopFault = fault
                # One loss is mended by the gate's own second try; three outlast it.
                self._shop.next.extend([lost] * choose((1, 1, 3, 4)))
                return None

    # -- the call

    async def run(self) -> None:
        """From the first ring to the sealed journal."""
        place = self.place
        applicant = Applicant(self.caller, display_name="Sam")
        assert isinstance(await admit(place.record, self.call_id, applicant), Admitted)
        self._began_s = time.monotonic()
        await self._open_record_line()
        place.lobby.calls[self.call_id] = self
        place.lobby.rooms[self.call_id] = Room({self.caller})
        await calls.join(place.record, self.call_id)
        try:
            await self.send_agent(1)
            await self._converse()
            await self._hang_up()
            await self._until_ended()
        except Stuck as stuck:
            self.wrongs.append(str(stuck))
        finally:
            self._over = True
            await self._clean_up()
            story = "\n".join(story_of(self))
            (self.folder / f"call-{self.number}.log").write_text(story + "\n")

    async def _open_record_line(self) -> None:
        self._url = self.place.url
        if self.place.is_sqlite:
            return
        url = make_url(self.place.url)
        assert url.port is not None
        line = RecordLine(url.port, lambda: self._hit("answer to a COMMIT lost"))
        line.lose_commit_of = self._loses
        self._record_line = line
        self._url = url.set(port=await line.start()).render_as_string(hide_password=False)

    async def _converse(self) -> None:
        words, *others = self.wish.words
        if self.manner in REPEATS:
            await self._say_wish(words)
            if self.chance.random() < 0.7:
                await self._within(6.0, self._has_begun)
            if self.chance.random() < 0.5:
                await self._within(3.0, self._is_in_doubt)
            await asyncio.sleep(self.chance.uniform(0.0, 1.0))
            self._hit(self.manner)
            await self._get(self.chance.choice(others) if self.manner == REPEATS[1] else words)
        else:
            await self._get(words)
        if self.manner in ("declines", "lets the question expire"):
            # Now in earnest.
            await self._get(words)
        if self.manner == "hangs up in doubt":
            if await self._is_in_doubt():
                self._hit(self.manner)
                self.acts.hung_up_in_doubt = True
        else:
            await self._until_settled()
            await asyncio.sleep(self.chance.uniform(0.0, 1.5))

    async def _has_begun(self) -> bool:
        return any(one.starts for one in self._mine(await self._timeline()))

    async def _is_in_doubt(self) -> bool:
        return bool(_doubts(await self._timeline()))

    async def _within(self, timeout_s: float, what: Callable[[], Awaitable[bool]]) -> None:
        ends_s = time.monotonic() + timeout_s
        while time.monotonic() < ends_s and not await what():
            await asyncio.sleep(0.1)

    async def _say_wish(self, words: str) -> None:
        self.acts.wished += 1
        await self._say(words)

    async def _say(self, words: str) -> None:
        await self._until(lambda: self._live is not None, 30, "an agent")
        assert self._live is not None
        self._tell(f"caller: {words}")
        self._send(self._live, ("say", words))

    async def _get(self, words: str) -> None:
        """Wish it, until that has come to an end that is on record; again if nobody heard it."""
        before = {one.invocation_id for one in self._mine(await self._timeline()) if one.ends}
        ends_s = time.monotonic() + ANSWER_S
        said_s = float("-inf")
        while time.monotonic() < ends_s:
            line = await self._timeline()
            new = [one for one in self._mine(line) if one.invocation_id not in before]
            if line.ending is not None or (new and new[-1].ends and self._is_quiet(line)):
                return
            unheard = said_s == float("-inf") or (not new and self._is_quiet(line))
            if unheard and time.monotonic() - said_s > UNHEARD_S:
                await self._say_wish(words)
                said_s = time.monotonic()
            await asyncio.sleep(0.15)
        self._tell("caller: gives up waiting")

    def _mine(self, line: Timeline) -> list[Invocation]:
        return [one for one in line.invocations if one.tool == self.wish.tool]

    def _is_quiet(self, line: Timeline) -> bool:
        """Whether nothing is asked or under way."""
        return not self._asking(line) and all(one.ends for one in self._mine(line) if one.starts)

    def _asking(self, line: Timeline) -> bool:
        return any(one.asked and one.decision is None for one in line.confirmations)

    async def _until_settled(self) -> None:
        ends_s = time.monotonic() + SETTLE_S
        while time.monotonic() < ends_s:
            line = await self._timeline()
            open_ones = [one for one in line.invocations if one.starts and not one.ends]
            untold = [
                one
                for one in line.invocations
                if one.state == "finished" and one.tool == self.wish.tool and not one.told
            ]
            if not open_ones and not _doubts(line) and not untold and not self._asking(line):
                return
            if line.ending is not None:
                return
            await asyncio.sleep(0.2)

    async def _timeline(self) -> Timeline:
        return fold(await journal.read(self.place.record, self.call_id))

    async def _hang_up(self) -> None:
        live = self._live
        self._tell("caller: hangs up")
        if live is not None and self.chance.random() < 0.5:
            self._send(live, ("hang up",))
        else:
            # The page tells the token service.
            await calls.end(self.place.record, self.call_id, "caller")
        room = self.place.lobby.rooms.get(self.call_id)
        if room is not None:
            room.people.discard(self.caller)

    async def _until_ended(self) -> None:
        ends_s = time.monotonic() + 60
        while time.monotonic() < ends_s:
            call = await calls.read(self.place.record, self.call_id)
            if call is not None and call.state is CallState.ENDED and not self._shop.under_way:
                return
            await asyncio.sleep(0.1)
        raise Stuck("the call does not end")

    async def _clean_up(self) -> None:
        for agent in self._agents:
            with suppress(ProcessLookupError):
                os.kill(agent.process.pid or 0, signal.SIGCONT)
        # A process that was stopped gets the time to do what it must not.
        for _ in range(40):
            if all(agent.gone for agent in self._agents):
                break
            await asyncio.sleep(0.05)
        for agent in self._agents:
            agent.process.kill()
            await asyncio.to_thread(agent.process.join, 5)
            self._lose(agent)
        await self._tasks.cancel()
        for server in self._servers:
            server.close()
        await self._shop.aclose()
        if self._record_line is not None:
            await self._record_line.aclose()

    async def _until(self, what: Callable[[], bool], timeout_s: float, name: str) -> None:
        ends_s = time.monotonic() + timeout_s
        while not what():
            if time.monotonic() > ends_s:
                raise Stuck(f"the caller waits for {name} in vain")
            await asyncio.sleep(0.02)

    # -- agents

    @property
    def _live(self) -> Agent | None:
        ready = [agent for agent in self._agents if agent.ready and not agent.gone]
        return ready[-1] if ready else None

    async def send_agent(self, attempt: int) -> None:
        """Start the agent of that attempt."""
        if self._over:
            return
        shop = ShopLine(self.shop_port, self._shop, lambda: self._wrote(attempt))
        self._servers.append(await shop.start())
        here, there = self.context.Pipe()
        owner = f"{WORKER}/{self.number}-{attempt}-{len(self._agents)}"
        job = Job(
            database_url=self._url,
            keys_file=self.place.keys_file,
            shop_url=f"http://127.0.0.1:{shop.port}",
            call_id=self.call_id,
            caller=self.caller,
            attempt=attempt,
            owner=owner,
            worker_id=WORKER,
            clock_ms=self._clock_ms(),
            has_cards=self._has_cards,
            expires_s=2.0 if self.manner == "lets the question expire" and attempt == 1 else None,
            traps=self._traps.pop(attempt, ()),
            log=self.folder / f"agent-{self.number}-{attempt}.log",
        )
        process = self.context.Process(target=ledger_agent.run, args=(job, there), daemon=True)
        process.start()
        there.close()
        agent = Agent(attempt, process, here, owner)
        self._agents.append(agent)
        self._tell(f"agent {attempt} sent")
        asyncio.get_running_loop().add_reader(here.fileno(), self._on_message, agent)

    def _clock_ms(self) -> int:
        """Machines' clocks agree, or nearly; some are minutes off."""
        most_ms = self.chance.choice((0, 2_000, 2_000, 600_000))
        return self.chance.randint(-most_ms, most_ms)

    def _wrote(self, attempt: int) -> None:
        if attempt in self._stopped:
            self.wrongs.append(f"agent {attempt} asked the shop for something after its lease")

    def removed(self, identity: str) -> None:
        """Somebody was put out of the room; half of the agents do not notice by themselves."""
        for agent in self._agents:
            if agent_identity(self.call_id, agent.attempt) == identity and not agent.gone:
                agent.ready = False
                if self.chance.random() < 0.5:
                    self._send(agent, ("put out",))

    def _send(self, agent: Agent, message: tuple[object, ...]) -> None:
        with suppress(OSError):
            agent.line.send(message)

    def _on_message(self, agent: Agent) -> None:
        try:
            message = agent.line.recv()
        except (EOFError, OSError):
            self._lose(agent)
            if not self._over:
                self._start(self._give_back(agent))
            return
        match message:
            case ("ready", _):
                agent.ready = True
                if room := self.place.lobby.rooms.get(self.call_id):
                    room.people.add(agent_identity(self.call_id, agent.attempt))
            case ("asked", str(question_id), str(digest), str(title)):
                self._tell(f"agent {agent.attempt} asks: {title}")
                self._start(self._answer(agent, question_id, digest))
            case ("said", str(text)):
                self._tell(f"agent {agent.attempt}: {text}")
                if PHRASES.busy_asking in text:
                    self._start(self._insist(agent))
            case ("fault", str(fault)):
                self._hit(fault)
                self._start(self._do(fault, agent))
            case _:
                self._tell(f"agent {agent.attempt}: {message}")

    def _lose(self, agent: Agent) -> None:
        if agent.gone:
            return
        agent.gone, agent.ready = True, False
        asyncio.get_running_loop().remove_reader(agent.line.fileno())
        agent.line.close()
        self._tell(f"agent {agent.attempt} is gone")
        if room := self.place.lobby.rooms.get(self.call_id):
            room.people.discard(agent_identity(self.call_id, agent.attempt))

    async def _give_back(self, agent: Agent) -> None:
        """A worker whose job died gives its call back; half of the workers died with the job."""
        if self.chance.random() < 0.5:
            await calls.give_back(self.place.record, self.call_id, agent.attempt, agent.owner)

    async def _answer(self, agent: Agent, question_id: str, digest: str) -> None:
        answer = self._answers.pop(0) if self._answers else True
        if answer is None:
            self._hit("lets the question expire")
            self._tell("caller: says nothing")
            return
        await asyncio.sleep(self.chance.uniform(0.0, 0.3))
        self._tell(f"caller: {'yes' if answer else 'no'}")
        if answer:
            self.acts.yes += 1
        else:
            self._hit("declines")
        if self._has_cards:
            self._send(agent, ("vote", question_id, digest, answer))
        else:
            self._send(agent, ("say", "yes" if answer else "no"))

    async def _insist(self, agent: Agent) -> None:
        """The caller was asked something that was not heard to its end."""
        await asyncio.sleep(0.3)
        self.acts.yes += 1
        self._tell("caller: yes?")
        self._send(agent, ("say", "yes"))

    # -- faults

    def _hit(self, fault: str) -> None:
        self.hits[fault] += 1
        self._tell(f"fault: {fault}")

    async def _do(self, fault: str, agent: Agent) -> None:
        match fault:
            case "stopped for longer than the lease":
                await self._go_on(agent)
            case "replaced while alive":
                call = await calls.read(self.place.record, self.call_id)
                assert call is not None
                attempt = await fence(self.place.record, self.call_id, call.seen)
                self._send(agent, ("go",))
                if attempt is not None:
                    await self.send_agent(attempt)
            case "record away for 1 s" if self._record_line is not None:
                self._record_line.cut(True)
                self._send(agent, ("go",))
                await asyncio.sleep(AWAY_S)
                self._record_line.cut(False)

    async def _go_on(self, agent: Agent) -> None:
        """The process goes on when another one has the call, and has had a moment to act."""
        ends_s = time.monotonic() + 20
        while time.monotonic() < ends_s:
            call = await calls.read(self.place.record, self.call_id)
            if call is None or call.attempt > agent.attempt or call.state is CallState.ENDED:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(self.chance.uniform(0.0, 2.0))
        self._stopped.add(agent.attempt)
        with suppress(ProcessLookupError):
            os.kill(agent.process.pid or 0, signal.SIGCONT)
        self._tell(f"agent {agent.attempt} goes on")

    async def _kill_during_request(self) -> None:
        live = self._live
        if live is not None:
            self._hit("killed during the request")
            live.process.kill()
            await asyncio.to_thread(live.process.join, 5)

    # -- small parts

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start(work, name="ledger call")

    def _tell(self, what: str) -> None:
        self.story.append(f"{time.monotonic() - self._began_s:6.2f} {what}")


def _doubts(line: Timeline) -> list[str]:
    """The invocations of which nobody knows what became."""
    return [one.invocation_id for one in line.invocations if isinstance(one.end, ToolUnknown)]


def story_of(call: LedgerCall) -> Iterator[str]:
    """What happened in a call."""
    yield f"call {call.number} {call.call_id}: {call.fault}, {call.manner}, {call.wish.tool}"
    yield from call.story
