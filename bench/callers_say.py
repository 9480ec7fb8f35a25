"""
A file of what callers say and what it should lead to, and the verdict on each line.

Nothing here knows how a line was played, in text or by voice.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from agent_worker.agent import AgentDefinition
from agent_worker.reasoning.dialog import Dialog, follow
from agent_worker.reasoning.template_file import LAST_ANSWER
from agent_worker.reasoning.turn import Turn
from agent_worker.tools.tool import Tool
from devstack.step import StepError

HEADER = ["tool", "arguments", "sentence"]
NEXT_TURN = ">>"
ASK = "ask"
SPECIAL = frozenset({"none", "closed", "two", "yes", "no", "listening", "wait"})
"""What stands in place of a tool: see docs/agents.md."""
Verdict = Literal["right", "needless question", "missed", "wrong tool or words", "wrong effect"]
VERDICTS: tuple[Verdict, ...] = (
    "right",
    "needless question",
    "missed",
    "wrong tool or words",
    "wrong effect",
)


@dataclass(frozen=True)
class Line:
    """What a caller says, and what it should lead to."""

    number: int
    """In the file, from 1."""
    tool: str
    """A tool, an intent that answers with words, or one of `SPECIAL`."""
    arguments: Mapping[str, Any] | None
    """None: a question is right."""
    turns: tuple[str, ...]


@dataclass(frozen=True)
class Played:
    """What came of a line."""

    turns: tuple[str, ...]
    """What the agent took for turns, as it heard them."""
    at: datetime
    """When, in the caller's time zone."""
    said: str
    """What it said to the last one."""
    said_before: str = ""
    """Its last words before that."""
    proposed: Sequence[tuple[str, Mapping[str, Any]]] = ()
    """The tools that it proposed in reply to the last one, with their arguments."""
    asks: bool = False
    """Whether a question waits for a yes or a no."""
    effects: Sequence[str] = ()
    """What the backend has done."""
    effects_after_yes: Sequence[str] = ()
    """The same after the caller has said yes to whatever was asked."""


def read(file: Path, agent: AgentDefinition, tools: Mapping[str, Tool]) -> list[Line]:
    """
    The lines of *file*: tool, arguments as JSON or `ask`, sentence; tabs between them.

    Raises: StepError: it cannot be read, or a line is not of that form; with its number.
    """
    try:
        rows = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StepError(f"{file}: cannot be read: {error}") from None
    if not rows or rows[0].split("\t") != HEADER:
        raise StepError(f"{file}:1: the header must be {', '.join(HEADER)}, with tabs between")
    known = SPECIAL | tools.keys() | agent.templates.rules.keys()
    return [_line(f"{file}:{n}", n, row, known) for n, row in enumerate(rows[1:], 2) if row.strip()]


def judge(agent: AgentDefinition, tools: Mapping[str, Tool], line: Line, played: Played) -> Verdict:
    """Whether *played* is what *line* wants, and if not, what is wrong."""
    asked_again = (*agent.phrases.not_understood, *agent.phrases.not_heard)
    not_understood = not played.turns or played.said in asked_again
    match line.tool:
        case "yes":
            return _counted(len(played.effects), 1, "missed")
        case "no":
            if played.effects:
                return "wrong effect"
            return "missed" if played.asks and not played.proposed else "right"
        case "closed":
            if played.effects_after_yes:
                return "wrong effect"
            return "missed" if not_understood else "right"
        case "listening":
            return _nothing(played, "right" if not played.turns else "wrong tool or words")
        case "wait":
            held = played.said == agent.phrases.hold
            return _nothing(played, "right" if held else "wrong tool or words")
    if line.tool == "none":
        otherwise: Verdict = "needless question" if _asks(played) else "wrong tool or words"
        return _nothing(played, "right" if not_understood else otherwise)
    if not_understood:
        return "missed"
    if line.tool == "two":
        return _two(tools, line, played)
    if not _only(played.effects, line.tool, played.proposed):
        return "wrong effect"
    dialog = follow(agent.templates, [Turn(turn, played.at) for turn in played.turns])
    asked_for = agent.templates.rules[dialog.intent].tool if dialog.intent else None
    if not played.proposed:
        if asked_for is None:
            return _words(agent, line, played, dialog)
        if asked_for != line.tool:
            return "wrong tool or words"
        return _question(tools, line, played, dialog)
    fits = line.arguments is not None and any(
        name == line.tool and _same(tools[name], line.arguments, arguments, played.at)
        for name, arguments in played.proposed
    )
    return "right" if fits else "wrong tool or words"


