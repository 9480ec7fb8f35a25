"""An agent that takes a call over knows what was said, and picks the thread up."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from livekit.agents.llm import ChatContext, ChatItem
from sqlalchemy import delete, update

from agent_worker.agent import AgentDefinition
from agent_worker.claim import CallClaim
from agent_worker.reasoning.dialog import CallTool, follow
from agent_worker.reasoning.llm import AgentLLM, user_turns
from agent_worker.reasoning.message_tags import unanswered
from agent_worker.resume import CallerInDoubt, CallHistory, Resumption, rebuild, recall, resume
from call_record import calls, journal
from call_record.calls import Claim
from call_record.database import Database
from call_record.journal import Recorded
from call_record.lease import Lease
from call_record.record import Record
from call_record.tables import call as call_table
from call_record.tables import journal as journal_table
from call_record.writer import JournalWriter
from tests.support.calls import fence, live, the_call
from tests.unit.agent_worker.small_agent import TextCall
from voice_contract.dispatch import DispatchMetadata
from voice_contract.journal import (
    AgentTurnEnded,
    AgentTurnStarted,
    CallClaimed,
    CallJoined,
    ConfirmationAnswered,
    ConfirmationAsked,
    ConfirmationExpired,
    Entry,
    JournalGap,
    ToolFailed,
    ToolFinished,
    ToolProposed,
    ToolRefused,
    Unknown,
    UserTurn,
)

SORRY = "Sorry, I was gone for a moment."
GO_ON = "Please go on. If you said something just now, please say it again."
NOW_MS = 1_750_000_100_000


def said(turn_id: str, text: str, *, interrupted: bool = False) -> list[Entry]:
    """A turn of the agent, from its beginning to its end."""
    return [
        AgentTurnStarted(turn_id=turn_id, planned=text),
        AgentTurnEnded(turn_id=turn_id, heard=text, interrupted=interrupted),
    ]


GREETED = said("1", "Hello, a machine speaks.")
QUESTION = ConfirmationAsked(
    confirmation_id="c",
    invocation_id="t",
    tool="paint",
    title="Paint room 4?",
    arguments={"number": 4},
    digest="d",
    expires_in_ms=60_000,
)


def test_what_all_must_hear_is_no_greeting_and_is_known_when_it_was_heard() -> None:
    """Who was cut off in it hears it again."""
    end = AgentTurnEnded(turn_id="1", heard="It is recorded.", interrupted=False, protected=True)
    history = rebuild(
        written(AgentTurnStarted(turn_id="1", planned="It is recorded."), end), NOW_MS
    )
    assert history is not None
    assert not history.greeted
    assert list(history.protected) == ["It is recorded."]
    cut_off = end.model_copy(update={"interrupted": True})
    history = rebuild(written(cut_off), NOW_MS)
    assert history is not None and not history.protected


def written(*entries: Entry) -> list[Recorded]:
    """A journal: the first agent's entries, then the claim of the second one."""
    claim = CallClaimed(owner="job", worker_id="worker")
    everything: list[Entry] = [claim, CallJoined(), *entries, claim]
    return [
        Recorded(number, NOW_MS - 90_000, 1, entry.kind, entry, b"")
        for number, entry in enumerate(everything, 1)
    ]


def the_past(*entries: Entry) -> CallHistory:
    """What a second agent knows after those entries."""
    history = rebuild(written(*entries), NOW_MS)
    assert history is not None
    return history


def conversation(items: list[ChatItem]) -> list[tuple[str, str]]:
    """Who said what."""
    return [(item.role, item.text_content or "") for item in items if item.type == "message"]


def test_rebuild_for_a_first_agent_is_nothing() -> None:
    """One claim only, or nobody was there to talk to."""
    claim = CallClaimed(owner="job", worker_id="worker")
    cases: list[list[Entry]] = [[], [claim], [claim, claim], [claim, CallJoined()]]
    for entries in cases:
        recorded = [
            Recorded(n, NOW_MS, 1, entry.kind, entry, b"") for n, entry in enumerate(entries, 1)
        ]
        assert rebuild(recorded, NOW_MS) is None


