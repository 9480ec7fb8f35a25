"""
The other systems that hear of a call, behind small protocols.

One of your own is named by a setting as `module:Class`. Its class method `connect(timeout_s)` makes
it before the service starts, from settings of its own; `aclose()` ends it.

Each raises `TryAgain` or `Refused` of `post_call.http`. The same key never leaves two things: the
other system sees to that, or is asked first whether it has the thing already.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from voice_contract.follow_up import ActionItem, CallSummary


@dataclass(frozen=True)
class Report:
    """What other systems may be told of a call."""

    call_id: str
    caller: str
    display_name: str | None
    tenant: str | None
    started_at: datetime
    ended_at: datetime
    end_reason: str
    summary: CallSummary
    action_items: list[ActionItem]
    ticket: str | None
    """The ticket's number, if one was opened by now."""
    activity: str | None
    """The CRM's number of the call."""
    journal_seq: int
    journal_mac: str
    """Of the journal's last entry, hexadecimal: keep it to detect a journal that was cut short."""
    journal_key_id: str


@dataclass(frozen=True)
class NewTicket:
    """Something for a person to look at."""

    call_id: str
    subject: str
    """At most 150 characters, one line."""
    text: str
    """At most 8,000 characters."""


@runtime_checkable
class Crm(Protocol):
    """A system in which calls are logged with their callers."""

    name: str

    async def log_call(self, report: Report, key: str) -> str:
        """Find the contact or create it, and log the call. Returns: the activity's number."""

    async def aclose(self) -> None:
        """No more calls follow."""


@runtime_checkable
class Tickets(Protocol):
    """A system in which tickets are opened."""

    name: str
    knows_keys: bool
    """False: it was asked first, so a request whose fate is not known needs time to settle."""

    async def open(self, ticket: NewTicket, key: str) -> str:
        """Open it, or find it opened before. Returns: its number."""

    async def aclose(self) -> None:
        """No more tickets follow."""


class Endpoint(Protocol):
    """An endpoint that is told of every call."""

    name: str

    async def deliver(self, report: Report, key: str) -> None:
        """Send it; returns when it was accepted."""
