"""What an agent that takes a call over makes of the journal."""

import asyncio

import pytest

from agent_worker.tools.events import GateEvents
from agent_worker.tools.invocations import Invocation
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.restore import restore
from agent_worker.tools.result_delivery import ResultDelivery
from call_record.journal import Recorded
from tests.support.gate_scene import Scene, asked, outcome
from voice_contract.journal import (
    AgentTurnEnded,
    ConfirmationAnswered,
    ConfirmationAsked,
    ConfirmationExpired,
    ConfirmationRefused,
    Entry,
    ToolFailed,
    ToolFinished,
    ToolProposed,
    ToolStarted,
    ToolUnknown,
    UserTurn,
)

pytestmark = pytest.mark.usefixtures("virtual_time")

SAYS = GatePhrases()


class Heir(Scene):
    """The agent after one whose journal ended with *entries*."""

    def __init__(self, before: Scene, *more: Entry, later_s: float = 1.0) -> None:
        delivery = _Notes()
        super().__init__(events=delivery)
        self.turning.seconds = before.turning.seconds + later_s
        self.untold = delivery.untold
        at_ms = before.turning.now_ms()
        recorded = [
            Recorded(number, at_ms, 1, entry.kind, entry, b"")
            for number, entry in enumerate((*before.memory.entries, *more))
        ]
        restore(self.gate, delivery, self.memory, recorded)


class _Notes(ResultDelivery, GateEvents):
    def __init__(self) -> None:
        super().__init__(SAYS)
        self.untold: list[Invocation] = []

    def settled(self, invocation: Invocation) -> None:
        self.untold.append(invocation)


@pytest.fixture
async def before() -> Scene:
    scene = Scene()
    scene.memory.write(UserTurn(text="Please do.", turn_id="turn-1"))
    return scene


def started(scene: Scene, name: str, key: str = "call-1:1") -> list[Entry]:
    """A write that was begun and of which nothing more is known."""
    arguments = scene.tools[name].arguments.canonical({"number": 4})
    return [
        ToolProposed(invocation_id="fnc-1", tool=name, arguments=arguments, turn_id="turn-1"),
        ToolStarted(
            invocation_id="fnc-1",
            tool=name,
            effect=scene.tools[name].effect,
            arguments=arguments,
            idempotency_key=key,
        ),
    ]


async def test_unfinished_write_is_run_again_with_its_key_where_that_is_once(
    before: Scene,
) -> None:
    """Effectively once: the backend knows the key. Its result is told."""
    heir = Heir(before, *started(before, "push"))
    (invocation,) = heir.gate.invocations
    assert (await outcome(invocation)).say == "Pushed."
    assert heir.probe.keys == ["call-1:1"]
    assert heir.kinds == ["tool.finished"]
    assert heir.untold == [invocation]
    # The same turn, answered again, means the same wish.
    assert heir.propose("push", {"number": 4}) is invocation


async def test_unfinished_write_is_unknown_where_it_could_happen_twice(before: Scene) -> None:
    """At most once: its outcome is unknown, the agent says so, and it is never repeated."""
    heir = Heir(before, *started(before, "note"))
    assert heir.probe.events == []
    assert [entry.invocation_id for entry in heir.wrote(ToolUnknown)] == ["fnc-1"]
    (invocation,) = heir.untold
    assert invocation.outcome is not None and invocation.outcome.say == SAYS.unknown
    assert heir.propose("note", {"number": 4}) is invocation
    heir.turn_id = "turn-2"
    assert (await heir.call("note", {"number": 4})).say == SAYS.not_again
    assert heir.probe.events == []


async def test_unfinished_write_whose_proposal_was_lost_is_unknown(before: Scene) -> None:
    """Its start is on record, so it is said and its key is not given to another effect."""
    heir = Heir(before, *started(before, "note")[1:])
    assert [entry.invocation_id for entry in heir.wrote(ToolUnknown)] == ["fnc-1"]
    assert len(heir.untold) == 1
    heir.turn_id = "turn-2"
    await heir.call("note", {"number": 5})
    assert len(heir.probe.keys) == 1 and heir.probe.keys != ["call-1:1"]


