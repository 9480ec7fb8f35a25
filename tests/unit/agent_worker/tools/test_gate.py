"""The gate: what is let through, what once means, what is on record."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import structlog
from livekit.agents.llm import ToolError
from prometheus_client import REGISTRY

from agent_worker.metrics import Metrics, MetricsReceiver
from agent_worker.tools.budget import TURN_MAX
from agent_worker.tools.events import GateEvents
from agent_worker.tools.floor import Turn
from agent_worker.tools.gate import CLOSE_S, Heard
from agent_worker.tools.invocations import Invocation
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.tool import Answer, BackendUnavailable, ToolRefused, make_rule, tool
from tests.support.gate_scene import SECRET, Probe, Scene, asked, note, outcome, pay
from tests.support.local_stack import until
from voice_contract.journal import (
    BudgetEvent,
    ConfirmationAnswered,
    ConfirmationAsked,
    ConfirmationExpired,
    ToolFailed,
    ToolFinished,
    ToolProposed,
    ToolStarted,
    ToolUnknown,
)
from voice_contract.journal import ToolRefused as RefusedEntry

pytestmark = pytest.mark.usefixtures("virtual_time")

SAYS = GatePhrases()


@pytest.fixture
async def scene() -> Scene:
    return Scene()


@pytest.fixture
def log() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


async def test_write_is_on_record_from_proposal_to_result(scene: Scene) -> None:
    """Each step with the same id, the start with key and canonical arguments, before the effect."""
    done = await scene.call("note", {"number": 3})
    assert (done.kind, done.say) == ("done", "Noted.")
    arguments = {"number": 3, "kind": "a"}
    assert scene.memory.entries == [
        ToolProposed(invocation_id="fnc-1", tool="note", arguments=arguments, turn_id="turn-1"),
        ToolStarted(
            invocation_id="fnc-1",
            tool="note",
            effect="write",
            arguments=arguments,
            idempotency_key=scene.probe.keys[0],
        ),
        ToolFinished(invocation_id="fnc-1", say="Noted.", data={"number": 3}),
    ]
    assert scene.probe.events == ["note 3 a for caller-1"]


async def test_confirmed_write_is_asked_approved_and_run_once(scene: Scene) -> None:
    """Nothing happens before the yes; then what was shown happens."""
    invocation = await asked(scene.propose("pay", {"amount": 15}))
    await asyncio.sleep(0.02)
    assert scene.probe.events == []
    (question,) = scene.questions.listing().pending
    assert question.title == "Pay 15 euros?"
    assert [(one.name, one.value) for one in question.arguments] == [
        ("amount", "15"),
        ("number", "1"),
    ]
    assert scene.vote(invocation, True) == "approved"
    assert (await outcome(invocation)).say == "Paid 15 euros."
    assert scene.probe.events == ["pay 15 1"]
    assert scene.kinds == [
        "tool.proposed",
        "confirmation.asked",
        "confirmation.answered",
        "tool.started",
        "tool.finished",
    ]
    (shown,) = scene.wrote(ConfirmationAsked)
    assert shown.digest == question.digest and shown.arguments == {"amount": 15.0, "number": 1}


async def test_declined_write_does_not_happen(scene: Scene) -> None:
    """The caller's no is an outcome, and on record."""
    invocation = await asked(scene.propose("pay", {"amount": 15}))
    assert scene.vote(invocation, False) == "declined"
    assert (await outcome(invocation)).kind == "declined"
    assert scene.probe.events == []
    assert scene.wrote(ConfirmationAnswered)[0].approved is False
    assert scene.wrote(RefusedEntry)[0].guard == "confirmation"


@pytest.mark.parametrize(
    ("changes", "say", "guard"),
    [
        ({"name": "hack"}, SAYS.not_offered, "allow-list"),
        ({"strict": False}, SAYS.malformed, "json"),
        ({"current": False}, SAYS.corrected, "transcript"),
        ({"raw": {"number": SECRET}}, "I did not get the number right.", "arguments"),
        ({"raw": {"number": "3"}}, "I did not get the number right.", "arguments"),
        ({"raw": {"number": 77}}, "I did not get the number right.", "arguments"),
        ({"raw": {}}, "I did not get the number right.", "arguments"),
        ({"raw": {"number": 1, "kind": SECRET}}, "I did not get the kind right.", "arguments"),
        (
            {"raw": {"number": SECRET, "kind": SECRET}},
            "I did not get the kind and the number right.",
            "arguments",
        ),
        ({"raw": {"number": 1, "caller": SECRET}}, "I did not get the caller right.", "arguments"),
        ({"raw": {"number": 1, "key": "x:1"}}, "I did not get the key right.", "arguments"),
        ({"raw": {"number": 1, "order_id": 1}}, "I did not get the order id right.", "arguments"),
        ({"raw": {"number": 1, "kind": "x" * 9000}}, "That is too long.", "arguments"),
    ],
)
async def test_proposal_that_is_not_admitted_is_refused_in_words(
    scene: Scene, log: list[Any], changes: dict[str, Any], say: str, guard: str
) -> None:
    """Unknown tools, malformed JSON, changed words, wrong arguments: no input is quoted."""
    with pytest.raises(ToolError) as refused:
        scene.propose(**({"name": "note", "raw": {"number": 1}} | changes))
    assert refused.value.message == say
    assert [entry.guard for entry in scene.wrote(RefusedEntry)] == [guard]
    assert scene.kinds == ["tool.proposed", "tool.refused"]
    assert scene.probe.events == []
    assert SECRET not in str(log) + str(scene.memory.entries)


