"""
What a call's journal says: one entry a fact, each of a kind.

An entry's kind and its body (the other fields, as JSON) are stored apart. Readers keep kinds and
fields that they do not know, so fields may be added with a default, never removed or renamed.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
)

BODY_MAX_BYTES = 65_536
SAID_MAX_CHARACTERS = 8_000


class EntryTooLarge(ValueError):
    """An entry's body is larger than 65,536 bytes, nested too deeply, or has too long a number."""


def _cut(text: str) -> str:
    # What is no valid Unicode could not be stored.
    valid = text.encode(errors="replace").decode()
    return valid if len(valid) <= SAID_MAX_CHARACTERS else valid[: SAID_MAX_CHARACTERS - 1] + "…"


Said = Annotated[str, AfterValidator(_cut)]
"""What somebody says, for which no call should break: cut after 8,000 characters, marked by …."""
Name = Annotated[str, Field(max_length=200)]
Arguments = dict[str, JsonValue]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


# Lifecycle. What moves a call's state is written in one transaction with the move.


class CallRequested(_Body):
    """Admitted; the first entry of every call."""

    kind: Literal["call.requested"] = "call.requested"
    caller: Name
    tenant: Name | None = None
    display_name: Name | None = None


class CallClaimed(_Body):
    """An agent took the call; which attempt it is, the entry itself says."""

    kind: Literal["call.claimed"] = "call.claimed"
    owner: Name
    worker_id: Name


class CallJoined(_Body):
    """The caller is in the room for the first time."""

    kind: Literal["call.joined"] = "call.joined"


class CallLeft(_Body):
    """The caller left the room without hanging up."""

    kind: Literal["call.left"] = "call.left"
    reason: Name = ""


class CallReturned(_Body):
    """The caller is back; `another_device` says that it took over from one still there."""

    kind: Literal["call.returned"] = "call.returned"
    another_device: bool = False


class CallEnding(_Body):
    """The call is over for the caller."""

    kind: Literal["call.ending"] = "call.ending"
    reason: Name


class CallEnded(_Body):
    """Seals the journal: nothing follows it."""

    kind: Literal["call.ended"] = "call.ended"
    reason: Name


# The conversation.


class UserTurn(_Body):
    """What the caller said or typed, as understood."""

    kind: Literal["turn.user"] = "turn.user"
    text: Said
    typed: bool = False
    turn_id: Name = ""
    """Tool invocations name the turn that they answer by it; it stays when the agent changes."""


class AgentTurnStarted(_Body):
    """The agent begins to speak."""

    kind: Literal["turn.agent.started"] = "turn.agent.started"
    turn_id: Name
    planned: Said
    """May be a part only: of a streaming answer what is known when it begins."""


class AgentTurnEnded(_Body):
    """The agent stopped speaking."""

    kind: Literal["turn.agent.ended"] = "turn.agent.ended"
    turn_id: Name
    heard: Said
    """The words that reached the caller."""
    interrupted: bool
    protected: bool = False
    """The caller could not interrupt it: without `interrupted`, it was heard to its end."""
    invocation_ids: tuple[Name, ...] = ()
    """The invocations whose results this turn told."""


class IntentState(_Body):
    """What the dialog is about now, after a turn."""

    kind: Literal["intent.state"] = "intent.state"
    intent: Name | None
    slots: Arguments = {}
    asking: Name | None = None
    """The slot that was asked for."""


# Tools and confirmations.


class ToolProposed(_Body):
    """A model or a template proposes to run a tool."""

    kind: Literal["tool.proposed"] = "tool.proposed"
    invocation_id: Name
    tool: Name
    arguments: Arguments
    turn_id: Name = ""
    """The caller's turn that it answers."""
    duplicate_of: Name = ""
    """The earlier invocation that it repeats: it waits for that one's result."""


class ToolRefused(_Body):
    """The gate did not let it through."""

    kind: Literal["tool.refused"] = "tool.refused"
    invocation_id: Name
    reason: Said
    guard: Name = ""
    """Which of the gate's guards."""


class ConfirmationAsked(_Body):
    """The caller is asked whether a tool may run."""

    kind: Literal["confirmation.asked"] = "confirmation.asked"
    confirmation_id: Name
    invocation_id: Name
    tool: Name
    title: Said
    arguments: Arguments
    digest: Name
    """SHA-256 of what is asked, hexadecimal: what runs is what was asked."""
    expires_in_ms: int
    target: Name | None = None
    """The backend's name for what it acts on, where the tool looked that up."""
    shown: Arguments = {}
    """What the caller was shown of the target."""


class ConfirmationAnswered(_Body):
    """The caller said yes or no."""

    kind: Literal["confirmation.answered"] = "confirmation.answered"
    confirmation_id: Name
    approved: bool
    by: Literal["voice", "text", "screen"]


class ConfirmationExpired(_Body):
    """Nobody answered in time, the same was asked in another way, or the call ended."""

    kind: Literal["confirmation.expired"] = "confirmation.expired"
    confirmation_id: Name
    reason: Literal["time", "replaced", "call-ended"] = "time"


