"""What the caller sees of the work after the call."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class CallSummary(BaseModel):
    """What the call was about, from its journal alone."""

    model_config = ConfigDict(extra="forbid")

    reason: str
    """Why the caller called."""
    outcome: Literal["resolved", "unresolved", "unknown"]
    text: str
    """A few sentences to read."""
    done: list[str] = []
    """What was done by tools and client actions."""
    open_questions: list[str] = []
    sentiment: Literal["positive", "neutral", "negative"] | None = None
    """None: no model was there to judge."""


class ActionItem(BaseModel):
    """Something that is left to do."""

    model_config = ConfigDict(extra="forbid")

    text: str
    owner: str | None = None
    due: str | None = None
    """A date as 2026-12-31, where one was said."""
    evidence: list[int] = []
    """Sequence numbers of the journal."""


class FollowUp(BaseModel):
    """Answer of `GET /api/calls/{call_id}/follow-up`."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["waiting", "ready", "failed"]
    """`failed`: the work is parked; a person will look at it."""
    summary: CallSummary | None = None
    action_items: list[ActionItem] = []
    ticket: str | None = None
    """The ticket's number where one was opened."""