async def test_policy_refuses_before_the_question_and_after_the_yes(scene: Scene) -> None:
    """What is forbidden is not even asked; what became forbidden meanwhile does not happen."""
    scene.probe.forbidden = {2}
    refused = await scene.call("pay", {"amount": 1, "number": 2})
    assert (refused.kind, refused.say) == ("refused", "Number 2 is not allowed.")
    assert scene.wrote(ConfirmationAsked) == []
    invocation = await asked(scene.propose("pay", {"amount": 1, "number": 3}))
    scene.probe.forbidden = {3}
    scene.vote(invocation, True)
    assert (await outcome(invocation)).say == "Number 3 is not allowed."
    assert scene.probe.events == []
    assert [entry.guard for entry in scene.wrote(RefusedEntry)] == ["policy", "policy"]


async def test_budget_of_a_tool_is_used_up_and_told(scene: Scene) -> None:
    """Refusals and duplicates cost nothing; what is over the budget does not run."""
    scene.probe.errors = [ToolRefused("No.")]
    for turn in range(1, 6):
        scene.turn_id = f"turn-{turn}"
        last = await scene.call("look")
    assert (last.kind, last.say) == ("refused", SAYS.too_often)
    assert len(scene.probe.events) == 4
    assert scene.wrote(BudgetEvent) == [BudgetEvent(budget="tool:look", used=4, limit=4)]


async def test_budget_of_the_call_counts_all_tools() -> None:
    """However many tools there are."""
    scene = Scene(call_max=2)
    await scene.call("note", {"number": 1})
    await scene.call("push")
    assert (await scene.call("look")).say == SAYS.too_often


async def test_many_proposals_in_one_turn_are_cut_off(scene: Scene) -> None:
    """A model may send any number in one reply; the next turn starts a new count."""
    for _ in range(TURN_MAX):
        with pytest.raises(ToolError):
            scene.propose("hack")
    written = len(scene.memory.entries)
    for _ in range(50):
        with pytest.raises(ToolError, match="any more"):
            scene.propose("note", {"number": 1})
    assert len(scene.memory.entries) == written + 1
    scene.turn_id = "turn-2"
    assert (await scene.call("note", {"number": 1})).kind == "done"


# -- once


async def test_same_call_three_times_in_a_turn_is_one_effect(scene: Scene) -> None:
    """While it runs, and after it is done; the arguments' spelling does not matter."""
    scene.probe.release.clear()
    invocations = [
        scene.propose("note", {"number": 3}),
        scene.propose("note", {"kind": "a", "number": 3}),
    ]
    scene.probe.release.set()
    await outcome(invocations[0])
    invocations.append(scene.propose("note", {"number": 3}))
    assert invocations[0] is invocations[1] is invocations[2]
    assert len(scene.probe.keys) == 1
    assert [entry.duplicate_of for entry in scene.wrote(ToolProposed)] == ["", "fnc-1", "fnc-1"]


async def test_same_call_in_a_later_turn_is_another_effect(scene: Scene) -> None:
    """A second wish is a second wish."""
    await scene.call("note", {"number": 3})
    scene.turn_id = "turn-2"
    await scene.call("note", {"number": 3})
    assert len(set(scene.probe.keys)) == 2


async def test_same_call_in_a_later_turn_joins_the_one_that_still_runs(scene: Scene) -> None:
    """A model that is asked "are you there?" proposes again what it waits for."""
    scene.probe.release.clear()
    first = scene.propose("note", {"number": 3})
    await asyncio.sleep(0.01)
    scene.turn_id = "turn-2"
    assert scene.propose("note", {"number": 3}) is first
    scene.probe.release.set()
    await outcome(first)
    assert scene.propose("note", {"number": 3}) is first
    scene.turn_id = "turn-3"
    assert scene.propose("note", {"number": 3}) is not first


async def test_same_question_while_it_is_open_is_one_question(scene: Scene) -> None:
    """Asked again in a later turn, there is still one card; after the yes a new wish is asked."""
    first = await asked(scene.propose("pay", {"amount": 5}))
    scene.turn_id = "turn-2"
    assert scene.propose("pay", {"amount": 5}) is first
    assert len(scene.questions.open) == 1
    scene.vote(first, True)
    await outcome(first)
    scene.turn_id = "turn-3"
    second = await asked(scene.propose("pay", {"amount": 5}))
    assert second is not first and second.question is not first.question
    scene.vote(second, True)
    await outcome(second)
    assert len(set(scene.probe.keys)) == 2


async def test_read_in_the_same_turn_is_read_again(scene: Scene) -> None:
    """It may have changed by what was done in between; only one in flight is shared."""
    first = await scene.call("look")
    assert await scene.call("look") is not first
    assert len(scene.probe.events) == 2


async def test_failure_is_not_kept(scene: Scene) -> None:
    """Proposed again in the same turn it is tried again, with the same key."""
    scene.probe.errors = [BackendUnavailable(), ToolRefused("Not today.")]
    assert (await scene.call("note", {"number": 1})).say == SAYS.away
    assert (await scene.call("note", {"number": 1})).say == "Not today."
    assert (await scene.call("note", {"number": 1})).kind == "done"
    assert len(scene.probe.keys) == 3 and len(set(scene.probe.keys)) == 1