def _line(where: str, number: int, row: str, known: frozenset[str]) -> Line:
    cells = row.split("\t")
    if len(cells) != len(HEADER):
        raise StepError(f"{where}: {len(cells)} columns instead of {len(HEADER)}")
    tool, written, sentence = cells
    if tool not in known:
        raise StepError(f"{where}: there is no tool {tool!r}")
    arguments = None
    if written != ASK:
        try:
            arguments = json.loads(written)
        except ValueError:
            arguments = written
        if not isinstance(arguments, dict):
            raise StepError(f"{where}: the arguments must be a JSON object or {ASK}")
    turns = tuple(turn.strip() for turn in sentence.split(NEXT_TURN))
    if not all(turns):
        raise StepError(f"{where}: a turn is empty")
    return Line(number, tool, arguments, turns)


def _counted(count: int, wanted: int, otherwise: Verdict) -> Verdict:
    return "right" if count == wanted else "wrong effect" if count > wanted else otherwise


def _nothing(played: Played, otherwise: Verdict) -> Verdict:
    """The verdict where no tool may run."""
    if played.effects or played.effects_after_yes:
        return "wrong effect"
    return "wrong tool or words" if played.proposed else otherwise


def _asks(played: Played) -> bool:
    return played.asks or played.said.rstrip().endswith("?")


def _two(tools: Mapping[str, Tool], line: Line, played: Played) -> Verdict:
    """One tool that reads ran once for each of several values."""
    assert line.arguments is not None
    if played.effects:
        return "wrong effect"
    if not played.proposed:
        return "needless question" if _asks(played) else "missed"
    (slot, values), *_ = line.arguments.items()
    ran = {name for name, _ in played.proposed}
    if len(ran) != 1 or (tool := tools.get(ran.pop())) is None:
        return "wrong tool or words"
    got = sorted(str(arguments.get(slot)) for _, arguments in played.proposed)
    wanted = sorted(str(_value(tool, slot, value, played.at)[0]) for value in values)
    return "right" if got == wanted else "wrong tool or words"


def _only(effects: Sequence[str], tool: str, proposed: Sequence[tuple[str, Any]]) -> bool:
    """Whether what was done, if anything, is what the caller wished for."""
    return not effects or (len(effects) == 1 and [name for name, _ in proposed] == [tool])


def _words(agent: AgentDefinition, line: Line, played: Played, dialog: Dialog) -> Verdict:
    """The verdict on an answer in words, without a tool."""
    rule = agent.templates.rules.get(line.tool)
    if rule is not None and rule.say is not None:
        if rule.say.replace(LAST_ANSWER, played.said_before) == played.said:
            return "right"
    return "needless question" if dialog.choice or _asks(played) else "wrong tool or words"


def _question(tools: Mapping[str, Tool], line: Line, played: Played, dialog: Dialog) -> Verdict:
    """The verdict on a question: right where it was left open, and what was said is known."""
    if line.arguments is None:
        return "right"
    tool = tools[line.tool]
    wanted = {name: _value(tool, name, one, played.at) for name, one in line.arguments.items()}
    left_open = {name for name, (_, is_open) in wanted.items() if is_open}
    if dialog.asked not in left_open | (tool.arguments.required - wanted.keys()):
        return "needless question"
    known = all(
        name in left_open or _fits(tool, name, value, dialog.slots.get(name), played.at)
        for name, (value, _) in wanted.items()
    )
    return "right" if known else "wrong tool or words"


def _same(tool: Tool, wanted: Mapping[str, Any], got: Mapping[str, Any], now: datetime) -> bool:
    """Whether *got* has the values of *wanted*, and beside them no more than defaults and texts."""
    properties = tool.arguments.schema.get("properties", {})
    for name, value in got.items():
        if name in wanted:
            if not _fits(tool, name, _value(tool, name, wanted[name], now)[0], value, now):
                return False
        elif value != properties.get(name, {}).get("default") and not _is_text(tool, name):
            return False
    return wanted.keys() <= got.keys()


def _fits(tool: Tool, name: str, wanted: Any, got: Any, now: datetime) -> bool:
    if _is_text(tool, name):
        return str(wanted).lower() in str(got or "").lower()
    return got is not None and wanted == _value(tool, name, got, now)[0]


def _value(tool: Tool, name: str, written: Any, now: datetime) -> tuple[Any, bool]:
    """*written* in its canonical form, "friday" as its date; whether its words leave it open."""
    kind = tool.arguments.kinds.get(name)
    if kind is None:
        return written, False
    try:
        return kind.to_json(kind.from_json(written)), False
    except ValueError:
        found = kind.answer(str(written), now)
        if found is None:
            return written, False
        return kind.to_json(found.value), bool(found.question)


def _is_text(tool: Tool, name: str) -> bool:
    """Whether an argument is free text, in which a caller's very words are a matter of taste."""
    schema = tool.arguments.schema.get("properties", {}).get(name, {})
    is_plain = schema.get("type") == "string" and "enum" not in schema
    return is_plain and name not in tool.arguments.kinds
