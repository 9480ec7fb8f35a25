"""Invocations: one per wish of the caller, however often the model proposes it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from agent_worker.tools.arguments import Values
from agent_worker.tools.confirmations import Question
from agent_worker.tools.tool import Answer, Tool

Kind = Literal[
    "done", "refused", "failed", "timeout", "unknown", "declined", "expired", "ended", "not-begun"
]
KEPT_MAX = 500


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended."""

    kind: Kind
    say: str
    answer: Answer | None = None
    """Of one that is done."""


class Refused(Exception):
    """A guard does not let an invocation through."""

    def __init__(self, guard: str, say: str, kind: Kind = "refused") -> None:
        super().__init__(guard)
        self.guard = guard
        self.say = say
        self.kind = kind


@dataclass(eq=False)
class Invocation:
    """A wish, from the first proposal to its outcome."""

    id: str
    """The journal's `invocation_id`."""
    tool: Tool
    values: Values
    digest: str
    turn_id: str
    """The caller's turn in which it was first proposed."""
    turns: set[str] = field(default_factory=set)
    """All turns that it spans: a proposal in one of them is the same wish."""
    cause: str = ""
    """What its effect's key belongs to: the turn, later the approval."""
    key: str | None = None
    question: Question | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the question is open."""
    outcome: Outcome | None = None
    quiet: bool = False
    """Whether what came of it needs no words: the caller just got them."""
    begun: bool = False
    """Whether an agent before this one began it: only its run is left."""
    late: bool = False
    """Whether its outcome came after all that was given up as unknown."""
    task: "asyncio.Future[Outcome] | None" = None

    def __post_init__(self) -> None:
        self.turns.add(self.turn_id)
        self.cause = self.cause or f"turn:{self.turn_id}"

    def end(self, outcome: Outcome) -> None:
        """It has ended before this agent came."""
        self.outcome = outcome
        self.task = asyncio.get_running_loop().create_future()
        self.task.set_result(outcome)

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.tool.effect == "write"

    def covers(self, turn_id: str) -> bool:
        """Whether the same proposal in that turn is this wish, not a new one."""
        if self.outcome is None:
            return True
        if self.outcome.kind == "unknown":
            return not self.tool.guards.idempotent
        held = self.outcome.kind in ("done", "declined", "expired", "ended")
        return self.writes and held and turn_id in self.turns


class Invocations:
    """The invocations of a call, by what they would do."""

    def __init__(self) -> None:
        self._latest: dict[str, Invocation] = {}

    def __iter__(self) -> Iterator[Invocation]:
        return iter(list(self._latest.values()))

    def find(self, digest: str) -> Invocation | None:
        """The last invocation that would do, or did, the same."""
        return self._latest.get(digest)

    def add(self, invocation: Invocation) -> None:
        """Keep *invocation*."""
        self._latest.pop(invocation.digest, None)
        self._latest[invocation.digest] = invocation
        if len(self._latest) > KEPT_MAX:
            self._drop_oldest()

    def open(self) -> list[Invocation]:
        """Those without an outcome."""
        return [invocation for invocation in self if invocation.outcome is None]

    def _drop_oldest(self) -> None:
        """Never one that is open, nor one that must not be repeated."""
        for digest, invocation in self._latest.items():
            if invocation.outcome is not None and invocation.outcome.kind != "unknown":
                del self._latest[digest]
                return