async def test_unknown_outcome_is_never_repeated(scene: Scene) -> None:
    """Not in this turn and not in a later one: it may have been done."""
    scene.probe.errors = [RuntimeError(SECRET)]
    unknown = await scene.call("note", {"number": 1})
    assert (unknown.kind, unknown.say) == ("unknown", SAYS.unknown)
    assert await scene.call("note", {"number": 1}) is unknown
    scene.turn_id = "turn-2"
    again = await scene.call("note", {"number": 1})
    assert (again.kind, again.say) == ("refused", SAYS.not_again)
    assert len(scene.probe.events) == 1
    assert [entry.reason for entry in scene.wrote(ToolUnknown)] == ["RuntimeError"]
    assert (await scene.call("note", {"number": 2})).kind == "done"


async def test_ids_that_a_model_uses_twice_are_told_apart(scene: Scene) -> None:
    """The journal's ids are unique whatever a model sends."""
    for number in (1, 2, 3):
        await scene.call("note", {"number": number}, function_call_id="call_0")
    assert [one.invocation_id for one in scene.wrote(ToolStarted)] == [
        "call_0",
        "call_0~2",
        "call_0~3",
    ]


# -- time


async def test_slow_read_is_given_up(scene: Scene) -> None:
    """Reading has no effect, so it is stopped."""
    scene.probe.release.clear()
    slow = await scene.call("look")
    assert (slow.kind, slow.say) == ("timeout", SAYS.too_slow)
    assert scene.wrote(ToolFailed)[0].reason == "timeout"


async def test_slow_write_goes_on_is_unknown_and_its_late_result_is_on_record() -> None:
    """A write is never stopped midway; what came of it later is told."""
    told: list[tuple[str, bool]] = []

    class Told(GateEvents):
        def settled(self, invocation: Invocation) -> None:
            assert invocation.outcome is not None
            told.append((invocation.outcome.kind, invocation.late))

    scene = Scene(events=Told())
    scene.probe.release.clear()
    assert (await scene.call("slow")).kind == "unknown"
    scene.probe.release.set()
    await scene.gate.aclose()
    assert scene.kinds == ["tool.proposed", "tool.started", "tool.unknown", "tool.finished"]
    assert told == [("unknown", False), ("done", True)]


async def test_late_failure_of_a_write_is_on_record_and_quiet(scene: Scene) -> None:
    """It does not surface as an unretrieved exception, and stays unknown."""
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, problem: problems.append(problem))

    class Late(Exception):
        pass

    async def fail(what: str, key: str = "") -> None:
        await scene.probe.release.wait()
        raise Late(SECRET)

    scene.probe.release.clear()
    scene.probe.work = fail  # type: ignore[method-assign]
    assert (await scene.call("slow")).kind == "unknown"
    scene.probe.release.set()
    await scene.gate.aclose()
    assert [one.reason for one in scene.wrote(ToolUnknown)] == ["timeout"]
    assert problems == []


@pytest.mark.parametrize(("name", "kind"), [("note", "unknown"), ("look", "failed")])
async def test_tool_that_is_cancelled_from_within_has_an_outcome(
    scene: Scene, name: str, kind: str
) -> None:
    """A library of the tool's may cancel what the tool awaits; the gate did not."""

    async def cancelled(what: str, key: str = "") -> None:
        raise asyncio.CancelledError

    scene.probe.work = cancelled  # type: ignore[method-assign]
    assert (await scene.call(name, {"number": 1})).kind == kind
    assert scene.kinds[-1] == f"tool.{kind}"


async def test_write_that_could_not_begin_in_time_is_known_not_to_be_done(scene: Scene) -> None:
    """It waited for a permit of its backend; it leaves the queue and does not run later."""
    scene.probe.release.clear()
    busy = [scene.propose("slow", {"number": number}) for number in (1, 2, 3, 4)]
    fifth = await scene.call("slow", {"number": 5})
    assert (fifth.kind, fifth.say) == ("timeout", SAYS.too_slow)
    scene.probe.release.set()
    await asyncio.gather(*map(outcome, busy))
    await scene.gate.aclose()
    assert "slow 5" not in scene.probe.events


async def test_waiting_for_an_invocation_can_be_cancelled_without_harm(scene: Scene) -> None:
    """The invocation is the gate's own."""
    scene.probe.release.clear()
    invocation = scene.propose("note", {"number": 1})
    waiting = asyncio.create_task(outcome(invocation))
    await asyncio.sleep(0.01)
    waiting.cancel()
    scene.probe.release.set()
    assert (await outcome(invocation)).kind == "done"


async def test_unconfirmed_write_waits_whether_the_caller_goes_on() -> None:
    """Who goes on speaking had not finished: nothing is done; a read does not wait."""
    scene = Scene(settle_s=0.2)
    speaking = False
    invocation = scene.propose("note", {"number": 1}, unsettled=lambda: speaking)
    await asyncio.sleep(0.1)
    assert scene.probe.events == []
    speaking = True
    refused = await outcome(invocation)
    assert (refused.kind, refused.say) == ("refused", SAYS.went_on)
    assert scene.wrote(RefusedEntry)[0].guard == "settle"
    assert (await scene.call("look", unsettled=lambda: True)).kind == "done"
    assert scene.probe.events == ["look 1"]


async def test_result_with_data_that_is_no_json_is_done_all_the_same(scene: Scene) -> None:
    """The effect happened: that its data cannot be shown must not make it a failure."""

    async def odd(number: int, kind: str, *, probe: object, caller: object, key: str) -> Answer:
        return Answer(say="Noted.", data={"what": object()})

    scene = Scene(tools=[replace(note, run=odd)])
    done = await scene.call("note", {"number": 1})
    assert (done.kind, done.answer) == ("done", Answer(say="Noted."))
    assert scene.wrote(ToolFinished) == [ToolFinished(invocation_id="fnc-1", say="Noted.")]