def test_rebuild_has_the_conversation_in_order() -> None:
    """The caller's words as understood, the agent's as heard, tools with their results."""
    history = the_past(
        *GREETED,
        UserTurn(text="Look at room 4"),
        ToolProposed(invocation_id="t", tool="look", arguments={"number": 4}),
        ToolFinished(invocation_id="t", say="Room 4 has no coats.", data={"coats": 0}),
        *said("2", "Room 4 has no coats."),
        UserTurn(text="Paint it"),
        ToolProposed(invocation_id="u", tool="paint", arguments={"number": 4}),
        ToolFailed(invocation_id="u", reason="That did not work."),
        *said("3", "That did", interrupted=True),
    )
    assert conversation(history.items) == [
        ("assistant", "Hello, a machine speaks."),
        ("user", "Look at room 4"),
        ("assistant", "Room 4 has no coats."),
        ("user", "Paint it"),
        ("assistant", "That did"),
    ]
    kinds = [item.type for item in history.items]
    assert kinds.count("function_call") == kinds.count("function_call_output") == 2
    context = ChatContext()
    context.insert(history.items)
    assert context.items == history.items, "the session would sort them differently"
    assert all(item.created_at < time.time() for item in history.items)


def test_rebuild_keeps_words_that_were_cut_off_as_interrupted() -> None:
    """How much of them was heard, nobody knows."""
    history = the_past(*GREETED, AgentTurnStarted(turn_id="2", planned="Once upon a time"))
    last = history.items[-1]
    assert last.type == "message" and last.interrupted
    assert last.text_content == "Once upon a time"


def test_rebuild_has_a_turn_once_that_ended_after_the_caller_spoke() -> None:
    """It was not cut off by who took over: how much was heard is known."""
    started, ended = said("2", "Once upon", interrupted=True)
    history = the_past(*GREETED, started, UserTurn(text="Stop"), ended)
    assert conversation(history.items)[1:] == [("user", "Stop"), ("assistant", "Once upon")]


def test_rebuild_has_words_that_were_cut_off_where_they_began() -> None:
    """What a tool found after them is still to be told."""
    history = the_past(
        *GREETED,
        UserTurn(text="Look at room 4"),
        ToolProposed(invocation_id="t", tool="look", arguments={"number": 4}),
        AgentTurnStarted(turn_id="2", planned="One moment."),
        ToolFinished(invocation_id="t", say="Room 4 has no coats."),
    )
    assert [item.type for item in history.items[-3:]] == [
        "message",
        "function_call",
        "function_call_output",
    ]
    assert len(unanswered(history.items)) == 1


def test_rebuild_leaves_out_what_this_version_can_not_read_and_what_was_erased() -> None:
    """A call that was begun by the last version can be recovered by this one."""
    recorded = written(*GREETED, Unknown(kind="turn.hummed", body="{}"))
    recorded.append(Recorded(9, NOW_MS, 1, "turn.user", None, b""))
    history = rebuild(recorded, NOW_MS)
    assert history is not None
    assert conversation(history.items) == [("assistant", "Hello, a machine speaks.")]


def test_rebuild_counts_the_time_since_the_caller_joined() -> None:
    """The longest call is as long as before; a clock that is behind does not lengthen it."""
    assert the_past(*GREETED).elapsed_s == 90
    history = rebuild(written(*GREETED), NOW_MS - 1_000_000)
    assert history is not None and history.elapsed_s == 0


def test_resume_greets_when_nobody_was_greeted(agent: AgentDefinition) -> None:
    """The caller must know that a machine is speaking."""
    cut_off = the_past(AgentTurnStarted(turn_id="1", planned="Hello, a"))
    for history in (the_past(), cut_off):
        assert resume(agent, history).say == (SORRY, "Hello, a machine speaks.")
        assert not resume(agent, history).answer


@pytest.mark.parametrize(
    "after",
    [
        [],
        [AgentTurnStarted(turn_id="2", planned="Room 4")],
        said("2", "Room", interrupted=True),
        [AgentTurnEnded(turn_id="2", heard="", interrupted=False)],
    ],
    ids=["in-thought", "in-speech", "interrupted", "unheard"],
)
def test_resume_answers_what_was_not_answered(agent: AgentDefinition, after: list[Entry]) -> None:
    """The caller hears what was understood, then the answer."""
    history = the_past(*GREETED, UserTurn(text="Look at room 4."), *after)
    resumption = resume(agent, history)
    assert resumption.say == (SORRY, "You said: Look at room 4.")
    assert resumption.answer


def test_resume_does_not_say_back_what_is_long(agent: AgentDefinition) -> None:
    """It is answered all the same."""
    resumption = resume(agent, the_past(*GREETED, UserTurn(text="so " * 100)))
    assert (resumption.say, resumption.answer) == ((SORRY,), True)


