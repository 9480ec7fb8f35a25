"""
Whatever is asked, said, shown, clicked, replaced or lost with an agent: to what a yes belongs.

No yes that is said or typed approves a question that was asked after the yes began, that the caller
neither heard nor was shown before, or after which something else was asked, by the agent, or by the
caller and not answered yet; and no spoken one that may hold the agent's own sound.
"""

import asyncio
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent_worker.metrics import Metrics
from agent_worker.tools.confirmations import CallersPage
from agent_worker.tools.floor import Turn
from agent_worker.tools.gate import Gate
from agent_worker.tools.invocations import Proposal
from agent_worker.tools.journal import MemoryJournal
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.restore import restore
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.tools.tool import Answer, Caller, tool
from call_record.journal import Recorded
from tests.support.calls import FakeClock
from tests.support.gate_scene import TestLease
from tests.support.virtual_time import VirtualTimeLoop
from voice_contract.confirmations import ConfirmationVote
from voice_contract.journal import (
    ConfirmationAnswered,
    ConfirmationAsked,
    ConfirmationExpired,
    ToolStarted,
)

ECHO_S = 0.15
"""How much later the agent's own sound comes back."""
SECONDS = st.sampled_from([0.05, 0.1, 0.3, 1.0, 3.0])
WHICH = st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(st.just("propose"), st.sampled_from(["pay", "send"]), st.integers(1, 3)),
    st.tuples(st.just("propose"), st.sampled_from(["pay", "send"]), st.integers(1, 3)),
    st.tuples(st.just("turn")),
    st.tuples(st.just("agent begins")),
    st.tuples(st.just("agent asks"), WHICH),
    st.tuples(st.just("agent asks"), WHICH),
    st.tuples(st.just("agent asks something else")),
    st.tuples(st.just("agent is cut off"), WHICH),
    st.tuples(st.just("agent tells")),
    st.tuples(st.just("page shows"), WHICH),
    st.tuples(st.just("page goes")),
    st.tuples(st.just("vote"), WHICH, st.booleans()),
    st.tuples(st.just("begins")),
    st.tuples(st.just("begins")),
    st.tuples(st.just("answers"), st.sampled_from(["yes", "yes", "okay", "no"]), st.booleans()),
    st.tuples(st.just("answers"), st.just("yes"), st.booleans()),
    st.tuples(st.just("answers"), st.just("make it eleven"), st.booleans()),
    st.tuples(st.just("wait"), SECONDS),
    st.tuples(st.just("wait"), SECONDS),
    st.tuples(st.just("crash")),
)


@tool(effect="write", confirm="Pay {number}?", max_per_call=99)
async def pay(number: int, purpose: str = "rent") -> Answer:
    """Pay."""
    return Answer(say="Paid.")


@tool(effect="write", confirm="Send {number}?", max_per_call=99)
async def send(number: int) -> Answer:
    """Send."""
    return Answer(say="Sent.")