async def test_result_that_is_too_large_for_the_journal_is_there_without_its_data(
    scene: Scene,
) -> None:
    """The words are kept, and the model gets it all."""

    async def much(number: int, kind: str, *, probe: object, caller: object, key: str) -> Answer:
        return Answer(say="Noted.", data={"what": "x" * 70_000})

    scene = Scene(tools=[replace(note, run=much)])
    done = await scene.call("note", {"number": 1})
    assert done.answer is not None and done.answer.data
    assert scene.wrote(ToolFinished) == [ToolFinished(invocation_id="fnc-1", say="Noted.")]


@pytest.mark.parametrize(
    ("error", "say"),
    [
        (BackendUnavailable(), SAYS.away),
        (RuntimeError(SECRET), SAYS.failed),
        (TimeoutError(), SAYS.failed),
    ],
)
async def test_policy_that_breaks_lets_nothing_through(
    scene: Scene, log: list[Any], error: Exception, say: str
) -> None:
    """What it would have said is not known."""

    def broken(number: int) -> None:
        """Break."""
        raise error

    guards = replace(note.guards, policy=(make_rule(broken),))
    scene = Scene(tools=[replace(note, guards=guards)])
    refused = await scene.call("note", {"number": 1})
    assert (refused.kind, refused.say) == ("refused", say)
    assert scene.probe.events == [] and SECRET not in str(log)


# -- whether it may act


async def test_without_lease_no_effect_begins(scene: Scene) -> None:
    """The call may be another agent's by now; reading is still allowed."""
    scene.lease.ours = False
    refused = await scene.call("note", {"number": 1})
    assert (refused.kind, refused.say) == ("not-begun", SAYS.not_now)
    assert (await scene.call("look")).kind == "done"
    assert scene.probe.events == ["look 1"]


async def test_without_journal_no_effect_begins(scene: Scene) -> None:
    """What could not be recorded does not happen."""
    scene.memory.healthy = False
    assert (await scene.call("note", {"number": 1})).kind == "not-begun"
    assert scene.probe.events == []


async def test_start_that_is_not_durable_has_no_effect(scene: Scene) -> None:
    """It may be stored yet, so that it was not begun is written behind it."""

    async def broken(entry: Any) -> None:
        raise TimeoutError(SECRET)

    scene.memory.write_ahead = broken  # type: ignore[method-assign]
    assert (await scene.call("note", {"number": 1})).kind == "not-begun"
    assert scene.probe.events == []
    assert scene.wrote(ToolFailed)[0].reason == "not begun"


async def test_lease_that_is_lost_while_the_start_is_stored_stops_the_effect(scene: Scene) -> None:
    """The database may take its time; then the call may be another's."""
    store = scene.memory.write_ahead

    async def slowly(entry: Any) -> None:
        await store(entry)
        scene.lease.ours = False

    scene.memory.write_ahead = slowly  # type: ignore[method-assign]
    assert (await scene.call("note", {"number": 1})).kind == "not-begun"
    assert scene.probe.events == []
    assert scene.kinds == ["tool.proposed", "tool.started", "tool.failed"]


async def test_closed_gate_declines_what_is_open_and_starts_nothing(scene: Scene) -> None:
    """The call is over: a late yes does nothing, a write that runs is waited for."""
    scene.probe.release.clear()
    running = scene.propose("note", {"number": 1})
    open_one = await asked(scene.propose("pay", {"amount": 5}))
    await asyncio.sleep(0.01)
    scene.gate.close()
    assert (await outcome(open_one)).kind == "ended"
    assert scene.vote(open_one, True) == "declined"
    with pytest.raises(ToolError, match="can't do that right now"):
        scene.propose("note", {"number": 2})
    asyncio.get_running_loop().call_later(0.05, scene.probe.release.set)
    await scene.gate.aclose()
    assert (await outcome(running)).kind == "done"
    assert scene.probe.events == ["note 1 a for caller-1"]


# -- what is heard, logged, counted


@pytest.mark.parametrize(
    ("name", "raw", "errors", "kind"),
    [
        ("note", {"number": 1}, [], "done"),
        ("note", {"number": 1}, [ToolRefused("No.")], "refused"),
        ("look", {}, [RuntimeError(SECRET)], "failed"),
        ("look", {}, [BackendUnavailable(SECRET, retry_after_s=9)], "failed"),
        (
            "push",
            {},
            [
                BackendUnavailable(SECRET, retry_after_s=0.01),
                BackendUnavailable(SECRET, retry_after_s=9),
            ],
            "failed",
        ),
        ("note", {"number": 1}, [TimeoutError(SECRET)], "unknown"),
        ("note", {"number": 1}, [BackendUnavailable(SECRET)], "failed"),
    ],
)
async def test_outcome_is_logged_without_what_was_said_or_went_wrong(
    scene: Scene, log: list[Any], name: str, raw: dict[str, Any], errors: list[Any], kind: str
) -> None:
    """One line each with outcome and time; errors by their kind alone."""
    scene.probe.errors = list(errors)
    result = await scene.call(name, raw)
    assert result.kind == kind
    assert SECRET not in result.say + str(log) + str(scene.memory.entries)
    (finished,) = [line for line in log if line["event"] == "tool.finished"]
    assert finished.pop("duration_ms") >= 0
    assert finished == {
        "event": "tool.finished",
        "log_level": "info",
        "tool": name,
        "effect": scene.tools[name].effect,
        "outcome": kind,
    }