def test_resume_asks_again_what_the_agent_waited_for(agent: AgentDefinition) -> None:
    """The dialog's state follows from the conversation."""
    history = the_past(
        *GREETED, UserTurn(text="Book a visit on friday"), *said("2", "At what time?")
    )
    assert resume(agent, history).say == (SORRY, "At what time?")
    turns = [*user_turns(history.items), "at 3 pm"]
    assert follow(agent.templates, turns).move == CallTool(
        "visit", {"day": "friday", "time": "15:00"}
    )


def test_resume_asks_for_what_was_said_meanwhile(agent: AgentDefinition) -> None:
    """When it was the caller's turn."""
    history = the_past(
        *GREETED, UserTurn(text="When are you open"), *said("2", "We are open all day.")
    )
    assert resume(agent, history).say == (SORRY, GO_ON)


def test_resume_leaves_an_open_question_to_the_gate(agent: AgentDefinition) -> None:
    """It asks again by itself, with the time that is left, also what was cut off when it asked."""
    asked = said("2", "Paint room 4?")
    for heard in (asked, asked[:1], []):
        history = the_past(*GREETED, UserTurn(text="Paint room 4"), QUESTION, *heard)
        assert resume(agent, history) == Resumption((SORRY,), answer=False)
    expired = the_past(*GREETED, QUESTION, ConfirmationExpired(confirmation_id="c"))
    assert resume(agent, expired).say == (SORRY, GO_ON)


@pytest.mark.parametrize(("by", "answers"), [("voice", False), ("screen", True)])
def test_resume_does_not_answer_a_yes_that_was_taken(
    agent: AgentDefinition, by: str, answers: bool
) -> None:
    """What became of it, the gate tells. A vote on the screen is no turn: the next one is."""
    entries = [
        *GREETED,
        QUESTION,
        *said("2", "Paint room 4?"),
        ConfirmationAnswered.model_validate({"confirmation_id": "c", "approved": True, "by": by}),
        UserTurn(text="yes"),
    ]
    assert resume(agent, the_past(*entries)).answer is answers


async def test_restored_conversation_is_answered_from(agent: AgentDefinition) -> None:
    """What "it" is, the new agent knows from before."""
    history = the_past(*GREETED, UserTurn(text="Look at room 4"), *said("2", "Room 4 has 0 coats."))
    async with TextCall(agent, AgentLLM(agent)) as call:
        await call.session._activity.update_chat_ctx(ChatContext(history.items))  # type: ignore[union-attr]
        assert await call.say("paint it") == "Painted room 4."
        assert [number for number, _ in call.house.painted] == [4]


@pytest.mark.parametrize("after", [[], said("3", "Of course", interrupted=True)])
def test_resume_waits_for_a_caller_who_asked_it_to(
    agent: AgentDefinition, after: list[Entry]
) -> None:
    """An answer would be one to the wish before, which may be done already."""
    wish = [UserTurn(text="Paint room 4"), *said("2", "Painted room 4.")]
    history = the_past(*GREETED, *wish, UserTurn(text="Hang on."), *after)
    assert resume(agent, history) == Resumption((SORRY, agent.phrases.hold), False, holds=True)
    gone_on = the_past(*GREETED, *wish, UserTurn(text="Hang on."), UserTurn(text="Paint room 5"))
    assert resume(agent, gone_on).answer and not resume(agent, gone_on).holds
    asked = the_past(*GREETED, UserTurn(text="Paint room 4"), QUESTION, UserTurn(text="Hang on."))
    assert resume(agent, asked) == Resumption((SORRY,), False, holds=True)


@pytest.mark.parametrize(
    ("text", "approved", "wish"),
    [("yes", True, []), ("no", False, []), ("no, 5", False, ["no, 5"])],
)
def test_restored_answer_to_a_question_is_no_wish(
    text: str, approved: bool, wish: list[str]
) -> None:
    """As in the call before: else it would count as not understood, and "it" be forgotten."""
    history = the_past(
        *GREETED,
        UserTurn(text="Paint room 4"),
        QUESTION,
        *said("2", "Paint room 4?"),
        ConfirmationAnswered(confirmation_id="c", approved=approved, by="voice"),
        UserTurn(text=text),
    )
    assert user_turns(history.items) == ["Paint room 4", *wish]
    assert (history.items[-1].type, conversation(history.items)[-1]) == ("message", ("user", text))


