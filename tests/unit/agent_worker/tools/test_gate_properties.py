"""
Whatever is proposed, voted, repeated, delayed, or lost with an agent: what the gate promises holds.

- No confirmed tool has more effects than it has approvals.
- One key never stands for two effects, and a key's effect happens once where the backend honours
  it, at most once where it does not.
- What runs is what was asked.
- A wish in a later turn is a new effect, once the one before is done.
"""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from livekit.agents.llm import ToolError

from agent_worker.metrics import Metrics
from agent_worker.tools.confirmations import CallersPage
from agent_worker.tools.gate import Gate
from agent_worker.tools.invocations import Invocation, Proposal
from agent_worker.tools.journal import MemoryJournal
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.restore import restore
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.tools.tool import (
    Answer,
    BackendUnavailable,
    Caller,
    IdempotencyKey,
    ToolRefused,
    tool,
)
from call_record.journal import Recorded
from tests.support.calls import FakeClock
from tests.support.gate_scene import TestLease
from tests.support.virtual_time import VirtualTimeLoop
from voice_contract.confirmations import ConfirmationVote
from voice_contract.journal import (
    ConfirmationAnswered,
    ConfirmationAsked,
    Entry,
    ToolStarted,
)

MOODS = ("away", "refuses", "loses the answer", "hangs", "works")
MOSTLY = st.sampled_from([True, True, True, True, False])
PROPOSE = st.tuples(st.just("propose"), st.sampled_from(["pay", "send", "note"]), st.integers(1, 2))
TURN = st.tuples(st.just("turn"))
MOOD = st.tuples(st.just("backend"), st.sampled_from(MOODS))
VOTE = st.tuples(st.just("vote"), st.sampled_from([0, 0, 0, 1, 2]), MOSTLY, MOSTLY)
STEPS = st.one_of(
    PROPOSE,
    PROPOSE,
    PROPOSE,
    VOTE,
    VOTE,
    TURN,
    TURN,
    st.tuples(st.just("say"), st.sampled_from(["yes", "no", "what?"])),
    st.tuples(st.just("expire")),
    MOOD,
    MOOD,
    st.tuples(st.just("lease"), MOSTLY),
    st.tuples(st.just("crash"), st.booleans()),
    st.tuples(st.just("settle")),
)
Step = tuple[Any, ...]


class Backend:
    """A ledger: what it did, by key; it honours keys where the tool says so."""

    def __init__(self) -> None:
        self.mood = "works"
        self.effects: list[tuple[str, str, int]] = []
        """Key, tool and number of each effect."""
        self.sent: dict[str, set[tuple[str, int]]] = {}
        """What was ever sent with a key."""
        self.doubtful: set[tuple[str, int]] = set()
        """What the gate cannot know to be done, and must not do again."""
        self.repeated: list[tuple[str, int]] = []

    async def do(self, key: str, what: str, number: int, *, honours: bool) -> None:
        """One request."""
        self.sent.setdefault(key, set()).add((what, number))
        if self.mood == "away":
            raise BackendUnavailable(retry_after_s=99)
        if self.mood == "refuses":
            raise ToolRefused("No.")
        if (what, number) in self.doubtful:
            self.repeated.append((what, number))
        if not (honours and any(done == key for done, _, _ in self.effects)):
            self.effects.append((key, what, number))
        if not honours and self.mood != "works":
            self.doubtful.add((what, number))
        if self.mood == "loses the answer":
            raise ConnectionError
        if self.mood == "hangs":
            await asyncio.Event().wait()


@tool(effect="write", confirm="Pay {number}?", max_per_call=99)
async def pay(number: int, *, backend: Backend, key: IdempotencyKey) -> Answer:
    """Pay; not idempotent."""
    await backend.do(key, "pay", number, honours=False)
    return Answer(say="Paid.")


@tool(effect="write", confirm="Send {number}?", idempotent=True, max_per_call=99)
async def send(number: int, *, backend: Backend, key: IdempotencyKey) -> Answer:
    """Send; idempotent."""
    await backend.do(key, "send", number, honours=True)
    return Answer(say="Sent.")


@tool(effect="write", max_per_call=99)
async def note(number: int, *, backend: Backend, key: IdempotencyKey) -> Answer:
    """Note; not confirmed."""
    await backend.do(key, "note", number, honours=False)
    return Answer(say="Noted.")


class LossyJournal(MemoryJournal):
    """What is written behind may be lost with the process, what is before a write ahead not."""

    def __init__(self) -> None:
        super().__init__()
        self.durable = 0

    async def write_ahead(self, entry: Entry) -> None:
        await super().write_ahead(entry)
        self.durable = len(self.entries)