async def test_outcome_is_counted() -> None:
    """Each outcome reaches the worker's metrics with the tool's name."""
    receiver = MetricsReceiver()
    await receiver.start()
    metrics = Metrics(receiver.address)
    scene = Scene(metrics=metrics)
    await scene.call("push", {"number": 9})
    with pytest.raises(ToolError):
        scene.propose("push", {"number": 77})

    def count(outcome: str) -> float | None:
        labels = {"tool": "push", "outcome": outcome}
        return REGISTRY.get_sample_value("parley_tool_calls_total", labels)

    await until(lambda: count("done") == 1)
    metrics.close()
    receiver.stop()
    await asyncio.sleep(0)


# -- spoken answers


async def test_spoken_yes_decides_the_one_open_question(scene: Scene) -> None:
    """By the matcher alone; the answer is "voice" on record."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    scene.gate.said("Pay 5 euros?")
    assert scene.hear("and what else?", "turn-2") is None
    heard = scene.hear("Yes, please.", "turn-2")
    assert heard is not None and heard.say == SAYS.approved
    assert (await outcome(invocation)).say == "Paid 5 euros."
    assert scene.wrote(ConfirmationAnswered)[0].by == "voice"
    # The turn of the answer belongs to the same wish.
    assert scene.propose("pay", {"amount": 5}, turn_id="turn-2") is invocation


async def test_spoken_no_is_answered_once(scene: Scene) -> None:
    """The invocation's own outcome needs no words any more."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    heard = scene.hear("no, thanks", "turn-2", "text")
    assert heard is not None and heard.say == SAYS.declined
    assert (await outcome(invocation)).kind == "declined"
    assert invocation.quiet


async def test_spoken_yes_counts_for_none_of_several_questions_of_one_breath(scene: Scene) -> None:
    """It could mean any of them."""
    invocations = [await asked(scene.propose("pay", {"amount": amount})) for amount in (5, 6)]
    scene.gate.said("Pay 5 euros? Pay 6 euros?")
    for _ in range(2):
        heard = scene.hear("yes", "turn-2")
        assert heard is not None and heard.say == SAYS.several
    assert [invocation.outcome for invocation in invocations] == [None, None]
    scene.gate.close()


async def test_without_cards_a_yes_counts_once_everything_was_heard(scene: Scene) -> None:
    """Until then the question is said in full; there is one question at a time."""
    scene.page.has_cards = False
    invocation = await asked(scene.propose("pay", {"amount": 5, "number": 7}))
    full = "Pay 5 euros? In full: number: 7. Yes or no?"
    heard = scene.hear("yes", "turn-2")
    assert heard is not None and (heard.say, heard.invocation) == (full, None)
    busy = await scene.call("send", turn_id="turn-3")
    assert busy.say == SAYS.busy_asking.format(question=full)
    scene.gate.said("Pay 5 euros?", interrupted=True)
    assert scene.hear("yes", "turn-3") == heard
    scene.gate.said(f"Well. {full}")
    scene.hear("yes", "turn-4")
    assert (await outcome(invocation)).kind == "done"


# -- to which question a yes belongs


async def test_yes_that_began_before_the_question_was_heard_or_shown_counts_for_nothing(
    scene: Scene,
) -> None:
    """Only that it arrives later does not make it an answer; then the question is asked anew."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    began_s = scene.turning.boot_s() + 1
    scene.turning.seconds += 2
    scene.gate.said("Pay 5 euros?")
    for by in ("voice", "text"):
        heard = scene.gate.hear("yes", Turn("turn-2", began_s, began_s + 2), by)
        assert heard == Heard("Pay 5 euros?")
    assert invocation.outcome is None
    scene.hear("yes", "turn-3")
    assert (await outcome(invocation)).kind == "done"


async def test_yes_that_began_after_the_page_showed_the_card_counts(scene: Scene) -> None:
    """Unheard; a card that was only pushed may not have arrived."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    assert scene.hear("yes", "turn-2") == Heard("Pay 5 euros?")
    assert invocation.question is not None
    scene.questions.acknowledge(["another", invocation.question.id])
    scene.hear("yes", "turn-3")
    assert (await outcome(invocation)).kind == "done"


async def test_spoken_yes_in_the_agents_own_sound_counts_for_nothing(scene: Scene) -> None:
    """Nor in its echo; a typed one is no echo."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    scene.gate.said("Pay 5 euros?")
    scene.gate.floor.agent_sounds(True)
    scene.turning.seconds += 2
    assert scene.hear("yes", "turn-2") == Heard("Pay 5 euros?")
    scene.gate.floor.agent_sounds(False)
    scene.turning.seconds += 0.15
    assert scene.hear("yes", "turn-3") == Heard("Pay 5 euros?")
    assert invocation.outcome is None
    heard = scene.hear("yes", "turn-4", "text")
    assert heard is not None and heard.invocation is invocation
    await outcome(invocation)


@pytest.mark.parametrize(
    "words", ["So six instead of five?", "Are you still there?", "Pay 5 euros? Or rather six?"]
)
async def test_yes_to_something_else_that_was_asked_belongs_to_that(
    scene: Scene, words: str
) -> None:
    """A model's own question, a reprompt: it is the model's turn; else the question is repeated."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    scene.gate.said("Pay 5 euros?")
    scene.gate.said(words)
    for answer in ("yes", "no"):
        assert scene.hear(answer, "turn-2") == Heard("Pay 5 euros?", "without-model")
    assert scene.hear("yes, six", "turn-2") is None
    assert invocation.outcome is None
    scene.gate.said("That is all I know.")
    assert scene.hear("yes", "turn-3") == Heard("Pay 5 euros?", "without-model")
    scene.gate.said("Pay 5 euros?")
    scene.hear("yes", "turn-4")
    assert (await outcome(invocation)).kind == "done"