class World:
    """A call, and its own account of what the caller could know."""

    def __init__(self, has_cards: bool) -> None:
        self.clock = FakeClock()
        self.journal = MemoryJournal()
        self.page = CallersPage(has_cards=has_cards)
        self.turn = 1
        self.began_s: float | None = None
        self.asked_at_s: dict[str, float] = {}
        self.known_at_s: dict[str, float] = {}
        self.heard_all_at_s: dict[str, float] = {}
        self.last: str | None = None
        self.wished_at_s = 0.0
        self.sounds: list[list[float]] = []
        self.sounding = False
        self.aloud = 0
        self.open()

    def open(self) -> None:
        """An agent comes."""
        self.gate = Gate(
            caller=Caller("caller", "call"),
            tools=(pay, send),
            resources=(),
            journal=self.journal,
            lease=TestLease(),
            metrics=Metrics(None),
            secret=b"key of the call",
            page=self.page,
            clock=self.clock,
            settle_s=0.0,
            call_max=9_999,
        )
        at_ms = self.clock.now_ms()
        before = list(self.journal.entries)
        restore(
            self.gate,
            ResultDelivery(GatePhrases()),
            self.journal,
            [Recorded(i, at_ms, 1, one.kind, one, b"") for i, one in enumerate(before)],
        )

    async def take(self, step: tuple[Any, ...]) -> None:
        """Let one thing happen."""
        self.clock.seconds += 0.01
        now_s = self.clock.boot_s()
        pending = self.gate.questions.open
        match step:
            case ("propose", name, number):
                await self.propose(name, number)
            case ("turn",):
                self.turn += 1
                self.gate.turn_began(str(self.turn))
            case ("agent begins",):
                self.sound(True)
            case ("agent asks", which) if pending:
                question = pending[which % len(pending)]
                self.speak(question.wording)
                heard_at_s = self.clock.boot_s()
                self.known_at_s.setdefault(question.id, heard_at_s)
                if question.wording == question.full:
                    self.heard_all_at_s.setdefault(question.id, heard_at_s)
                self.last = question.id
            case ("agent is cut off", which) if pending:
                question = pending[which % len(pending)]
                self.speak(question.wording[:-2], interrupted=True)
                self.last = question.id
            case ("agent asks something else",):
                self.speak("So eleven instead?")
                self.last = None
            case ("agent tells",):
                self.speak("It is on its way.")
            case ("page shows", which) if pending and self.page.has_cards:
                question = pending[which % len(pending)]
                self.gate.questions.acknowledge([question.id])
                self.known_at_s.setdefault(question.id, now_s)
            case ("page goes",):
                self.gate.questions.forget_page()
                # Of what was heard beside a card, the rest was only shown.
                self.known_at_s = dict(self.heard_all_at_s)
            case ("vote", which, approved) if pending:
                question = pending[which % len(pending)]
                vote = ConfirmationVote(id=question.id, digest=question.digest, approved=approved)
                self.gate.questions.vote(vote, "screen", "caller")
            case ("begins",):
                self.began_s = self.began_s or now_s
            case ("answers", text, spoken) if self.began_s is not None:
                self.answer(text, self.began_s, spoken)
                self.began_s = None
            case ("wait", seconds):
                self.clock.seconds += seconds
            case ("crash",):
                await self.crash()
        await asyncio.sleep(0)

    async def propose(self, name: str, number: int) -> None:
        before = {one.id for one in self.gate.questions.open}
        proposal = Proposal(name, {"number": number}, f"c{self.turn}", turn_id=str(self.turn))
        try:
            self.gate.propose(proposal)
        except Exception as refused:
            assert type(refused).__name__ == "ToolError", refused
            return
        await asyncio.sleep(0.001)
        for question in self.gate.questions.open:
            if question.id not in before:
                self.asked_at_s[question.id] = self.clock.boot_s()
                self.last = question.id

    def sound(self, sounds: bool) -> None:
        now_s = self.clock.boot_s()
        self.gate.floor.agent_sounds(sounds)
        if sounds and not self.sounding:
            self.sounds.append([now_s, float("inf")])
        elif not sounds and self.sounding:
            self.sounds[-1][1] = now_s
        self.sounding = sounds

    def speak(self, text: str, *, interrupted: bool = False) -> None:
        self.sound(True)
        self.clock.seconds += 0.5
        self.gate.said(text, interrupted=interrupted)
        if not interrupted:
            self.wished_at_s = 0.0
        self.sound(False)

    def answer(self, text: str, began_s: float, spoken: bool) -> None:
        self.turn += 1
        now_s = self.clock.boot_s()
        turn = Turn(str(self.turn), began_s, now_s)
        before = len(self.journal.entries)
        self.gate.hear(text, turn, "voice" if spoken else "text")
        if text == "make it eleven":
            self.wished_at_s = now_s
        for entry in self.journal.entries[before:]:
            if isinstance(entry, ConfirmationAnswered) and entry.approved:
                assert text in ("yes", "okay")
                self.aloud += 1
                question = entry.confirmation_id
                assert self.asked_at_s[question] <= began_s, "asked after the yes began"
                assert self.known_at_s[question] <= began_s, "neither heard nor shown before"
                assert self.last == question, "something else was asked last"
                wished_at_s = self.wished_at_s
                assert wished_at_s is None or wished_at_s < self.asked_at_s[question], (
                    "not answered"
                )
                assert not spoken or all(
                    ended_s + ECHO_S < began_s or sound_s >= now_s
                    for sound_s, ended_s in self.sounds
                ), "the agent's own sound"

    async def crash(self) -> None:
        """Another agent takes over; what was heard and shown is not on record."""
        dead, self.journal = self.journal, MemoryJournal()
        self.journal.entries = list(dead.entries)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)
        self.sound(False)
        self.open()
        self.known_at_s.clear()
        self.heard_all_at_s.clear()
        self.wished_at_s = 0.0
        pending = self.gate.questions.open
        for question in pending:
            self.asked_at_s[question.id] = self.clock.boot_s()
        self.last = pending[-1].id if pending else None

    def check(self) -> None:
        """What the journal must bear witness to, however many agents wrote it."""
        answers: dict[str, bool] = {}
        invocations: dict[str, str] = {}
        started: set[str] = set()
        replaced: set[str] = set()
        for entry in self.journal.entries:
            match entry:
                case ConfirmationAsked():
                    invocations[entry.confirmation_id] = entry.invocation_id
                case ConfirmationAnswered():
                    assert entry.confirmation_id not in answers | dict.fromkeys(replaced, False)
                    answers[entry.confirmation_id] = entry.approved
                case ConfirmationExpired():
                    assert entry.confirmation_id not in answers
                    replaced.add(entry.confirmation_id)
                case ToolStarted():
                    started.add(entry.invocation_id)
        approved = {invocations[one] for one, yes in answers.items() if yes}
        assert started <= approved, "begun without a yes"


def asked_and(*more: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """A question that was heard, and what follows."""
    return [("propose", "pay", 1), ("agent asks", 0), ("wait", 1.0), *more]


SAYS_YES: list[tuple[Any, ...]] = [("begins",), ("wait", 0.3), ("answers", "yes", True)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=25, max_size=60), st.booleans())
@example(asked_and(("begins",), ("answers", "make it eleven", True), *SAYS_YES), False)
def test_yes_belongs_to_its_question(steps: list[tuple[Any, ...]], has_cards: bool) -> None:
    """Any schedule of questions, sounds, cards, clicks, yeses and crashes."""

    async def run() -> None:
        world = World(has_cards)
        for step in steps:
            await world.take(step)
            world.check()
        world.gate.close()
        await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())


def test_yes_in_time_counts() -> None:
    """The schedules above reach approvals: else they would prove nothing."""

    async def run() -> int:
        world = World(has_cards=False)
        for step in asked_and(*SAYS_YES):
            await world.take(step)
        await asyncio.sleep(0.001)
        world.check()
        world.gate.close()
        return world.aloud

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(run()) == 1