async def test_approved_write_whose_proposal_was_lost_happens_once_over_two_takeovers(
    before: Scene,
) -> None:
    """A proposal that repeats it is on record, and what is journalled is still the first one's."""
    arguments = before.tools["pay"].arguments.canonical({"amount": 5})
    scratch = await asked(Scene().propose("pay", {"amount": 5}))
    entries: list[Entry] = [
        ConfirmationAsked(
            confirmation_id="q-1",
            invocation_id="fnc-2",
            tool="pay",
            title="Pay 5 euros?",
            arguments=arguments,
            digest=scratch.full_digest,
            expires_in_ms=60_000,
        ),
        ToolProposed(
            invocation_id="fnc-3",
            tool="pay",
            arguments=arguments,
            turn_id="turn-1",
            duplicate_of="fnc-2",
        ),
    ]
    heir = Heir(before, *entries)
    (invocation,) = heir.gate.invocations
    assert heir.vote(invocation, True) == "approved"
    assert (await outcome(invocation)).kind == "done"
    assert [entry.invocation_id for entry in heir.wrote(ToolFinished)] == ["fnc-2"]
    second = Heir(before, *entries, *heir.memory.entries)
    (again,) = second.gate.invocations
    assert again.outcome is not None and again.outcome.kind == "done"
    assert second.probe.events == []


async def test_write_that_was_begun_again_is_not_settled_by_what_came_of_it_before(
    before: Scene,
) -> None:
    """The agent died in its second run: it is run once more, with its key."""
    first, begun = started(before, "push")
    heir = Heir(before, first, begun, ToolUnknown(invocation_id="fnc-1", reason="timeout"), begun)
    (invocation,) = heir.gate.invocations
    assert (await outcome(invocation)).say == "Pushed."
    assert heir.probe.keys == ["call-1:1"]


async def test_unfinished_read_is_left(before: Scene) -> None:
    """Whoever still wants to know asks again."""
    heir = Heir(before, *started(before, "look"))
    assert [entry.invocation_id for entry in heir.wrote(ToolFailed)] == ["fnc-1"]
    assert heir.untold == [] and heir.probe.events == []


async def test_key_is_given_to_one_effect_over_all_agents(before: Scene) -> None:
    """No key is ever given to two effects."""
    for number in (1, 2, 3):
        await before.call("note", {"number": number})
    heir = Heir(before)
    await heir.call("note", {"number": 5}, turn_id="turn-2")
    assert len({*before.probe.keys, *heir.probe.keys}) == 4


async def test_done_write_of_the_same_turn_is_not_done_again(before: Scene) -> None:
    """The turn is answered again, the model proposes the same; a later wish is another."""
    await before.call("note", {"number": 1})
    heir = Heir(before)
    assert (await heir.call("note", {"number": 1})).say == "Noted."
    assert heir.probe.events == []
    # Nobody heard that it was done, so who wishes it again may mean the same one.
    again = await asked(heir.propose("note", {"number": 1}, turn_id="turn-2"))
    assert again.question is not None and "Shall I do it once more?" in again.question.title
    heir.vote(again, True)
    await outcome(again)
    assert len({*before.probe.keys, *heir.probe.keys}) == 2


async def test_results_that_were_not_heard_are_told(before: Scene) -> None:
    """Those that were heard are not."""
    for number in (1, 2):
        await before.call("note", {"number": number})
    heard = AgentTurnEnded(
        turn_id="1", heard="Noted.", interrupted=False, invocation_ids=("fnc-1",)
    )
    heir = Heir(before, heard)
    assert [invocation.id for invocation in heir.untold] == ["fnc-2"]


async def test_late_result_counts_as_not_heard(before: Scene) -> None:
    """Only that it was unknown had been told."""
    told = AgentTurnEnded(turn_id="1", heard="?", interrupted=False, invocation_ids=("fnc-1",))
    heir = Heir(
        before,
        *started(before, "note"),
        ToolUnknown(invocation_id="fnc-1", reason="timeout"),
        told,
        ToolFinished(invocation_id="fnc-1", say="Noted after all."),
    )
    (invocation,) = heir.untold
    assert invocation.outcome is not None and invocation.outcome.say == "Noted after all."


