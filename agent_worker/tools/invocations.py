"""Tool invocations: one for each wish of the caller, however often a model proposes it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import JsonValue

from agent_worker.tools.arguments import Values, digest
from agent_worker.tools.confirmations import Question
from agent_worker.tools.tool import Answer, Caller, Target, Tool

Kind = Literal[
    "done",
    "refused",
    "failed",
    "timeout",
    "unknown",
    "declined",
    "expired",
    "replaced",
    "ended",
    "not-begun",
]
KEPT_MAX = 500


@dataclass(frozen=True)
class Proposal:
    """An invocation that a model or a template proposes."""

    name: str
    """The tool's."""
    raw: Mapping[str, Any]
    """The arguments as proposed."""
    function_call_id: str
    """The framework's id."""
    turn_id: str = ""
    """The caller's turn that it answers."""
    strict: bool = True
    """Whether its arguments were well-formed as the model sent them."""
    current: bool = True
    """Whether it answers what the caller really said last."""
    unsettled: Callable[[], bool] = lambda: False
    """Whether the caller goes on speaking."""
    offer: str = ""
    """The question to the caller, who did not ask for it: the agent's own idea. Else empty."""


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended."""

    kind: Kind
    say: str
    answer: Answer | None = None
    """Only when it is done."""


class Refused(Exception):
    """A guard does not let an invocation through."""

    def __init__(self, guard: str, say: str, kind: Kind = "refused") -> None:
        super().__init__(guard)
        self.guard = guard
        self.say = say
        self.kind = kind


@dataclass(eq=False)
class Invocation:
    """One intended run of a tool, from the first proposal to its outcome."""

    id: str
    """The journal's `invocation_id`."""
    tool: Tool
    values: Values
    digest: str
    """Of what was proposed: the same proposal has the same."""
    full_digest: str
    """Of what runs: the arguments and the target. What is asked and what a key is for."""
    effect_digest: str
    """Of what counts as the same effect, in whatever words it was wished. See `Invocations.aim`."""
    turn_id: str
    """The caller's turn in which it was first proposed."""
    turns: set[str] = field(default_factory=set)
    """All turns that it spans: a proposal in one of them is the same wish."""
    cause: str = ""
    """What its idempotency key is minted for: the turn, later the approval."""
    key: str | None = None
    begun: bool = False
    """Whether its start is on record, so that it may have been done."""
    offer: str = ""
    """The question to a caller who did not ask for it; empty: the caller did."""
    target: Target | None = None
    """What it acts on; None: not looked up yet, or its tool has no `resolve` step."""
    goes_first: bool = False
    """Whether others with the same effect wait for it; it waits for none of them."""
    question: Question | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the question is open."""
    outcome: Outcome | None = None
    quiet: bool = False
    """Whether the agent need not tell its outcome, since the caller has just heard it."""
    tries: "set[asyncio.Task[object]]" = field(default_factory=set)
    """Those that are under way."""
    sent_again: bool = False
    """Whether it was sent once more with its key, so that no try alone tells that it failed."""
    doubt: str = ""
    """Why it is not known what became of it."""
    settled: bool = False
    """Whether it is on record what became of it. Nothing that comes later changes that."""
    late: bool = False
    """Whether its outcome came after it had been given up as unknown."""
    told: bool = False
    """Whether the caller heard `outcome`, not only that it was unknown before."""
    task: "asyncio.Future[Outcome] | None" = None

    def __post_init__(self) -> None:
        self.turns.add(self.turn_id)
        self.cause = self.cause or f"turn:{self.turn_id}"

    def end(self, outcome: Outcome) -> None:
        """Set the outcome that it had before this agent came."""
        self.outcome = outcome
        self.task = asyncio.get_running_loop().create_future()
        self.task.set_result(outcome)

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.tool.effect == "write"

    @property
    def can_be_sent_again(self) -> bool:
        """Whether to send it once more with its key tells what became of it, and does no more."""
        guards = self.tool.guards
        aimed = guards.resolve is None or self.target is not None
        return guards.idempotent and self.key is not None and aimed

    @property
    def shown(self) -> Values:
        """What the caller is shown of it."""
        return {**self.values, **(self.target.shown if self.target else {})}

    @property
    def is_asking(self) -> bool:
        """Whether it waits for the caller's answer."""
        return self.question is not None and not self.question.decided.done()

    def covers(self, turn_id: str) -> bool:
        """Whether the same proposal in that turn is this wish, not a new one."""
        if self.outcome is None:
            return True
        held = self.outcome.kind in ("done", "unknown", "declined", "expired", "replaced", "ended")
        return self.writes and held and turn_id in self.turns


class Invocations:
    """The invocations of a call: the last one for each digest."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._ids: set[str] = set()
        self._latest: dict[str, Invocation] = {}

    def __iter__(self) -> Iterator[Invocation]:
        return iter(list(self._latest.values()))

    def new_id(self, function_call_id: str) -> str:
        """A unique invocation id: the framework's, with a suffix if a model used it before."""
        plain = function_call_id[:100] or "call"
        number, unique = 1, plain
        while unique in self._ids:
            number += 1
            unique = f"{plain}~{number}"
        self._ids.add(unique)
        return unique

    def make(self, invocation_id: str, tool: Tool, values: Values, turn_id: str) -> Invocation:
        """An invocation of this call, not yet kept."""
        means = self._digest(tool, values)
        invocation = Invocation(invocation_id, tool, values, means, means, means, turn_id)
        self.aim(invocation, None)
        return invocation

    def aim(self, invocation: Invocation, target: Target | None) -> None:
        """
        Set what *invocation* acts on.

        The arguments by which it was found do not make another effect of it: "my last one" and "the
        one of Friday" are the same if both mean the same thing. Nor do details, such as a reason.
        """
        guards, values = invocation.tool.guards, invocation.values
        aside = set(guards.details)
        if target is not None and guards.resolve is not None:
            aside |= guards.resolve.reads
            invocation.full_digest = self._digest(invocation.tool, [values, target.id])
        named = target.id if target else None
        counts = {name: one for name, one in values.items() if name not in aside}
        invocation.target = target
        invocation.effect_digest = self._digest(invocation.tool, [counts, named])

    def _digest(self, tool: Tool, means: JsonValue) -> str:
        return digest(self._caller.tenant, self._caller.call_id, tool.name, means)

    def find(self, digest: str) -> Invocation | None:
        """The last invocation with that digest: it would do, or did, the same."""
        return self._latest.get(digest)

    def twin(self, invocation: Invocation) -> Invocation | None:
        """Another one with the same effect that goes first, or was settled in the same turn."""
        return next(
            (
                one
                for one in self._latest.values()
                if one is not invocation
                and one.effect_digest == invocation.effect_digest
                and (one.goes_first or one.outcome is not None)
                and one.covers(invocation.turn_id)
            ),
            None,
        )

    def add(self, invocation: Invocation) -> None:
        """Keep *invocation*."""
        self._latest.pop(invocation.digest, None)
        self._latest[invocation.digest] = invocation
        if len(self._latest) > KEPT_MAX:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        """Never one that is open, nor one that must not be repeated."""
        for key, invocation in self._latest.items():
            if invocation.outcome is not None and invocation.outcome.kind != "unknown":
                del self._latest[key]
                return
