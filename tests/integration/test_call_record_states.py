"""Whatever agents, supervisors and crashes do to a call, in any order, its record stays true."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from call_record import calls, journal, keys
from call_record.calls import Claim, Renewal, Seen
from call_record.database import DATABASE_DOWN, Database
from call_record.journal import Head, StaleAttempt
from call_record.record import Record
from call_record.verification import Verdict, verify
from tests.support.calls import fence, requested, the_call
from tests.support.faults import LOST_ANSWER, FaultPoint, Faults
from voice_contract.journal import UserTurn

JOBS = ("job-1", "job-2", "job-3")
FAULT_POINTS = st.none() | st.integers(0, 6) | st.just(LOST_ANSWER)
BACK = st.integers(0, 2)
"""How many attempts an actor is behind: 0 is current."""


@dataclass(frozen=True)
class Model:
    """What the call should be."""

    state: str = "requested"
    attempt: int = 1
    owner: str | None = None
    renewals: int = 0
    entries: int = 1

    @property
    def seen(self) -> Seen:
        return Seen(self.attempt, self.owner, self.renewals)

    def claim(self, attempt: int, owner: str) -> tuple["Model", Claim]:
        if attempt != self.attempt:
            return self, Claim.STALE
        if self.state in ("ending", "ended"):
            return self, Claim.OVER
        if self.owner == owner:
            return self, Claim.CLAIMED
        if self.owner is not None or self.renewals:
            return self, Claim.TAKEN
        after = replace(self, state="live", owner=owner, renewals=1, entries=self.entries + 1)
        return after, Claim.CLAIMED

    def holds(self, attempt: int, owner: str) -> bool:
        return (attempt, owner) == (self.attempt, self.owner) and self.state in ("live", "ending")

    def renew(self, attempt: int, owner: str) -> tuple["Model", Renewal]:
        if not self.holds(attempt, owner):
            return self, Renewal.LOST
        answer = Renewal.ENDING if self.state == "ending" else Renewal.RENEWED
        return replace(self, renewals=self.renewals + 1), answer

    def give_back(self, attempt: int, owner: str) -> tuple["Model", bool]:
        if not self.holds(attempt, owner):
            return self, False
        return replace(self, owner=None, renewals=self.renewals + 1), True

    def raise_attempt(self, seen: Seen) -> tuple["Model", int | None]:
        if seen != self.seen or self.state not in ("requested", "live"):
            return self, None
        after = replace(self, attempt=self.attempt + 1, owner=None, renewals=0)
        return after, after.attempt

    def append(self, attempt: int | None, count: int) -> tuple["Model", str]:
        if self.state == "ended":
            return self, "ended"
        if attempt not in (None, self.attempt):
            return self, "attempt"
        return replace(self, entries=self.entries + count), "stored"

    def end(self) -> tuple["Model", bool]:
        if self.state != "live":
            return self, False
        return replace(self, state="ending", entries=self.entries + 1), True

    def seal(self, attempt: int | None) -> tuple["Model", str]:
        after, answer = self.append(attempt, 1)
        if answer == "stored" and self.state == "live":
            return self, "live"
        return (replace(after, state="ended"), answer) if answer == "stored" else (self, answer)


@dataclass
class World:
    """A database and the event loop that its connections live in."""

    runner: asyncio.Runner
    record: Record
    faults: Faults = field(init=False)

    def __post_init__(self) -> None:
        self.faults = Faults(self.record.database)


class CallMachine(RuleBasedStateMachine):
    """One call, many actors. Each step may break at any statement, or lose its commit's answer."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.call_id = self.run(requested(self.world.record))
        self.model = Model()
        self.seen = [self.model.seen]
        self.heads = [self.run(self.head())]

    def run(self, work: Any) -> Any:
        return self.world.runner.run(work)

    async def head(self) -> Head:
        head = await journal.head(self.world.record, self.call_id)
        assert head is not None
        return head

    def step(self, point: FaultPoint | None, work: Any, expected: tuple[Model, Any]) -> None:
        """Do *work*; it has its full effect or none, and none of it halfway."""
        before, (after, answer) = self.model, expected
        with self.world.faults.at(point):
            try:
                assert self.run(work) == answer
                self.model = after
            except DATABASE_DOWN:
                self.model = after if self.observed() == after else before
                if point == LOST_ANSWER:
                    assert self.model == after
        assert self.observed() == self.model
        if self.model.seen not in self.seen:
            self.seen.append(self.model.seen)
        self.heads.append(self.run(self.head()))

    def observed(self) -> Model:
        call = self.run(the_call(self.world.record, self.call_id))
        return Model(call.state.value, call.attempt, call.owner, call.renewals, call.head_seq)

    def attempt(self, back: int) -> int:
        return max(1, self.model.attempt - back)

    @rule(back=BACK, owner=st.sampled_from(JOBS), point=FAULT_POINTS)
    def claim(self, back: int, owner: str, point: FaultPoint | None) -> None:
        attempt = self.attempt(back)
        work = calls.claim(self.world.record, self.call_id, attempt, owner, "worker")
        self.step(point, work, self.model.claim(attempt, owner))

    @rule(back=BACK, owner=st.sampled_from(JOBS), point=FAULT_POINTS)
    def renew(self, back: int, owner: str, point: FaultPoint | None) -> None:
        attempt = self.attempt(back)
        work = calls.renew(self.world.record, self.call_id, attempt, owner)
        self.step(point, work, self.model.renew(attempt, owner))

    @rule(back=BACK, owner=st.sampled_from(JOBS), point=FAULT_POINTS)
    def give_back(self, back: int, owner: str, point: FaultPoint | None) -> None:
        attempt = self.attempt(back)
        work = calls.give_back(self.world.record, self.call_id, attempt, owner)
        self.step(point, work, self.model.give_back(attempt, owner))

    @rule(age=st.integers(0, 2), point=FAULT_POINTS)
    def raise_attempt(self, age: int, point: FaultPoint | None) -> None:
        seen = self.seen[max(-len(self.seen), -1 - age)]
        work = fence(self.world.record, self.call_id, seen)
        self.step(point, work, self.model.raise_attempt(seen))

    @rule(back=BACK, agent=st.booleans(), count=st.integers(1, 3), point=FAULT_POINTS)
    def append(self, back: int, agent: bool, count: int, point: FaultPoint | None) -> None:
        attempt = self.attempt(back) if agent else None
        work = answered(
            journal.append(self.world.record, self.call_id, attempt, [UserTurn(text="x")] * count)
        )
        self.step(point, work, self.model.append(attempt, count))

    @rule(age=st.integers(0, 2), count=st.integers(1, 3), point=FAULT_POINTS)
    def append_from_a_remembered_head(self, age: int, count: int, point: FaultPoint | None) -> None:
        """As the writer does, whose idea of the journal's end may be old."""
        known = self.heads[max(-len(self.heads), -1 - age)]
        drafts = [journal.draft(UserTurn(text="x"), 1) for _ in range(count)]
        expected = self.model.append(known.attempt, count)

        async def work() -> Head:
            record = self.world.record
            async with record.database.writing() as connection:
                return await journal.append_in(
                    connection, record.keys, self.call_id, known.attempt, drafts, known
                )

        self.step(point, answered(work()), expected)
        if self.model == expected[0] and expected[1] == "stored":
            # Whether or not its answer was lost: doing it again changes nothing.
            self.step(None, answered(work()), (self.model, "stored"))

    @rule(point=FAULT_POINTS)
    def end(self, point: FaultPoint | None) -> None:
        self.step(point, calls.end(self.world.record, self.call_id, "x"), self.model.end())

    @rule(back=BACK, agent=st.booleans(), point=FAULT_POINTS)
    def seal(self, back: int, agent: bool, point: FaultPoint | None) -> None:
        attempt = self.attempt(back) if agent else None
        work = answered(journal.seal(self.world.record, self.call_id, attempt, "x"))
        self.step(point, work, self.model.seal(attempt))

    @rule(acts=st.lists(st.integers(0, 6), min_size=2, max_size=5))
    def race(self, acts: list[int]) -> None:
        """Several side by side, each in a connection of its own."""
        self.run(self.racing(acts))
        after = self.observed()
        if self.model.state == "ended":
            assert after == self.model
        self.model = after
        self.seen.append(after.seen)

    async def racing(self, acts: list[int]) -> None:
        record, call_id, model = self.world.record, self.call_id, self.model
        text = [UserTurn(text="raced")]
        made: list[Callable[[int], Awaitable[Any]]] = [
            lambda n: calls.claim(
                record, call_id, model.attempt, f"racer-{model.entries}-{n}", "worker"
            ),
            lambda n: calls.renew(record, call_id, model.attempt, JOBS[n % 3]),
            lambda n: fence(record, call_id, model.seen),
            lambda n: answered(journal.append(record, call_id, model.attempt, text)),
            lambda n: answered(journal.append(record, call_id, None, text)),
            lambda n: calls.end(record, call_id, "x"),
            lambda n: answered(journal.seal(record, call_id, model.attempt, "x")),
        ]
        answers = await asyncio.gather(*(made[act](n) for n, act in enumerate(acts)))
        done = list(zip(acts, answers, strict=True))
        claimed = [answer for act, answer in done if act == 0 and answer is Claim.CLAIMED]
        raised = [answer for act, answer in done if act == 2 and answer is not None]
        assert len(claimed) <= 1 and len(raised) <= 1
        added = sum(act in (3, 4, 6) and answer == "stored" for act, answer in done)
        added += len(claimed) + sum(act == 5 and answer is True for act, answer in done)
        assert (await the_call(record, call_id)).head_seq == model.entries + added

    @invariant()
    def chain_verifies_without_a_gap(self) -> None:
        if not hasattr(self, "model"):
            return
        finding = self.run(verify(self.world.record, self.call_id))
        assert (finding.verdict, finding.entries) == (Verdict.INTACT, self.model.entries)


async def answered(appending: Awaitable[Head]) -> str:
    """`stored`, or why not."""
    try:
        await appending
    except StaleAttempt as stale:
        return stale.reason
    return "stored"


def prove(url: str, folder: Path, *, examples: int, steps: int) -> None:
    """Run the machine on that database."""
    with asyncio.Runner() as runner:
        record = Record(Database(url), keys.ensure(folder / "keys.yaml"))

        class Machine(CallMachine):
            world = World(runner, record)

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        runner.run(record.close())


def test_record_stays_true_whatever_its_actors_do(database_url: str, tmp_path: Path) -> None:
    """One owner, gapless order, a chain that verifies, nothing after the seal."""
    prove(database_url, tmp_path, examples=15, steps=20)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_record_stays_true_for_longer(database_url: str, tmp_path: Path) -> None:
    """The same, many times as often."""
    prove(database_url, tmp_path, examples=200, steps=40)