class World:
    """A call over one agent after another."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.backend = Backend()
        self.journal = LossyJournal()
        self.turn = 1
        self.open()

    def open(self) -> None:
        """An agent comes; if there was one before, from its journal."""
        self.lease = TestLease()
        self.gate = Gate(
            caller=Caller("caller", "call"),
            tools=(pay, send, note),
            resources=(self.backend,),
            journal=self.journal,
            lease=self.lease,
            metrics=Metrics(None),
            secret=b"key of the call",
            page=CallersPage(has_cards=True),
            clock=self.clock,
            settle_s=0.0,
            call_max=999,
        )
        self.questions = self.gate.questions
        before = list(self.journal.entries)
        at_ms = self.clock.now_ms()
        restore(
            self.gate,
            ResultDelivery(GatePhrases()),
            self.journal,
            [Recorded(i, at_ms, 1, one.kind, one, b"") for i, one in enumerate(before)],
        )

    async def take(self, step: Step) -> None:
        """Let one thing happen."""
        match step:
            case ("propose", name, number):
                await self.propose(name, number)
            case ("turn",):
                self.turn += 1
            case ("vote", index, approved, honest):
                self.vote(index, approved, honest)
            case ("say", text):
                self.turn += 1
                self.gate.hear(text, self.gate.floor.spoken(str(self.turn)), "voice")
            case ("expire",):
                self.clock.seconds += 31
                self.questions.expire()
            case ("backend", mood):
                self.backend.mood = mood
                self.clock.seconds += 11  # an open breaker would hide what is tested here
            case ("lease", ours):
                self.lease.ours = ours
            case ("crash", lossy):
                await self.crash(lossy)
            case _:
                await asyncio.sleep(0.002)

    async def propose(self, name: str, number: int) -> None:
        try:
            invocation = self.gate.propose(
                Proposal(name, {"number": number}, function_call_id="c", turn_id=str(self.turn))
            )
        except ToolError:
            return
        await asyncio.sleep(0)
        if name == "note" and invocation.task is not None:
            await asyncio.sleep(0.002)

    def vote(self, index: int, approved: bool, honest: bool) -> None:
        asked = [one for one in self.journal.entries if isinstance(one, ConfirmationAsked)]
        if not asked:
            return
        one = asked[-1 - index % len(asked)]
        digest = one.digest if honest else "0" * 64
        vote = ConfirmationVote(id=one.confirmation_id, digest=digest, approved=approved)
        self.questions.vote(vote, "screen", "caller")

    async def crash(self, lossy: bool) -> None:
        """The agent dies: what is durable stays, what it was about to do does not happen."""
        dead, self.journal = self.journal, LossyJournal()
        self.journal.entries = dead.entries[: dead.durable if lossy else None]
        self.journal.durable = len(self.journal.entries)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)
        self.open()

    def check(self) -> None:
        """What must hold at any time."""
        entries = self.journal.entries
        approvals = sum(
            1 for one in entries if isinstance(one, ConfirmationAnswered) and one.approved
        )
        confirmed = [one for one in self.backend.effects if one[1] in ("pay", "send")]
        assert len(confirmed) <= approvals
        assert self.backend.repeated == [], "an unknown outcome was repeated"
        keys = [key for key, _, _ in self.backend.effects]
        assert len(set(keys)) == len(keys), "a key's effect happened twice"
        assert all(len(what) == 1 for what in self.backend.sent.values()), "one key, two meanings"
        started = {
            (one.idempotency_key, one.tool, one.arguments["number"])
            for one in entries
            if isinstance(one, ToolStarted)
        }
        assert set(self.backend.effects) <= started, "an effect that is not on record"
        asked = {
            (one.tool, one.arguments["number"])
            for one in entries
            if isinstance(one, ConfirmationAsked)
        }
        assert {(what, number) for _, what, number in confirmed} <= asked


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=20, max_size=40))
def test_gate_keeps_its_promises_whatever_happens(steps: list[Step]) -> None:
    """Any sequence of propose, vote, expire, retry, duplicate, lost lease and crash."""

    async def run() -> None:
        world = World()
        for step in steps:
            await world.take(step)
            world.check()
        await asyncio.sleep(0.005)
        world.check()
        world.gate.close()
        await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=6), st.integers(1, 3))
def test_each_wish_in_a_turn_of_its_own_is_one_effect(numbers: list[int], repeats: int) -> None:
    """However often the model repeats it within the turn, and whatever was wished before."""

    async def run() -> None:
        world = World()
        for number in numbers:
            world.turn += 1
            invocations: list[Invocation] = []
            for _ in range(repeats):
                proposal = Proposal("note", {"number": number}, "c", turn_id=str(world.turn))
                invocations.append(world.gate.propose(proposal))
            assert invocations[0].task is not None
            await invocations[0].task
            assert all(invocation is invocations[0] for invocation in invocations)
        assert [number for _, _, number in world.backend.effects] == numbers
        world.check()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())
