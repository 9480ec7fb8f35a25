"""What happened in a call, told by its journal alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from call_record.calls import Call
from call_record.journal import Recorded
from call_record.timeline import fold
from call_record.timeline_parts import CallerTurn, Invocation, InvocationState
from post_call import money
from voice_contract.journal import Arguments, ToolFinished

NOT_DONE = ("rejected", "declined", "refused", "failed", "unsupported", "expired", "error")
"""How the outcome of a client action begins when nothing was done."""
LEFT = "The caller said yes, and the call ended before it was begun."


@dataclass(frozen=True)
class Turn:
    """Something that was said."""

    seq: int
    who: Literal["caller", "agent"]
    text: str


@dataclass
class ToolCall:
    """A tool from its proposal to its end."""

    invocation_id: str
    tool: str = ""
    arguments: Arguments = field(default_factory=dict)
    effect: Literal["read", "write", ""] = ""
    state: InvocationState = "proposed"
    words: str = ""
    """Its answer, or the reason why there is none."""
    data: Arguments = field(default_factory=dict)
    idempotency_key: str | None = None
    seq: int = 0
    """Its position in the order of what was done."""
    seqs: list[int] = field(default_factory=list)

    @property
    def went_wrong(self) -> bool:
        """Whether it was to be done and is not known to be done."""
        return self.state in ("started", "failed", "unknown")

    @property
    def is_in_doubt(self) -> bool:
        """Whether it may have been done. That the same was done later says nothing of this one."""
        return self.state == "unknown" or (self.state == "started" and self.effect == "write")

    @property
    def called(self) -> str:
        """The tool and its arguments, for people."""
        arguments = ", ".join(
            f"{name.replace('_', ' ')} {value}"
            for name, value in self.arguments.items()
            if value is not None
        )
        tool = self.tool.replace("_", " ")
        return f"{tool} ({arguments})" if arguments else tool


@dataclass
class Confirmation:
    """A question whether a tool may run; `approved` None: nobody answered."""

    title: str
    invocation_id: str
    seqs: list[int]
    approved: bool | None = None


@dataclass
class ClientStep:
    """Something that the caller's app was asked to do; `outcome` "": it did not say."""

    action: str
    arguments: Arguments
    seqs: list[int]
    outcome: str = ""

    @property
    def was_done(self) -> bool:
        """Whether the app says that it did it."""
        return bool(self.outcome) and not self.outcome.lower().startswith(NOT_DONE)


@dataclass
class CallFacts:
    """The facts of a call. Times are Unix times in milliseconds."""

    call: Call
    turns: list[Turn] = field(default_factory=list)
    tools: list[ToolCall] = field(default_factory=list)
    confirmations: list[Confirmation] = field(default_factory=list)
    client_steps: list[ClientStep] = field(default_factory=list)
    kinds: dict[int, str] = field(default_factory=dict)
    """The kind of every entry that is not erased, by its sequence number."""
    returns: int = 0
    """How often the caller was cut off and came back."""
    lost: int = 0
    """Entries that are known not to be in the journal."""
    is_incomplete: bool = False
    """Whether more may have been done than the journal tells."""

    @property
    def caller_turns(self) -> list[Turn]:
        """What the caller said."""
        return [turn for turn in self.turns if turn.who == "caller"]

    @property
    def finished(self) -> list[ToolCall]:
        """Tools that did what they were to do."""
        return [one for one in self.tools if one.state == "finished"]

    @property
    def unresolved(self) -> list[ToolCall]:
        """Tools that went wrong, less failures after which the same was done in the end."""
        return [
            one
            for index, one in enumerate(self.tools)
            if one.is_in_doubt
            or (
                one.went_wrong
                and not any(
                    other.state == "finished"
                    and (other.tool, other.arguments) == (one.tool, one.arguments)
                    for other in self.tools[index + 1 :]
                )
            )
        ]

    @property
    def refused(self) -> list[ToolCall]:
        """Tools that were not let through, or said no."""
        return [one for one in self.tools if one.state == "refused"]

    def texts(self) -> Iterator[str]:
        """Every text and value in which a fact may stand."""
        for turn in self.turns:
            yield turn.text
        for tool in self.tools:
            yield from (tool.tool.replace("_", " "), tool.words)
            yield from _values([tool.arguments, tool.data])
        for asked in self.confirmations:
            yield asked.title
        for step in self.client_steps:
            yield step.action.replace("_", " ")
            yield from _values([step.arguments])

    def lines(self) -> Iterator[tuple[int, str]]:
        """What was said and done, in order: sequence number and words."""
        found = [(turn.seq, f"{turn.who}: {turn.text}") for turn in self.turns]
        for tool in self.tools:
            outcome = f"{tool.state}: {tool.words}" if tool.words else tool.state
            found.append((tool.seq, f"tool {tool.called} {outcome}"))
        for asked in self.confirmations:
            answer = {None: "not answered", True: "approved", False: "declined"}[asked.approved]
            found.append((asked.seqs[-1], f"asked to confirm: {asked.title} {answer}"))
        for step in self.client_steps:
            outcome = step.outcome or "no answer"
            found.append((step.seqs[-1], f"app {step.action.replace('_', ' ')}: {outcome}"))
        return iter(sorted(found))


def tell(call: Call, recorded: Iterable[Recorded]) -> CallFacts:
    """The facts of a call. What was erased or is of a kind unknown here is left out."""
    line = fold(recorded)
    return CallFacts(
        call,
        turns=[
            Turn(turn.seq, "caller" if isinstance(turn, CallerTurn) else "agent", turn.text)
            for turn in line.turns
            if turn.text or isinstance(turn, CallerTurn)
        ],
        tools=[_tool(one) for one in line.invocations if one.seqs],
        confirmations=[
            Confirmation(
                one.asked.entry.title,
                one.asked.entry.invocation_id,
                one.seqs,
                one.answered.entry.approved if one.answered else None,
            )
            for one in line.confirmations
            if one.asked
        ],
        client_steps=[
            ClientStep(
                one.proposed.entry.action,
                one.proposed.entry.arguments,
                [one.proposed.seq, *(outcome.seq for outcome in one.outcomes)],
                one.outcomes[-1].entry.outcome if one.outcomes else "",
            )
            for one in line.client_actions
            if one.proposed
        ],
        kinds=line.kinds,
        returns=len(line.returns),
        lost=sum(gap.entry.lost for gap in line.gaps),
        is_incomplete=any(gap.entry.ends_effects for gap in line.gaps),
    )


def _tool(invocation: Invocation) -> ToolCall:
    end = invocation.end
    # Who said yes counts on it, and nobody could tell them.
    left = invocation.is_left and invocation.confirmation is not None
    return ToolCall(
        invocation.invocation_id,
        tool=invocation.tool,
        arguments=invocation.arguments,
        effect=invocation.started.effect if invocation.started else "",
        state="failed" if left else invocation.state,
        words=LEFT if left else invocation.words,
        data=end.data if isinstance(end, ToolFinished) else {},
        idempotency_key=invocation.idempotency_key,
        seq=invocation.seq,
        seqs=invocation.seqs,
    )


def _values(found: Iterable[JsonValue]) -> Iterator[str]:
    for value in found:
        match value:
            case dict():
                for name, inner in value.items():
                    yield from money.said(name, inner)
                    yield from _values([inner])
            case list():
                yield from _values(value)
            case None | bool():
                pass
            case _:
                yield str(value)