class ConfirmationRefused(_Body):
    """An answer that does not count."""

    kind: Literal["confirmation.refused"] = "confirmation.refused"
    confirmation_id: Name
    sender: Name
    reason: Literal["stranger", "changed", "unknown", "malformed"]


class ToolStarted(_Body):
    """Durable before the tool does anything."""

    kind: Literal["tool.started"] = "tool.started"
    invocation_id: Name
    tool: Name
    effect: Literal["read", "write"]
    arguments: Arguments
    idempotency_key: Name | None = None
    target: Name | None = None
    """The backend's name for what it acts on, where the tool looked that up."""
    shown: Arguments = {}
    """What the caller was shown of the target."""


class ToolFinished(_Body):
    """It is done; this is its answer."""

    kind: Literal["tool.finished"] = "tool.finished"
    invocation_id: Name
    say: Said
    data: Arguments = {}


class ToolFailed(_Body):
    """It is known not to be done."""

    kind: Literal["tool.failed"] = "tool.failed"
    invocation_id: Name
    reason: Said


class ToolUnknown(_Body):
    """Whether it is done is not known."""

    kind: Literal["tool.unknown"] = "tool.unknown"
    invocation_id: Name
    reason: Said


class ClientActionProposed(_Body):
    """The agent suggests that the caller's app does something."""

    kind: Literal["client.proposed"] = "client.proposed"
    action_id: Name
    action: Name
    arguments: Arguments = {}


class ClientActionOutcome(_Body):
    """The outcome, as the caller's app reports it."""

    kind: Literal["client.outcome"] = "client.outcome"
    action_id: Name
    outcome: Name
    detail: Said = ""


# What it took.


class BudgetEvent(_Body):
    """A budget of the call, of a turn or of a tool is nearly or fully used up."""

    kind: Literal["budget"] = "budget"
    budget: Name
    used: float
    limit: float


class Usage(_Body):
    """What the providers counted so far, by name with its unit (`llm_input_tokens`)."""

    kind: Literal["usage"] = "usage"
    amounts: dict[str, float]


GapCause = Literal["queue-full", "rolled-back", "changed"]


class JournalGap(_Body):
    """
    What stands before this entry is not all that happened, or not what happened.

    `queue-full`: the database did not answer for too long. `rolled-back`: it lost what it had
    stored. `changed`: somebody edited it. After the last two the agent starts no effect any more.
    """

    kind: Literal["journal.gap"] = "journal.gap"
    lost: int
    """Entries that are known to be lost; there may be more if `cause` is not `queue-full`."""
    cause: GapCause = "queue-full"

    @property
    def ends_effects(self) -> bool:
        """Whether what was done can no longer be known from the journal."""
        return self.cause != "queue-full"


class Unknown(_Body):
    """An entry that this version cannot read; kept as it is."""

    kind: str
    body: str


Known = (
    CallRequested
    | CallClaimed
    | CallJoined
    | CallLeft
    | CallReturned
    | CallEnding
    | CallEnded
    | UserTurn
    | AgentTurnStarted
    | AgentTurnEnded
    | IntentState
    | ToolProposed
    | ToolRefused
    | ConfirmationAsked
    | ConfirmationAnswered
    | ConfirmationExpired
    | ConfirmationRefused
    | ToolStarted
    | ToolFinished
    | ToolFailed
    | ToolUnknown
    | ClientActionProposed
    | ClientActionOutcome
    | BudgetEvent
    | Usage
    | JournalGap
)
Entry = Known | Unknown
JOURNAL_ENTRY: TypeAdapter[Known] = TypeAdapter(Annotated[Known, Field(discriminator="kind")])
"""The tagged union of every kind that this version knows."""
_MODELS: Mapping[str, type[Any]] = {
    model.model_fields["kind"].default: model for model in get_args(Known)
}


def encode(entry: Entry) -> tuple[str, str]:
    """
    Returns: the entry's kind and its body, a JSON object.

    Raises: EntryTooLarge.
    """
    if isinstance(entry, Unknown):
        kind, body = entry.kind, entry.body
    else:
        kind, body = entry.kind, entry.model_dump_json(exclude={"kind"})
    if len(body.encode()) > BODY_MAX_BYTES:
        raise EntryTooLarge(f"{kind}: more than {BODY_MAX_BYTES} bytes")
    # Pydantic writes deeper JSON and longer numbers than it reads. An entry that no reader knows
    # would be passed over: an effect that was started, or done, would be forgotten.
    if not isinstance(entry, Unknown) and isinstance(decode(kind, body), Unknown):
        raise EntryTooLarge(f"{kind}: it could not be read again")
    return kind, body


def decode(kind: str, body: str) -> Entry:
    """The entry of that kind and body; `Unknown` when this version cannot read it."""
    try:
        model = _MODELS[kind]
        entry: Known = model.model_validate_json(body)
    except (KeyError, ValidationError):
        return Unknown(kind=kind, body=body)
    return entry
