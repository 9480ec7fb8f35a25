"""
What an agent asks before it acts, and the caller's answer.

The journal holds the truth; messages are hints. The agent pushes `Confirmations` on every change,
the page pulls them when it joins and reconnects, and repeats its vote until it gets a result. With
each pull it says which cards it shows: only then can a spoken yes mean one of them.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

PENDING_MAX = 8
"""The most questions that are open at the same time."""
QUESTION_MAX_CHARS = 1_500
"""Of a question and its arguments together. They are never cut: a longer one is not asked."""
ConfirmationId = Annotated[str, Field(min_length=1, max_length=64)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of tenant, call, tool and canonical arguments: what runs is what was shown."""


class ArgumentInWords(BaseModel):
    """One argument, as a person reads it; never cut."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=100)
    value: str = Field(max_length=1_500)


class PendingConfirmation(BaseModel):
    """A question that is open."""

    model_config = ConfigDict(extra="forbid")

    id: ConfirmationId
    title: str = Field(max_length=500)
    """The question in words: `Clear room 9?`"""
    tool: str = Field(max_length=64)
    arguments: list[ArgumentInWords] = Field(max_length=20)
    """All of them."""
    digest: Digest
    expires_in_ms: int = Field(ge=0)
    """By the agent's clock, when the message was made."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        words = (self.title, *(part for one in self.arguments for part in (one.name, one.value)))
        if sum(map(len, words)) > QUESTION_MAX_CHARS:
            raise ValueError("too long to be asked")
        return self


class DecidedConfirmation(BaseModel):
    """
    How a question ended. `replaced`: the same was asked in another way; `ended`: with the call.
    """

    model_config = ConfigDict(extra="forbid")

    id: ConfirmationId
    state: Literal["approved", "declined", "expired", "replaced", "ended"]
    by: Literal["voice", "text", "screen"] | None = None
    """How the caller answered; None: without an answer."""


class Confirmations(BaseModel):
    """All open questions, oldest first; it replaces what was sent before."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["confirmations"] = "confirmations"
    pending: list[PendingConfirmation] = Field(max_length=PENDING_MAX)
    decided: list[DecidedConfirmation] = Field(default=[], max_length=PENDING_MAX)
    """The questions that were decided last, oldest first."""


class CardsShown(BaseModel):
    """The questions that the caller's page shows as cards now."""

    model_config = ConfigDict(extra="forbid")

    shown: list[ConfirmationId] = Field(max_length=PENDING_MAX)


class ConfirmationVote(BaseModel):
    """The caller's answer on the card. The first vote counts."""

    model_config = ConfigDict(extra="forbid")

    id: ConfirmationId
    digest: Digest
    approved: bool


ConfirmationState = Literal["approved", "declined", "expired", "replaced", "changed", "unknown"]


class ConfirmationResult(BaseModel):
    """
    The state of the question after the vote.

    `changed`: the digest is not that of the open question. `unknown`: there is no such question.
    """

    model_config = ConfigDict(extra="forbid")

    state: ConfirmationState