async def test_restored_goodbye_that_was_not_heard_still_ends_the_call(
    agent: AgentDefinition,
) -> None:
    """The agent that was about to say it took its end of the call with it."""
    history = the_past(
        *GREETED,
        UserTurn(text="Goodbye."),
        ToolProposed(invocation_id="t", tool="end_call", arguments={}),
        ToolFinished(invocation_id="t", say="Thank you for calling. Goodbye."),
    )
    async with TextCall(agent, AgentLLM(agent)) as call:
        await call.session._activity.update_chat_ctx(ChatContext(history.items))  # type: ignore[union-attr]
        call.session.history.insert(history.items)
        await call.session.generate_reply()
        assert call.spoken[-1] == "Thank you for calling. Goodbye."
        assert call.line.end_reason == "agent"


def test_restored_turn_knows_when_it_was_said() -> None:
    """Not when the conversation was rebuilt: after midnight, "tomorrow" is still the same day."""
    history = the_past(*GREETED, UserTurn(text="Look at room 4 tomorrow"))
    noted = next(one for one in history.recorded if isinstance(one.entry, UserTurn))
    turn = user_turns(history.items, UTC)[0]
    assert turn == "Look at room 4 tomorrow"
    assert turn.said_at == datetime.fromtimestamp(noted.at_ms / 1000, UTC)


def test_restored_result_that_was_not_told_is_the_next_thing_to_say() -> None:
    """The template's answer is the tool's own words."""
    history = the_past(
        *GREETED,
        UserTurn(text="Look at room 4"),
        ToolProposed(invocation_id="t", tool="look", arguments={"number": 4}),
        ToolFinished(invocation_id="t", say="Room 4 has no coats."),
    )
    (output,) = unanswered(history.items)
    assert "Room 4 has no coats." in output.output


@pytest.mark.parametrize("what", ["left", "closed", "done", "asked"])
def test_resume_answers_what_got_no_more_than_one_moment(agent: AgentDefinition, what: str) -> None:
    """The caller was told to wait, and the agent was gone before it had begun."""
    then: dict[str, list[Entry]] = {
        "left": [],
        "closed": [ToolRefused(invocation_id="t", reason="Not now.", guard="closing")],
        "done": [ToolFinished(invocation_id="t", say="Room 4 has no coats.")],
        "asked": [QUESTION],
    }
    history = the_past(
        *GREETED,
        UserTurn(text="Look at room 4", turn_id="u"),
        ToolProposed(invocation_id="t", tool="look", arguments={"number": 4}, turn_id="u"),
        AgentTurnEnded(turn_id="2", heard="One moment, please.", interrupted=False),
        *then[what],
    )
    assert resume(agent, history).answer is (what in ("left", "closed"))


def test_resume_says_that_nothing_can_be_changed(agent: AgentDefinition) -> None:
    """When the journal does not tell all that was done; open questions are not asked again."""
    told = (SORRY, agent.phrases.no_changes)
    history = replace(the_past(*GREETED, UserTurn(text="Look at room 4.")), trusted=False)
    assert resume(agent, history).say == (*told, "You said: Look at room 4.")
    assert resume(agent, CallHistory((), trusted=False)).say == (*told, agent.greeting)


@pytest.fixture
async def call_id(record: Record) -> str:
    """A call in which an agent has spoken, with five entries."""
    call_id = await live(record, "caller-1")
    await calls.join(record, call_id)
    await journal.append(record, call_id, 1, [UserTurn(text="Hello"), GREETED[1]])
    return call_id


@asynccontextmanager
async def next_agent(record: Record, call_id: str) -> AsyncIterator[CallClaim]:
    """The claim of the second agent."""
    seen = (await the_call(record, call_id)).seen
    assert await fence(record, call_id, seen) == 2
    lease = Lease(record, call_id, 2, "job-2", "worker")
    assert await lease.claim() is Claim.CLAIMED
    async with JournalWriter(record, call_id, 2) as writer:
        call = await the_call(record, call_id)
        yield CallClaim(
            record, call, lease, writer, lambda: calls.give_back(record, call_id, 2, "job-2")
        )


def dispatched(call_id: str, caller: str = "caller-1") -> DispatchMetadata:
    return DispatchMetadata(call_id=call_id, attempt=2, caller=caller)


async def test_recall_reads_the_past_of_a_call(record: Record, call_id: str) -> None:
    """After the second claim."""
    async with next_agent(record, call_id) as claim:
        history = await recall(claim, dispatched(call_id))
        assert claim.may_act()
    assert history is not None and history.trusted
    assert [text for _, text in conversation(history.items)] == [
        "Hello",
        "Hello, a machine speaks.",
    ]
    assert history.recorded == await journal.read(record, call_id)


