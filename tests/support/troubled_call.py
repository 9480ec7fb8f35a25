"""
A call in which everything can fail: real gates, writers, leases and SQLite; only time is virtual.

`TroubledCall.take` lets one thing happen, `finish` ends the call and checks what must hold. What
must hold when an effect begins is checked as it begins.
"""

import asyncio
import json
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from weakref import WeakKeyDictionary

import pytest
from livekit.agents.llm import ToolError
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from agent_worker.claim import CallClaim
from agent_worker.metrics import Metrics
from agent_worker.tools import backends
from agent_worker.tools.confirmations import CallersPage
from agent_worker.tools.events import GateEvents
from agent_worker.tools.gate import Gate
from agent_worker.tools.invocations import Invocation, Kind, Proposal
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.restore import restore
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.tools.tool import (
    Answer,
    BackendUnavailable,
    Caller,
    IdempotencyKey,
    Target,
    ToolRefused,
    tool,
)
from call_record import calls, journal, keys, writer
from call_record.calls import Claim
from call_record.database import DATABASE_DOWN, Database
from call_record.lease import Lease
from call_record.prepare import prepare
from call_record.record import Record
from call_record.timeline import Timeline, fold
from call_record.timeline_parts import Invocation as Recorded
from call_record.verification import Verdict, verify
from call_record.writer import JournalWriter
from tests.support.calls import fence, requested, the_call
from tests.support.virtual_time import database_time
from voice_contract.confirmations import ConfirmationVote
from voice_contract.journal import AgentTurnEnded, ToolFailed, ToolFinished, UserTurn

Step = tuple[Any, ...]
DatabaseFault = Literal["away", "rolls back", "loses the answer", "slow", "answers late"]
DATABASE_FAULTS: tuple[DatabaseFault, ...] = get_args(DatabaseFault)
BankFault = Literal[
    "works",
    "brief",
    "away",
    "busy",
    "refuses",
    "refuses the key",
    "breaks before",
    "loses the answer",
    "hangs before",
    "hangs",
    "slow",
    "arrives later",
]
BANK_FAULTS: tuple[BankFault, ...] = get_args(BankFault)
"""`brief` takes 0.3 s, less than the tools' timeouts; `slow` and `arrives later` have their effect
after 1.5 s, the latter when its sender has long been told that the connection broke."""
QUEUE_MAX = 12
AT_ONCE = 2
LATE_S = 2.5
"""Longer than `write_ahead` waits and than a lease lets act."""


class BrokenDatabase(Database):
    """A database that fails, or answers late, before or after it has committed."""

    def __init__(self, url: str, lock: asyncio.Lock) -> None:
        super().__init__(url, connections=1, wait_s=60)
        self.faults: list[DatabaseFault] = []
        """Of the next transactions."""
        self.away = False
        self._lock = lock

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._troubled(super().reading)

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._troubled(super().writing)

    @asynccontextmanager
    async def _troubled(
        self, begin: Callable[[], AbstractAsyncContextManager[AsyncConnection]]
    ) -> AsyncIterator[AsyncConnection]:
        fault = self.faults.pop(0) if self.faults else None
        if self.away or fault == "away":
            raise broken()
        if fault == "slow":
            await asyncio.sleep(LATE_S)
        # One after another, so that one seed makes one story: SQLite's own lock is not fair.
        async with self._lock:
            async with begin() as connection:
                yield connection
                if fault == "rolls back":
                    raise broken()
        if fault == "answers late":
            await asyncio.sleep(LATE_S)
        if fault == "loses the answer":
            raise broken()


def broken() -> OperationalError:
    """What SQLAlchemy raises when the connection breaks."""
    return OperationalError("", None, ConnectionError("broken by the test"))


@dataclass(frozen=True)
class Clock:
    """The loop's time. Each agent's is ahead by its attempt in ms, so that entries show whose."""

    attempt: int = 0

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        return 1_750_000_000_000 + round(self.boot_s() * 100) * 10 + self.attempt

    def boot_s(self) -> float:
        """Seconds."""
        return asyncio.get_running_loop().time()


