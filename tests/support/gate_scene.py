"""A gate for tests, and tools that do what a test wants."""

import asyncio
import itertools
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from agent_worker.metrics import Metrics
from agent_worker.tools.confirmations import CallersPage, Way
from agent_worker.tools.floor import Turn
from agent_worker.tools.gate import Gate, Heard
from agent_worker.tools.invocations import Invocation, Outcome, Proposal
from agent_worker.tools.journal import Journal, Lease, MemoryJournal
from agent_worker.tools.tool import Answer, Caller, IdempotencyKey, Tool, ToolRefused, tool
from call_record.clock import Clock
from tests.support.calls import FakeClock
from voice_contract.confirmations import ConfirmationState, ConfirmationVote

SECRET = "password=hunter2"
SECRET_KEY = b"of the call"
E = TypeVar("E")


class Probe:
    """What happens in the tools."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.keys: list[str] = []
        self.release = asyncio.Event()
        self.errors: list[Exception] = []
        """What the next runs raise, in order."""
        self.forbidden: set[int] = set()
        """The numbers that policy does not allow."""

    async def work(self, what: str, key: str = "") -> None:
        """Note that *what* was begun, and wait until the test lets it end."""
        self.events.append(what)
        if key:
            self.keys.append(key)
        if self.errors:
            raise self.errors.pop(0)
        await self.release.wait()


class TestLease:
    """A lease that tests take away."""

    __test__ = False

    def __init__(self) -> None:
        self.ours = True

    def may_act(self) -> bool:
        """Whether the test left it."""
        return self.ours


Number = Annotated[int, Field(ge=1, le=9)]


def allowed(number: int, *, probe: Probe) -> None:
    """Some numbers are not allowed."""
    if number in probe.forbidden:
        raise ToolRefused(f"Number {number} is not allowed.")


@tool(effect="write", policy=[allowed])
async def note(
    number: Number,
    kind: Literal["a", "b"] = "a",
    *,
    probe: Probe,
    caller: Caller,
    key: IdempotencyKey,
) -> Answer:
    """Note a number."""
    await probe.work(f"note {number} {kind} for {caller.identity}", key)
    return Answer(say="Noted.", data={"number": number})


@tool(effect="write", confirm="Pay {amount} euros?", policy=[allowed], backend="bank")
async def pay(amount: float, number: Number = 1, *, probe: Probe, key: IdempotencyKey) -> Answer:
    """Pay."""
    await probe.work(f"pay {amount:g} {number}", key)
    return Answer(say=f"Paid {amount:g} euros.")


@tool(effect="write", timeout_s=0.1)
async def slow(number: Number = 1, *, probe: Probe, key: IdempotencyKey) -> Answer:
    """Write slowly."""
    await probe.work(f"slow {number}", key)
    return Answer(say="At last.")


@tool(effect="write", timeout_s=0.5, idempotent=True, confirm="Send it?", max_per_call=3)
async def send(number: Number = 1, *, probe: Probe, key: IdempotencyKey) -> Answer:
    """Send, so that sending again does nothing new."""
    await probe.work(f"send {number}", key)
    return Answer(say="Sent.")


@tool(effect="write", timeout_s=0.2, idempotent=True)
async def push(number: Number = 1, *, probe: Probe, key: IdempotencyKey) -> Answer:
    """Push, so that pushing again does nothing new."""
    await probe.work(f"push {number}", key)
    return Answer(say="Pushed.")


@tool(effect="read", timeout_s=0.1, max_per_call=4, backend="library")
async def look(number: Number = 1, *, probe: Probe) -> Answer:
    """Look."""
    await probe.work(f"look {number}")
    return Answer(say="Seen.")


TOOLS = (note, pay, slow, send, push, look)


class Scene:
    """A gate, and all that a test changes around it."""

    def __init__(
        self,
        *,
        tools: Iterable[Tool] = TOOLS,
        journal: Journal | None = None,
        lease: Lease | None = None,
        metrics: Metrics | None = None,
        clock: Clock | None = None,
        call_id: str = "call-1",
        settle_s: float = 0.0,
        **options: Any,
    ) -> None:
        self.probe = Probe()
        self.probe.release.set()
        self.memory = MemoryJournal()
        self.lease = TestLease()
        self.turning = FakeClock()
        self.turn_id = "turn-1"
        self.page = CallersPage(has_cards=True)
        self.tools = {tool.name: tool for tool in tools}
        self.gate = Gate(
            caller=Caller("caller-1", call_id, "tenant-1"),
            tools=self.tools.values(),
            resources=(self.probe,),
            journal=journal or self.memory,
            lease=lease or self.lease,
            metrics=metrics or Metrics(None),
            page=self.page,
            clock=clock or self.turning,
            settle_s=settle_s,
            secret=SECRET_KEY,
            **options,
        )
        self.questions = self.gate.questions
        self._numbers = itertools.count(1)

    def propose(
        self, name: str, raw: Mapping[str, object] | None = None, **changes: Any
    ) -> Invocation:
        """Propose an invocation in the present turn."""
        fields: dict[str, Any] = {
            "name": name,
            "raw": raw or {},
            "function_call_id": f"fnc-{next(self._numbers)}",
            "turn_id": self.turn_id,
        }
        return self.gate.propose(Proposal(**(fields | changes)))

    async def call(
        self, name: str, raw: Mapping[str, object] | None = None, **changes: Any
    ) -> Outcome:
        """Propose an invocation and wait for its outcome."""
        return await outcome(self.propose(name, raw, **changes))

    def vote(
        self, invocation: Invocation, approved: bool, *, digest: str | None = None
    ) -> ConfirmationState:
        """The caller's vote on the card of *invocation*."""
        assert invocation.question is not None
        vote = ConfirmationVote(
            id=invocation.question.id,
            digest=digest or invocation.full_digest,
            approved=approved,
        )
        return self.questions.vote(vote, "screen", "caller-1").state

    def hear(self, text: str, turn_id: str, by: Way = "voice") -> Heard | None:
        """The caller says *text*, having begun and ended now."""
        now_s = self.turning.boot_s()
        return self.gate.hear(text, Turn(turn_id, now_s, now_s), by)

    def wrote(self, kind: type[E]) -> list[E]:
        """The journal's entries of that kind."""
        return [entry for entry in self.memory.entries if isinstance(entry, kind)]

    @property
    def kinds(self) -> list[str]:
        """The kinds of all entries."""
        return [entry.kind for entry in self.memory.entries]


async def outcome(invocation: Invocation) -> Outcome:
    """What becomes of *invocation*, within 5 s."""
    assert invocation.task is not None
    return await asyncio.wait_for(asyncio.shield(invocation.task), 5)


async def asked(invocation: Invocation) -> Invocation:
    """*invocation*, when its question is open."""
    await asyncio.wait_for(invocation.asked.wait(), 5)
    return invocation