async def test_yes_after_a_wish_that_is_not_answered_yet_counts_for_nothing(scene: Scene) -> None:
    """The answer may be another question, of which the caller has heard the beginning at most."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    scene.gate.said("Pay 5 euros?")
    scene.turning.seconds += 1
    assert scene.hear("make it six", "turn-2") is None
    scene.turning.seconds += 1
    assert scene.hear("yes", "turn-3", "text") == Heard("Pay 5 euros?")
    scene.gate.said("So six inst", interrupted=True)
    assert scene.hear("yes", "turn-4", "text") == Heard("Pay 5 euros?")
    assert invocation.outcome is None
    # Who answers at its very end cuts it off, too.
    scene.gate.said("Pay 5 euros?", interrupted=True)
    assert scene.hear("hang on", "turn-5") is None
    scene.hear("yes", "turn-6")
    assert (await outcome(invocation)).kind == "done"


async def test_yes_while_the_same_tool_is_looked_at_again_counts_for_nothing() -> None:
    """The caller heard "one moment" after a correction: its question is about to be asked."""
    looked = asyncio.Event()

    async def slowly(number: int) -> None:
        """Six takes its time."""
        if number == 6:
            await looked.wait()

    @tool(effect="write", confirm="Send {number}?", policy=[slowly])
    async def post(number: int) -> Answer:
        """Post."""
        return Answer(say="Posted.")

    scene = Scene(tools=[post])
    five = await asked(scene.propose("post", {"number": 5}))
    scene.gate.said("Send 5?")
    six = scene.propose("post", {"number": 6}, turn_id="turn-2")
    scene.gate.said("One moment, please.")
    assert scene.hear("yes", "turn-3") == Heard("Send 5?")
    looked.set()
    await asked(six)
    assert (await outcome(five)).kind == "replaced"
    scene.gate.said("Send 6?")
    scene.hear("yes", "turn-4")
    assert (await outcome(six)).kind == "done"


async def test_yes_belongs_to_the_question_that_was_asked_last(scene: Scene) -> None:
    """Of several open ones, each asked in a turn of its own."""
    first = await asked(scene.propose("pay", {"amount": 5}))
    scene.gate.said("Pay 5 euros?")
    second = await asked(scene.propose("send", turn_id="turn-2"))
    scene.gate.said("Send it?")
    scene.hear("yes", "turn-3")
    assert (await outcome(second)).kind == "done" and first.outcome is None
    # What is left was not asked last: it must be asked again first.
    assert scene.hear("yes", "turn-4") == Heard("Pay 5 euros?")
    scene.gate.said("Pay 5 euros?")
    scene.hear("yes", "turn-5")
    assert (await outcome(first)).kind == "done"


async def test_yes_by_voice_and_click_does_not_approve_the_question_after(scene: Scene) -> None:
    """The caller clicks yes and says it too; meanwhile the next card opens, and is shown."""
    first = await asked(scene.propose("pay", {"amount": 5}))
    scene.gate.said("Pay 5 euros?")
    assert first.question is not None
    scene.turning.seconds += 1
    began_s = scene.turning.boot_s()
    scene.turning.seconds += 0.1
    scene.vote(first, True)
    second = await asked(scene.propose("send", turn_id="turn-2"))
    assert second.question is not None
    scene.questions.acknowledge([second.question.id])
    scene.turning.seconds += 1
    heard = scene.gate.hear("yes", Turn("turn-3", began_s, began_s + 1), "voice")
    assert heard == Heard("Send it?") and second.outcome is None
    assert "send 1" not in scene.probe.events
    no = scene.gate.hear("no", Turn("turn-3", began_s, began_s + 1), "voice")
    assert no == Heard("Send it?") and second.outcome is None
    scene.gate.close()


async def test_yes_during_which_another_question_opens_is_for_none_of_them(scene: Scene) -> None:
    """The screen tells them apart."""
    first = await asked(scene.propose("pay", {"amount": 5}))
    scene.gate.said("Pay 5 euros?")
    scene.turning.seconds += 1
    began_s = scene.turning.boot_s()
    scene.turning.seconds += 0.1
    second = await asked(scene.propose("send", turn_id="turn-2"))
    heard = scene.gate.hear("yes", Turn("turn-3", began_s, began_s + 1), "voice")
    assert heard == Heard(SAYS.several)
    assert (first.outcome, second.outcome) == (None, None)
    scene.gate.close()


async def test_yes_that_adds_a_wish_is_a_turn_and_else_the_question_again(scene: Scene) -> None:
    """ "Yes, on Monday" where Friday was asked."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    scene.gate.said("Pay 5 euros?")
    assert scene.hear("yes, six", "turn-2") == Heard("Pay 5 euros?", "not-understood")
    assert invocation.outcome is None
    scene.hear("yes, pay five euros", "turn-3")
    assert (await outcome(invocation)).kind == "done"