@dataclass
class Effect:
    """What was done at the bank."""

    key: str
    what: str


class Bank:
    """A backend whose requests go on when those who sent them are dead."""

    def __init__(self) -> None:
        self.effects: list[Effect] = []
        self.refused: set[str] = set()
        """Keys that it has refused for good."""
        self.mood: BankFault = "works"

    async def request(self, key: str, what: str, *, honours: bool) -> None:
        """One request; raises as the author of a tool would."""
        loop = asyncio.get_running_loop()
        match self.mood:
            case "brief":
                await asyncio.sleep(0.3)
                self._do(key, what, honours=honours)
            case "away":
                raise BackendUnavailable(retry_after_s=99)
            case "busy":
                raise BackendUnavailable
            case "refuses":
                raise ToolRefused("No.")
            case "refuses the key" if not self._has(key):
                self.refused.add(key)
                raise ToolRefused("Never.", settles=True)
            case "breaks before":
                raise ConnectionError
            case "loses the answer":
                self._do(key, what, honours=honours)
                raise ConnectionError
            case "hangs before":
                await asyncio.Event().wait()
            case "hangs":
                self._do(key, what, honours=honours)
                await asyncio.Event().wait()
            case "slow" | "arrives later":
                arrived = loop.create_future()
                loop.call_later(1.5, self._arrives, arrived, key, what, honours)
                if self.mood == "arrives later":
                    raise ConnectionError
                await arrived
            case _:
                self._do(key, what, honours=honours)
        if key in self.refused:
            raise ToolRefused("Never.", settles=True)

    def _arrives(self, arrived: "asyncio.Future[None]", key: str, what: str, honours: bool) -> None:
        self._do(key, what, honours=honours)
        if not arrived.done():
            arrived.set_result(None)

    def _do(self, key: str, what: str, *, honours: bool) -> None:
        if key not in self.refused and not (honours and self._has(key)):
            self.effects.append(Effect(key, what))

    def _has(self, key: str) -> bool:
        return any(one.key == key for one in self.effects)


class Teller:
    """The bank as one agent's tools reach it."""

    def __init__(self, call: "TroubledCall", agent: "Agent") -> None:
        self._call = call
        self._agent = agent

    async def send(self, key: str, what: str, *, honours: bool = True) -> None:
        """One request with a key."""
        self._call.check_beginning(self._agent, key, what)
        fresh = key not in self._call.doubtful
        self._call.doubtful.add(key)
        try:
            await self._call.bank.request(key, what, honours=honours)
        except (BackendUnavailable, ToolRefused):
            # That is an answer: nothing was done.
            if fresh:
                self._call.doubtful.discard(key)
            raise


@tool(effect="write", confirm="Pay {number}?", idempotent=True, timeout_s=0.5, backend="bank")
async def pay(number: int, *, teller: Teller, key: IdempotencyKey) -> Answer:
    """Pay; confirmed."""
    await teller.send(key, f"pay {number}")
    return Answer(say="Paid.")


@tool(effect="write", idempotent=True, timeout_s=0.5, backend="bank", max_per_call=99)
async def book(number: int, *, teller: Teller, key: IdempotencyKey) -> Answer:
    """Book; not confirmed."""
    await teller.send(key, f"book {number}")
    return Answer(say="Booked.")


@tool(effect="write", timeout_s=0.5, backend="bank", max_per_call=99)
async def note(number: int, *, teller: Teller, key: IdempotencyKey) -> Answer:
    """Note; the bank does not know keys here."""
    await teller.send(key, f"note {number}", honours=False)
    return Answer(say="Noted.")


async def appointment(number: int) -> Target:
    """Odd words mean the one on Friday, even ones that on Monday."""
    return Target("Friday" if number % 2 else "Monday", {"when": str(number)})


@tool(
    effect="write",
    confirm="Cancel the one of {when}?",
    idempotent=True,
    timeout_s=0.5,
    backend="bank",
    resolve=appointment,
    max_per_call=99,
)
async def cancel(number: int, *, teller: Teller, target: Target, key: IdempotencyKey) -> Answer:
    """Cancel; confirmed, and found by other words too."""
    await teller.send(key, f"cancel {target.id}")
    return Answer(say="Cancelled.")