@pytest.mark.parametrize("heard", [True, False])
async def test_refusal_after_the_yes_that_was_not_heard_is_told(before: Scene, heard: bool) -> None:
    """The caller heard "All right" at most; then the rule said no, and the agent died."""
    invocation = await asked(before.propose("pay", {"amount": 5}))
    before.probe.forbidden.add(1)
    before.vote(invocation, True)
    assert (await outcome(invocation)).kind == "refused"
    told = AgentTurnEnded(turn_id="1", heard="No.", interrupted=False, invocation_ids=("fnc-1",))
    heir = Heir(before, *([told] if heard else []))
    assert [one.id for one in heir.untold] == ([] if heard else ["fnc-1"])


async def test_open_question_stays_open_for_the_rest_of_its_time(before: Scene) -> None:
    """Under its id, with its digest; the yes runs what was asked."""
    old = await asked(before.propose("pay", {"amount": 5}))
    assert old.question is not None
    heir = Heir(before, later_s=12)
    (card,) = heir.questions.listing().pending
    assert (card.id, card.digest, card.expires_in_ms) == (
        old.question.id,
        old.full_digest,
        18_000,
    )
    (invocation,) = heir.gate.invocations
    assert heir.vote(invocation, True) == "approved"
    assert (await outcome(invocation)).say == "Paid 5 euros."
    assert heir.wrote(ConfirmationAsked) == []
    assert len(heir.probe.keys) == 1


@pytest.mark.parametrize("later_s", [31.0, -1000.0])
async def test_question_never_gets_more_time_than_it_had(before: Scene, later_s: float) -> None:
    """What has run out expires; another machine's clock cannot make it longer."""
    await asked(before.propose("pay", {"amount": 5}))
    heir = Heir(before, later_s=later_s)
    if later_s > 0:
        assert heir.questions.open == []
        assert len(heir.wrote(ConfirmationExpired)) == 1
    else:
        (card,) = heir.questions.listing().pending
        assert card.expires_in_ms == 30_000
        heir.gate.close()


async def test_approved_and_not_begun_is_done(before: Scene) -> None:
    """The yes is on record, the start is not: so it was not done yet."""
    old = await asked(before.propose("pay", {"amount": 5}))
    assert old.question is not None
    yes = ConfirmationAnswered(confirmation_id=old.question.id, approved=True, by="screen")
    heir, twin = Heir(before, yes), Heir(before, yes)
    for one in (heir, twin):
        (invocation,) = one.gate.invocations
        assert (await outcome(invocation)).kind == "done"
    # Of one approval comes one key, though neither agent knew of the other.
    assert len(heir.probe.keys) == 1 and heir.probe.keys == twin.probe.keys


async def test_declined_stays_declined(before: Scene) -> None:
    """Whether or not the refusal reached the journal."""
    old = await asked(before.propose("pay", {"amount": 5}))
    assert old.question is not None
    no = ConfirmationAnswered(confirmation_id=old.question.id, approved=False, by="screen")
    heir = Heir(before, no)
    (invocation,) = heir.gate.invocations
    assert (await outcome(invocation)).kind == "declined"
    assert heir.probe.events == []


@pytest.mark.parametrize(
    ("decision", "state", "effects"),
    [
        (ConfirmationAnswered(confirmation_id="", approved=True, by="screen"), "approved", 1),
        (ConfirmationAnswered(confirmation_id="", approved=False, by="screen"), "declined", 0),
        (ConfirmationExpired(confirmation_id=""), "expired", 0),
    ],
)
async def test_answer_that_is_sent_again_is_told_what_counted(
    before: Scene,
    decision: ConfirmationAnswered | ConfirmationExpired,
    state: str,
    effects: int,
) -> None:
    """The page had no reply from the agent before; its vote is neither unknown nor a second one."""
    old = await asked(before.propose("pay", {"amount": 5}))
    assert old.question is not None
    heir = Heir(before, decision.model_copy(update={"confirmation_id": old.question.id}))
    assert [heir.vote(old, approved) for approved in (True, False)] == [state] * 2
    (invocation,) = heir.gate.invocations
    await outcome(invocation)
    assert len(heir.probe.keys) == effects
    assert not heir.wrote(ConfirmationAnswered) and not heir.wrote(ConfirmationRefused)