async def test_no_with_a_wish_declines_and_the_turn_goes_on(scene: Scene) -> None:
    """ "No, six": the reply is to the wish; the same proposal in this turn is not asked again."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    scene.gate.said("Pay 5 euros?")
    assert scene.hear("no, six", "turn-2") == Heard("", "nothing", invocation)
    assert (await outcome(invocation)).kind == "declined" and invocation.quiet
    assert scene.propose("pay", {"amount": 5}, turn_id="turn-2") is invocation
    other = await asked(scene.propose("pay", {"amount": 6}, turn_id="turn-2"))
    assert other.question is not None and other.question.title == "Pay 6 euros?"
    scene.gate.close()


async def test_wish_once_more_with_fewer_words_is_asked_as_before(scene: Scene) -> None:
    """ "Pay it" is neither a yes nor another wish: nothing else is proposed in its place."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    assert invocation.question is not None
    scene.gate.said(invocation.question.wording)
    assert scene.hear("pay it", "turn-2") == Heard(invocation.question.wording)
    assert scene.hear("pay 6", "turn-3") is None
    scene.gate.said("And now?")
    assert scene.hear("pay it", "turn-4") is None, "it belongs to what was asked last"
    scene.gate.close()


@pytest.mark.parametrize(
    ("rest", "kind"),
    [("pay it", "done"), ("five euros please", "done"), ("no", "declined"), ("six", None)],
)
async def test_yes_after_which_the_caller_goes_on_is_read_with_the_rest(
    scene: Scene, rest: str, kind: str | None
) -> None:
    """ "Yes." "Pay it.", in two breaths; a no or another wish in the second counts as ever."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    assert invocation.question is not None
    scene.gate.said(invocation.question.wording)
    first, second = (scene.gate.floor.typed(f"turn-{number}") for number in (2, 3))
    assert await scene.gate.hear_spoken("Yes.", first, lambda: True) is None
    heard = await scene.gate.hear_spoken(rest, second, lambda: False)
    if kind is None:
        assert heard == Heard(invocation.question.wording, "not-understood")
        assert invocation.outcome is None
        scene.gate.close()
    else:
        assert (await outcome(invocation)).kind == kind


async def test_yes_is_read_with_nothing_that_is_said_much_later(scene: Scene) -> None:
    """Nor does it count as of then."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    assert invocation.question is not None
    scene.gate.said(invocation.question.wording)
    first = scene.gate.floor.typed("turn-2")
    assert await scene.gate.hear_spoken("Yes.", first, lambda: True) is None
    later = replace(first, id="turn-3", began_s=first.ended_s + 10, ended_s=first.ended_s + 11)
    heard = await scene.gate.hear_spoken("pay it", later, lambda: False)
    assert heard == Heard(invocation.question.wording)
    assert invocation.outcome is None
    scene.gate.close()