@tool(
    effect="write",
    idempotent=True,
    timeout_s=0.5,
    backend="bank",
    resolve=appointment,
    max_per_call=99,
)
async def move(number: int, *, teller: Teller, target: Target, key: IdempotencyKey) -> Answer:
    """Move; not confirmed, and found by other words too."""
    await teller.send(key, f"move {target.id}")
    return Answer(say="Moved.")


TOOLS = (pay, book, note, cancel, move)


@dataclass
class Wish:
    """One invocation as the caller knows it."""

    proposed_s: float
    approved_s: float = -1.0
    done_s: float = float("inf")
    """When the caller's agent first knew that it was done."""
    told_s: float = float("inf")
    was_unknown: bool = False
    key: str | None = None
    told: Kind | None = None
    """What the caller was told of it last, by the agent that is heard."""


class Agent(GateEvents):
    """One attempt at the call."""

    def __init__(self, call: "TroubledCall", attempt: int) -> None:
        self.call = call
        self.attempt = attempt
        self.database = BrokenDatabase(call.url, call.lock)
        self.record = Record(self.database, call.keys, Clock(attempt))
        self.lease = Lease(self.record, call.call_id, attempt, f"job-{attempt}", "worker")
        self.writer = JournalWriter(self.record, call.call_id, attempt)
        self.known: dict[str, Invocation] = {}
        self.dead = False

    async def open(self) -> None:
        """Claim the call and go on from its journal."""
        while True:
            with suppress(*DATABASE_DOWN):
                answer = await self.lease.claim()
                recorded = await journal.read(self.record, self.call.call_id)
                break
            await asyncio.sleep(0.2)
        assert answer in (Claim.CLAIMED, Claim.OVER), answer
        await self.writer.__aenter__()
        self.gate = Gate(
            caller=Caller("caller", self.call.call_id),
            tools=TOOLS,
            resources=(Teller(self.call, self),),
            journal=self.writer,
            lease=self.lease,
            metrics=Metrics(None),
            events=self,
            secret=b"key of the call",
            page=CallersPage(has_cards=True),
            clock=self.record.clock,
            settle_s=0.05,
            call_max=999,
        )
        restore(self.gate, ResultDelivery(GatePhrases()), self.writer, recorded)
        self.known |= {one.id: one for one in self.gate.invocations}
        self.keeping = asyncio.create_task(self.lease.keep())

    def settled(self, invocation: Invocation) -> None:
        """The caller is to be told."""
        assert invocation.outcome is not None
        wish = self.call.wishes.setdefault(invocation.id, Wish(self.call.now_s()))
        if self is self.call.agent:
            wish.told = invocation.outcome.kind
        wish.key = invocation.key or wish.key
        if invocation.outcome.kind == "done":
            wish.done_s = min(wish.done_s, self.call.now_s())
        elif invocation.outcome.kind == "unknown":
            wish.was_unknown = True

    def tell(self) -> None:
        """The caller hears of everything that is known."""
        heard = [one for one in self.known.values() if one.outcome is not None and not one.told]
        for one in heard:
            one.told = True
            wish = self.call.wishes.setdefault(one.id, Wish(0))
            if one.outcome is not None and one.outcome.kind == "done":
                wish.told_s = min(wish.told_s, self.call.now_s())
        ids = tuple(one.id for one in heard)
        said = AgentTurnEnded(turn_id="t", heard="So.", interrupted=False, invocation_ids=ids)
        self.writer.write(said)

    async def seal(self) -> None:
        """End the call in the record, as a job does: again and again for 20 s."""
        call = await the_call(self.call.office, self.call.call_id)
        await CallClaim(self.record, call, self.lease, self.writer, _never).seal("caller")

    async def die(self) -> None:
        """As with SIGKILL; what it has sent is under way."""
        self.dead = True
        tasks = [one for one, whose in self.call.owners.items() if whose is self]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.gate.questions.leave()
        await self.record.close()