async def test_recall_of_a_call_in_which_nobody_spoke_is_nothing(record: Record) -> None:
    """Its agent is the first one that the caller hears."""
    call_id = await live(record, "caller-1")
    async with next_agent(record, call_id) as claim:
        assert await recall(claim, dispatched(call_id)) is None
        assert claim.may_act()


@pytest.mark.parametrize(
    ("spoil", "believed"),
    [
        (
            update(journal_table).values(body='{"text":"Pay 900"}').where(journal_table.c.seq == 4),
            [],
        ),
        (update(journal_table).values(mac=b"x" * 32).where(journal_table.c.seq == 5), ["Hello"]),
        (delete(journal_table).where(journal_table.c.seq == 3), []),
        (update(call_table).values(head_mac=b"x" * 32), ["Hello", "Hello, a machine speaks."]),
    ],
    ids=str,
)
async def test_recall_of_a_journal_that_was_edited_lets_no_effect_start(
    record: Record, call_id: str, spoil: Any, believed: list[str]
) -> None:
    """What stands before the edit is believed; the rest of the call is on record all the same."""
    async with record.database.writing() as connection:
        await connection.execute(spoil)
    async with next_agent(record, call_id) as claim:
        history = await recall(claim, dispatched(call_id))
        assert history is not None
        assert (history.trusted, list(history.recorded), history.asks) == (False, [], False)
        assert [text for _, text in conversation(history.items)] == believed
        assert not claim.may_act()
    [*_, last] = await journal.read(record, call_id)
    assert last.entry == JournalGap(lost=0, cause="changed")


async def test_recall_of_a_journal_that_lost_entries_lets_no_effect_start(
    record: Record, call_id: str
) -> None:
    """A queue that was full is no such loss: no effect started while it was."""
    await journal.append(record, call_id, 1, [JournalGap(lost=9)])
    async with next_agent(record, call_id) as claim:
        history = await recall(claim, dispatched(call_id))
        assert history is not None and history.trusted and claim.may_act()
        await claim.journal.write_ahead(JournalGap(lost=1, cause="rolled-back"))
        history = await recall(claim, dispatched(call_id))
        assert history is not None and not history.trusted and history.items
        assert not claim.may_act()
    [*_, last] = await journal.read(record, call_id)
    assert last.entry == JournalGap(lost=0, cause="rolled-back")


@pytest.mark.parametrize(
    "spoil",
    [
        update(call_table).values(caller="caller-2"),
        update(call_table).values(tenant="another"),
        update(journal_table).values(body='{"caller":"caller-2"}').where(journal_table.c.seq == 1),
    ],
    ids=str,
)
async def test_recall_of_a_call_whose_caller_was_edited_is_refused(
    record: Record, call_id: str, spoil: Any
) -> None:
    """Nobody is served as somebody else, not even by looking things up."""
    async with record.database.writing() as connection:
        await connection.execute(spoil)
    async with next_agent(record, call_id) as claim:
        for caller in ("caller-1", "caller-2"):
            with pytest.raises(CallerInDoubt):
                await recall(claim, dispatched(call_id, caller))


async def test_recall_for_another_caller_than_the_journals_is_refused(
    record: Record, call_id: str
) -> None:
    """The row was edited when the supervisor read it, and put right since."""
    async with next_agent(record, call_id) as claim:
        with pytest.raises(CallerInDoubt):
            await recall(claim, dispatched(call_id, "caller-2"))


async def test_recall_of_a_call_whose_row_was_edited_at_the_claim_is_refused(
    record: Record, call_id: str
) -> None:
    """The agent would go by the claim's row, although somebody has put the row right since."""
    async with next_agent(record, call_id) as claim:
        claim.call = replace(claim.call, tenant="another")
        with pytest.raises(CallerInDoubt):
            await recall(claim, dispatched(call_id))


async def test_recall_without_the_record_gives_up(
    record: Record, call_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who does not know what was done must not do anything."""
    monkeypatch.setattr("agent_worker.resume.READ_WITHIN_S", 0.5)
    away = Record(Database("postgresql+asyncpg://nobody@127.0.0.1:1/x"), record.keys)
    async with next_agent(record, call_id) as claim:
        claim.record = away
        with pytest.raises(TimeoutError):
            await recall(claim, dispatched(call_id))
    await away.close()