@pytest.mark.parametrize(
    ("rest", "after_s", "is_rest"),
    [("Pay it.", 0.5, True), ("pay it", 10, False), ("pay six euros", 0.5, False)],
)
async def test_rest_of_a_yes_that_was_approved_already_is_no_other_wish(
    scene: Scene, rest: str, after_s: float, is_rest: bool
) -> None:
    """ "Yes." "Pay it.": where the machine is slow, one sentence arrives as two turns."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    assert invocation.question is not None
    scene.gate.said(invocation.question.wording)
    yes = scene.gate.floor.typed("turn-2")
    assert (await scene.gate.hear_spoken("Yes.", yes, lambda: False)) is not None
    then = replace(yes, id="turn-3", began_s=yes.ended_s + after_s, ended_s=yes.ended_s + after_s)
    heard = await scene.gate.hear_spoken(rest, then, lambda: False)
    assert heard == (Heard(SAYS.approved) if is_rest else None)
    assert (await outcome(invocation)).kind == "done"


async def test_typed_wish_after_a_yes_is_a_wish(scene: Scene) -> None:
    """What is typed arrives whole."""
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    assert invocation.question is not None
    scene.gate.said(invocation.question.wording)
    assert scene.gate.hear("yes", scene.gate.floor.typed("turn-2"), "text") is not None
    assert scene.gate.hear("pay it", scene.gate.floor.typed("turn-3"), "text") is None
    assert (await outcome(invocation)).kind == "done"


# -- the same in other words


@pytest.mark.parametrize("has_cards", [True, False])
async def test_same_tool_with_other_arguments_replaces_the_open_question(
    scene: Scene, has_cards: bool
) -> None:
    """In a later turn. The old one is off the record of what is open, and is not spoken of."""
    scene.page.has_cards = has_cards
    first = await asked(scene.propose("pay", {"amount": 5}))
    second = await asked(scene.propose("pay", {"amount": 6}, turn_id="turn-2"))
    assert first.question is not None and second.question is not None
    refused = await outcome(first)
    assert (refused.kind, refused.say) == ("replaced", SAYS.replaced) and first.quiet
    assert scene.wrote(ConfirmationExpired) == [
        ConfirmationExpired(confirmation_id=first.question.id, reason="replaced")
    ]
    assert [card.id for card in scene.questions.listing().pending] == [second.question.id]
    assert scene.vote(first, True) == "replaced"
    # A model that goes back and forth in one turn gets no third question.
    assert scene.propose("pay", {"amount": 5}, turn_id="turn-2") is first
    scene.gate.said(second.question.wording)
    scene.hear("yes", "turn-3")
    assert (await outcome(second)).say == "Paid 6 euros."
    assert scene.probe.events == ["pay 6 1"]


async def test_same_tool_twice_in_one_turn_is_two_questions(scene: Scene) -> None:
    """Two wishes; each has its card."""
    for amount in (5, 6):
        await asked(scene.propose("pay", {"amount": amount}))
    assert len(scene.questions.open) == 2
    scene.gate.close()


async def test_question_that_is_too_long_replaces_nothing() -> None:
    """The open one can still be answered."""
    long = {"amount": lambda amount: "x" * (2000 if amount > 5 else 1)}
    scene = Scene(tools=[replace(pay, guards=replace(pay.guards, in_words=long))])
    first = await asked(scene.propose("pay", {"amount": 5}))
    assert (await scene.call("pay", {"amount": 6}, turn_id="turn-2")).say == SAYS.too_long
    assert first.outcome is None and len(scene.questions.open) == 1
    scene.gate.close()


# -- by the screen alone


async def test_what_only_the_screen_confirms_is_not_confirmed_by_words() -> None:
    """A no counts all the same; without a screen it is not even asked."""
    tools = [replace(pay, guards=replace(pay.guards, confirm_by="screen"))]
    scene = Scene(tools=tools)
    invocation = await asked(scene.propose("pay", {"amount": 5}))
    scene.gate.said("Pay 5 euros?")
    for by in ("voice", "text"):
        heard = scene.hear("yes", "turn-2", by)
        assert heard is not None and heard.say == SAYS.on_screen
    assert invocation.outcome is None
    assert scene.vote(invocation, True) == "approved"
    assert (await outcome(invocation)).kind == "done"
    scene.turn_id = "turn-3"
    declined = await asked(scene.propose("pay", {"amount": 5}))
    scene.hear("no", "turn-4")
    assert (await outcome(declined)).kind == "declined"
    scene.page.has_cards = False
    assert (await scene.call("pay", {"amount": 5}, turn_id="turn-5")).say == SAYS.screen_only


# -- what the agent offers by itself


async def test_offer_is_asked_first_whatever_its_tool(scene: Scene) -> None:
    """The caller did not ask for it, so a no leads on."""
    offer = await asked(scene.propose("note", {"number": 3}, offer="Shall I note 3?"))
    assert offer.question is not None and offer.question.title == "Shall I note 3?"
    assert scene.probe.events == []
    heard = scene.hear("no", "turn-2")
    assert heard is not None and heard.say == SAYS.declined_offer
    assert (await outcome(offer)).kind == "declined"
    again = await asked(
        scene.propose("note", {"number": 3}, offer="Shall I note 3?", turn_id="turn-3")
    )
    scene.gate.said("Shall I note 3?")
    scene.hear("yes", "turn-4")
    assert (await outcome(again)).say == "Noted."


# -- another device


async def test_page_that_is_gone_has_shown_nothing(scene: Scene) -> None:
    """What was heard beside its cards was only the title."""
    invocation = await asked(scene.propose("pay", {"amount": 5, "number": 7}))
    scene.gate.said("Pay 5 euros?")
    assert invocation.question is not None
    scene.questions.acknowledge([invocation.question.id])
    scene.questions.forget_page()
    full = "Pay 5 euros? In full: number: 7. Yes or no?"
    assert scene.hear("yes", "turn-2") == Heard(full)
    scene.gate.said(full)
    scene.questions.forget_page()
    scene.hear("yes", "turn-3")
    assert (await outcome(invocation)).kind == "done"


@pytest.mark.parametrize("then", ["another is left", "another is asked"])
async def test_spoken_yes_is_not_for_a_question_that_it_did_not_answer(then: str) -> None:
    """Who says yes and clicks on yes means one question, not also the one that is left."""
    scene = Scene(settle_s=0.3)
    meant = await asked(scene.propose("pay", {"amount": 1}))
    if then == "another is left":
        await asked(scene.propose("pay", {"amount": 2}))
        scene.gate.said("Pay 1 euros? Pay 2 euros?")
    hearing = asyncio.create_task(
        scene.gate.hear_spoken("yes", scene.gate.floor.typed("turn-2"), lambda: False)
    )
    await asyncio.sleep(0.1)
    scene.vote(meant, True)
    other = await asked(scene.propose("pay", {"amount": 2}))
    assert other.question is not None
    assert await hearing == Heard(other.question.wording)
    await outcome(meant)
    assert scene.probe.events == ["pay 1 1"] and other.is_asking
    scene.gate.close()


@pytest.mark.parametrize(
    "error",
    [asyncio.CancelledError(), SystemExit(), BaseExceptionGroup("", [asyncio.CancelledError()])],
)
async def test_rule_that_raises_what_is_no_exception_of_its_kind_is_a_failure(
    error: BaseException,
) -> None:
    """Else the wish would hang for the rest of the call, or the process would end."""

    async def odd(*, probe: Probe) -> None:
        """It awaits what somebody else has cancelled."""
        if not probe.events:
            probe.events.append("checked")
            raise error

    scene = Scene(tools=[replace(note, guards=replace(note.guards, policy=(make_rule(odd),)))])
    assert (await scene.call("note", {"number": 1})).say == SAYS.failed
    assert (await scene.call("note", {"number": 1})).kind == "done"


async def test_too_long_a_question_is_not_asked() -> None:
    """Nothing of it is ever cut, so it is refused."""
    long = {"amount": lambda _: "x" * 2000}
    wordy = replace(pay, guards=replace(pay.guards, in_words=long))
    scene = Scene(tools=[wordy], phrases=GatePhrases(too_long="Too long."))
    assert (await scene.call("pay", {"amount": 5})).say == "Too long."


async def test_gate_that_is_left_finishes_what_runs_and_waits_for_no_answer(scene: Scene) -> None:
    """The call goes on: the next agent has the open question."""
    scene.probe.release.clear()
    running = scene.propose("note", {"number": 1})
    await asked(scene.propose("pay", {"amount": 5}))
    await asyncio.sleep(0.01)
    scene.gate.leave()
    scene.probe.release.set()
    await asyncio.wait_for(scene.gate.aclose(), CLOSE_S / 2)
    assert (await outcome(running)).kind == "done"
    assert scene.wrote(ConfirmationExpired) == []