async def _never() -> bool:
    """Gives nothing back."""
    return False


class TroubledCall:
    """A call over one agent after another. Made by `run`."""

    def __init__(self, file: Path, ring: keys.KeyRing, call_id: str) -> None:
        self.file = file
        self.url = f"sqlite+aiosqlite:///{file}"
        self.keys = ring
        self.call_id = call_id
        self.lock = asyncio.Lock()
        self.bank = Bank()
        self.office = Record(BrokenDatabase(self.url, self.lock), ring, Clock())
        """The supervisor's."""
        self.agents: list[Agent] = []
        self.wishes: dict[str, Wish] = {}
        self.begun_s: dict[str, float] = {}
        """When a request was first sent, by key."""
        self.doubtful: set[str] = set()
        """Keys of which an agent may think that they were done."""
        self.owners: WeakKeyDictionary[asyncio.Task[Any], Agent | None] = WeakKeyDictionary()
        self.owner: Agent | None = None
        self.problems: list[str] = []
        self.turn = 0
        self.proposals = 0
        self.over = False
        self.looking = sqlite3.connect(file)
        asyncio.get_running_loop().set_task_factory(self._task)

    def _task(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> Any:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
        creator = asyncio.current_task() if loop.is_running() else None
        self.owners[task] = self.owners.get(creator, self.owner) if creator else self.owner
        return task

    @contextmanager
    def _as(self, agent: Agent) -> Iterator[None]:
        """Tasks that are started here are that agent's."""
        before, self.owner = self.owner, agent
        try:
            yield
        finally:
            self.owner = before

    @property
    def agent(self) -> Agent:
        """The one that the caller hears."""
        return self.agents[-1]

    def now_s(self) -> float:
        """The loop's time."""
        return asyncio.get_running_loop().time()

    async def next_agent(self, attempt: int) -> None:
        """An agent comes."""
        started = "SELECT body FROM journal WHERE kind = 'tool.started'"
        for (body,) in self.looking.execute(started).fetchall():
            self.doubtful.add(json.loads(body)["idempotency_key"])
        agent = Agent(self, attempt)
        with self._as(agent):
            await asyncio.create_task(agent.open())
        self.agents.append(agent)

    # -- what happens

    async def take(self, step: Step) -> None:
        """Let one thing happen."""
        agent = self.agent
        match step:
            case ("wish", name, number, fault, then):
                self.bank.mood = fault
                await self._wish(name, number, then)
            case ("again", name, number):
                self._propose(name, number)
            case ("rush", name):
                self.bank.mood = "brief"
                self._turn()
                for number in range(3, 7):
                    self._propose(name, number)
                await asyncio.sleep(0.1)
            case ("lost proposal", name, number):
                await self._lost_proposal(name, number)
            case ("vote", index, approved):
                self._vote(index, approved)
            case ("bank", fault):
                self.bank.mood = fault
            case ("database", fault, times):
                agent.database.faults += [fault] * times
            case ("tell",):
                agent.tell()
            case ("lose the lease",):
                agent.lease.lost.set()
            case ("hang up",):
                await calls.end(self.office, self.call_id, "caller")
                self.over = True
                agent.gate.close()
            case ("crash",):
                await self._replace(dies=True)
            case ("replace",):
                await self._replace(dies=False)
            case ("wait", seconds):
                await asyncio.sleep(seconds)

    def _turn(self) -> None:
        self.turn += 1
        turn_id = str(self.turn)
        self.agent.writer.write(UserTurn(text="Do it.", turn_id=turn_id))
        self.agent.gate.turn_began(turn_id)

    async def _wish(self, name: str, number: int, then: str) -> None:
        self._turn()
        invocation = self._propose(name, number)
        await asyncio.sleep(0.2)
        if invocation is not None and invocation.is_asking and then != "is silent":
            self._decide(invocation, then != "declines")
        await asyncio.sleep(0.02 if then == "acts on" else 1.2)

    def _propose(self, name: str, number: int) -> Invocation | None:
        agent = self.agent
        self.proposals += 1
        proposal = Proposal(name, {"number": number}, f"c{self.proposals}", str(self.turn))
        with self._as(agent), suppress(ToolError):
            invocation = agent.gate.propose(proposal)
            agent.known.setdefault(invocation.id, invocation)
            self.wishes.setdefault(invocation.id, Wish(self.now_s()))
            return invocation
        return None

    async def _lost_proposal(self, name: str, number: int) -> None:
        """The database is away for so long that the journal's queue is full."""
        agent = self.agent
        agent.database.away = True
        self._turn()
        for _ in range(QUEUE_MAX + 1):
            agent.writer.write(UserTurn(text="Hello?"))
        invocation = self._propose(name, number)
        await asyncio.sleep(0.1)
        agent.database.away = False
        await asyncio.sleep(1.5)
        if invocation is not None and invocation.is_asking:
            self._decide(invocation, True)
        await asyncio.sleep(0.1)

    def _vote(self, index: int, approved: bool) -> None:
        asking = [one for one in self.agent.known.values() if one.is_asking]
        if asking:
            self._decide(asking[index % len(asking)], approved)

    def _decide(self, invocation: Invocation, approved: bool) -> None:
        question = invocation.question
        assert question is not None
        vote = ConfirmationVote(id=question.id, digest=question.digest, approved=approved)
        state = self.agent.gate.questions.vote(vote, "screen", "caller").state
        if state == "approved":
            wish = self.wishes.setdefault(invocation.id, Wish(0))
            wish.approved_s = self.now_s()
            if isinstance(question.tells, Invocation):
                earlier = self.wishes.setdefault(question.tells.id, Wish(0))
                earlier.told_s = min(earlier.told_s, self.now_s())

    async def _replace(self, *, dies: bool) -> None:
        """The supervisor sends another agent, since this one is dead or seems to be."""
        old = self.agent
        if dies:
            await old.die()
        else:
            old.database.away = True
            await asyncio.sleep(5)  # longer than a lease lets act
        now = await calls.read(self.office, self.call_id)
        assert now is not None
        attempt = await fence(self.office, self.call_id, now.seen)
        old.database.away = False
        if attempt is not None:
            await self.next_agent(attempt)
        else:
            await self._hang_up_alone(old)

    async def _hang_up_alone(self, old: Agent) -> None:
        """The call is ending, so no other agent is sent."""
        self.over = True
        if not old.dead:
            old.gate.close()

    # -- what must hold

    def check_beginning(self, agent: Agent, key: str, what: str) -> None:
        """A request begins."""
        self.begun_s.setdefault(key, self.now_s())
        rows = self.looking.execute(
            "SELECT body FROM journal WHERE kind = 'tool.started' AND body LIKE ?", (f"%{key}%",)
        ).fetchall()
        self.expect(bool(rows), f"{what} begins and is not on record")
        self.expect(agent.lease.may_act(), f"{what} begins without the lease")
        (attempt,) = self.looking.execute("SELECT attempt FROM call").fetchone()
        self.expect(attempt == agent.attempt, f"{what} begins though another agent was sent")
        if key not in self.doubtful:
            self.expect(not agent.gate._closing.is_set(), f"{what} begins after the call")

    def expect(self, holds: bool, problem: str) -> None:
        """Note a problem: raised in a tool, it would be an answer of the bank."""
        if not holds:
            self.problems.append(problem)

    def check(self) -> None:
        """No problem so far."""
        assert not self.problems, self.problems

    async def finish(self) -> None:
        """The call ends, by its agent or by another one; then all that must hold does."""
        agent = self.agent
        agent.database.faults.clear()
        if not self.over and (agent.dead or agent.lease.lost.is_set() or agent.writer.stale):
            await self._replace(dies=True)
        for one in self.agents:
            if one is not self.agent and not one.dead:
                await one.die()
        if not self.agent.dead:
            with self._as(self.agent):
                await asyncio.create_task(self.agent.gate.aclose())
                await self.agent.seal()
            await self.agent.die()
        await asyncio.sleep(3)  # what is under way arrives
        self.check()
        await self._check_record()
        await self.office.close()

    async def _check_record(self) -> None:
        assert (await verify(self.office, self.call_id)).verdict is Verdict.INTACT
        recorded = await journal.read(self.office, self.call_id)
        for one in recorded:
            assert one.at_ms % 10 in (0, one.attempt), "an agent writes as another one"
        line = fold(recorded)
        effects = [one.key for one in self.bank.effects]
        assert len(set(effects)) == len(effects), "one wish, two effects"
        owners: dict[str, list[Recorded]] = defaultdict(list)
        for invocation in line.invocations:
            minted = {one.entry.idempotency_key for one in invocation.starts}
            assert len(minted) <= 1, "one wish, two keys"
            if invocation.idempotency_key:
                owners[invocation.idempotency_key].append(invocation)
        for key, several in owners.items():
            # One turn in other words is one effect, so one key: then one of them did it.
            ends = {type(end.entry) for one in several for end in one.ends}
            assert key in effects or ToolFinished not in ends, "finished, and not done"
            if key in effects:
                states = {one.state for one in several}
                ends_known = states & {"finished", "unknown"}
                secret = f"done in secret: {states}"
                assert ends_known or self._may_lack_end(line, several), secret
                assert len(several) > 1 or ToolFailed not in ends, "failed, and done"
        wished = Counter(wish.key for wish in self.wishes.values())
        for wish in self.wishes.values():
            if wish.key in effects and wished[wish.key] == 1:
                assert wish.told in ("done", "unknown", None), f"told {wish.told}, and done"
        self._check_once({one.idempotency_key: one.invocation_id for one in line.invocations})

    def _may_lack_end(self, line: Timeline, several: list[Recorded]) -> bool:
        """It becomes a ticket as it is: no agent could come any more, or the end was lost."""
        begun = max(start.seq for one in several for start in one.starts)
        last = max(begun, line.claims[-1].seq)
        return self.over or any(gap.seq > last for gap in line.gaps)

    def _check_once(self, whose: dict[str | None, str]) -> None:
        """No second effect of the same meaning without a wish that knew of the first."""
        ordered = sorted(self.bank.effects, key=lambda one: self.begun_s[one.key])
        for number, second in enumerate(ordered):
            for first in ordered[:number]:
                if first.what != second.what:
                    continue
                earlier, later = self.wishes[whose[first.key]], self.wishes[whose[second.key]]
                wished_s = max(later.proposed_s, later.approved_s)
                assert earlier.done_s <= wished_s, f"{second.what}: done twice"
                if earlier.was_unknown and later.approved_s < earlier.done_s:
                    assert earlier.told_s <= self.begun_s[second.key], f"{second.what}: not told"


@dataclass(frozen=True)
class Template:
    """A database with one call that was just admitted."""

    file: Path
    keys: keys.KeyRing
    call_id: str


def make_template(folder: Path) -> Template:
    """Make it, in a loop of its own."""
    file = folder / "template.db"
    url = f"sqlite+aiosqlite:///{file}"
    ring = keys.ensure(folder / "keys.yaml")

    async def make() -> str:
        await prepare(url)
        record = Record(Database(url), ring, Clock())
        try:
            return await requested(record)
        finally:
            await record.close()

    return Template(file, ring, asyncio.run(make()))


def run(template: Template, steps: list[Step]) -> None:
    """A call in which *steps* happen."""
    file = template.file.with_name("call.db")
    shutil.copy(template.file, file)

    async def live() -> None:
        call = TroubledCall(file, template.keys, template.call_id)
        try:
            await call.next_agent(1)
            for step in steps:
                if call.over and step[0] != "wait":
                    continue
                await call.take(step)
                call.check()
            await call.finish()
        except Exception as error:
            error.add_note(f"in the call of {steps}")
            raise
        finally:
            for agent in call.agents:
                if not agent.dead:
                    await agent.die()
            await call.office.close()
            call.looking.close()

    with pytest.MonkeyPatch.context() as patch, database_time() as runner:
        patch.setattr(writer, "QUEUE_MAX", QUEUE_MAX)
        patch.setattr(backends, "AT_ONCE", AT_ONCE)
        runner.run(live())