async def test_question_that_was_replaced_stays_so(before: Scene) -> None:
    """Also where the agent died before its refusal was on record. Nobody hears of it."""
    old = await asked(before.propose("pay", {"amount": 5}))
    new = await asked(before.propose("pay", {"amount": 6}, turn_id="turn-2"))
    assert new.question is not None
    whole, cut = Heir(before), Scene()
    cut.memory.entries = [one for one in before.memory.entries if one.kind != "tool.refused"]
    for heir in (whole, Heir(cut)):
        assert [card.id for card in heir.questions.listing().pending] == [new.question.id]
        assert heir.vote(old, True) == "replaced"
        first, second = heir.gate.invocations
        assert heir.vote(second, True) == "approved"
        assert (await outcome(second)).say == "Paid 6 euros."
        assert (await outcome(first)).kind in ("declined", "replaced")
        assert heir.probe.events == ["pay 6 1"]
        assert first not in heir.untold or first.quiet


async def test_restored_question_must_be_heard_or_shown_again(before: Scene) -> None:
    """This agent does not know what the one before had said of it."""
    await asked(before.propose("pay", {"amount": 5}))
    before.gate.said("Pay 5 euros?")
    heir = Heir(before)
    (invocation,) = heir.gate.invocations
    heard = heir.hear("yes", "turn-2")
    assert heard is not None and heard.say == "Pay 5 euros?" and invocation.outcome is None
    heir.gate.said("Pay 5 euros?")
    heir.hear("yes", "turn-3")
    assert (await outcome(invocation)).kind == "done"


async def test_question_of_another_version_is_closed(before: Scene) -> None:
    """What would run is no longer what was shown."""
    await asked(before.propose("pay", {"amount": 5}))
    entries = [
        entry.model_copy(update={"digest": "0" * 64})
        if isinstance(entry, ConfirmationAsked)
        else entry
        for entry in before.memory.entries
    ]
    before.memory.entries = list(entries)
    heir = Heir(before)
    assert heir.questions.open == []
    assert len(heir.wrote(ConfirmationExpired)) == 1
    await asyncio.sleep(0.01)
    assert heir.probe.events == []


async def test_tool_that_is_no_more_is_left_with_what_is_known(before: Scene) -> None:
    """An unfinished write of it stays unknown; its key is not given to another effect."""
    entries = [
        entry.model_copy(update={"tool": "gone"}) if hasattr(entry, "tool") else entry
        for entry in started(before, "push")
    ]
    heir = Heir(before, *entries)
    assert [entry.reason for entry in heir.wrote(ToolUnknown)] == ["lost with its agent"]
    await heir.call("note", {"number": 1}, turn_id="turn-2")
    assert len(heir.probe.keys) == 1 and heir.probe.keys != ["call-1:1"]


async def test_budgets_are_used_as_they_were(before: Scene) -> None:
    """Another agent does not reset the number of runs of a tool."""
    for number in (1, 2, 3):
        await before.call("look", {"number": number})
    heir = Heir(before)
    assert (await heir.call("look", {"number": 4}, turn_id="turn-2")).kind == "done"
    assert (await heir.call("look", {"number": 5}, turn_id="turn-3")).say == SAYS.too_often


async def test_invocation_ids_stay_unique(before: Scene) -> None:
    """The framework of the next agent counts from the start; the journal is not mixed up."""
    await before.call("note", {"number": 1}, function_call_id="call_0")
    heir = Heir(before)
    invocation = heir.propose("note", {"number": 2}, function_call_id="call_0", turn_id="turn-2")
    assert invocation.id == "call_0~2"
    await outcome(invocation)
