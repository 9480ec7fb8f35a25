"""
Checks what a model writes about a call against the call's journal.

What the journal does not support is left out and counted. If nothing is left of a part, it is
written from the journal alone.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from post_call import summary
from post_call.call_facts import CallFacts
from post_call.evidence import Evidence, dates_in, evidence
from voice_contract.follow_up import ActionItem, CallSummary

OWNERS = frozenset({"caller", "agent", "operator", "staff"})
EVIDENCE_KINDS = ("turn.", "tool.", "confirmation.", "client.")


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Deed(_Answer):
    """Something that was done."""

    text: str = Field(max_length=500)
    evidence: list[int] = Field(description="Numbers of the lines that show it.")


class SummaryAnswer(_Answer):
    """What a model is asked for."""

    reason: str = Field(max_length=500, description="Why the caller called, in one sentence.")
    outcome: summary.Outcome
    text: str = Field(max_length=3_000, description="Two to five sentences.")
    done: list[Deed] = Field(max_length=20, description="What tools and the app really did.")
    open_questions: list[str] = Field(max_length=20)
    sentiment: Literal["positive", "neutral", "negative"] = Field(
        description="The caller's, at the end."
    )


class ItemAnswer(_Answer):
    """Something that is left to do."""

    text: str = Field(max_length=500)
    owner: str | None = Field(
        description="caller, agent, operator, staff, or a name that was said."
    )
    due: str | None = Field(description="A date as 2026-12-31, only where one was said.")
    evidence: list[int] = Field(description="Numbers of the lines where it was said.")


class ItemsAnswer(_Answer):
    """What a model is asked for."""

    items: list[ItemAnswer] = Field(max_length=20)


@dataclass(frozen=True)
class CheckedSummary:
    """A summary that the journal supports."""

    summary: CallSummary
    dropped: int


@dataclass(frozen=True)
class CheckedItems:
    """Action items that the journal supports."""

    items: list[ActionItem]
    dropped: int


def check_summary(facts: CallFacts, answer: SummaryAnswer) -> CheckedSummary:
    """What is true of *answer*."""
    known = evidence(facts)
    text, dropped = known.supported(answer.text)
    reason = answer.reason if known.supports(answer.reason) else ""
    deeds = [deed for deed in answer.done if known.supports(deed.text) and _shown(facts, deed)]
    questions = [one for one in answer.open_questions if known.supports(one)]
    outcome: summary.Outcome = answer.outcome
    if outcome == "resolved" and (facts.unresolved or facts.is_incomplete):
        outcome = "unresolved"
        dropped += 1
    dropped += len(answer.done) - len(deeds) + len(answer.open_questions) - len(questions)
    dropped += not reason
    return CheckedSummary(
        CallSummary(
            reason=reason or summary.why(facts),
            outcome=outcome,
            text=text or summary.summarize(facts).text,
            done=[deed.text for deed in deeds],
            open_questions=questions,
            sentiment=answer.sentiment,
        ),
        dropped,
    )


def check_items(facts: CallFacts, answer: ItemsAnswer) -> CheckedItems:
    """What is true of *answer*."""
    known = evidence(facts)
    items = []
    dropped = 0
    for item in answer.items:
        seqs = [seq for seq in dict.fromkeys(item.evidence) if _tells(facts, seq)]
        if not seqs or not known.supports(item.text):
            dropped += 1
            continue
        owner, due = _owner(facts, item.owner), _due(facts, known, item.due)
        dropped += (owner != item.owner) + (due != item.due)
        items.append(ActionItem(text=item.text, owner=owner, due=due, evidence=seqs))
    return CheckedItems(items, dropped)


def _shown(facts: CallFacts, deed: Deed) -> bool:
    """Whether a tool that finished, or something the app did, is named as evidence."""
    done = {seq for tool in facts.finished for seq in tool.seqs}
    done |= {seq for step in facts.client_steps if step.was_done for seq in step.seqs}
    return bool(done & set(deed.evidence))


def _tells(facts: CallFacts, seq: int) -> bool:
    return facts.kinds.get(seq, "").startswith(EVIDENCE_KINDS)


def _owner(facts: CallFacts, owner: str | None) -> str | None:
    if not owner or owner.lower() in OWNERS:
        return owner
    said = " ".join([*facts.texts(), facts.call.display_name or ""]).lower()
    return owner if owner.lower() in said else None


def _due(facts: CallFacts, known: Evidence, due: str | None) -> str | None:
    said = {day.isoformat() for day in dates_in(facts.texts(), known.day)}
    return due if due in said else None
