"""What an agent makes of a sentence, and why, as plain text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent_worker.agent import AgentDefinition
from agent_worker.reasoning.dialog import CallEach, CallTool, Dialog, NotUnderstood, Say, follow
from agent_worker.reasoning.match import Match
from agent_worker.reasoning.mentions import journalled, mentions
from agent_worker.reasoning.reading import Candidate
from agent_worker.reasoning.turn import Turn

NEXT_TURN = ">>"
SHOWN = 3
"""How many candidates are printed."""


def parse(agent: AgentDefinition, text: str) -> str:
    """What *agent* makes of each turn in *text*; the turns of a conversation stand between ">>"."""
    turns = [Turn(turn.strip()) for turn in text.split(NEXT_TURN)]
    blocks = [_block(agent, turns[: end + 1]) for end in range(len(turns))]
    return "\n\n".join(
        "\n".join(f"{name + ':':10}{words}" for name, words in one) for one in blocks
    )


def _block(agent: AgentDefinition, turns: Sequence[Turn]) -> Iterator[tuple[str, str]]:
    templates, turn = agent.templates, turns[-1]
    yield "caller", str(turn)
    found = mentions(turn, templates.kinds)
    for one in found:
        kind = templates.kinds[one.list_name]
        said = str(turn)[one.found.start : one.found.end]
        value = json.dumps(journalled(kind, one.found.value))
        asks = f", but asks: {one.found.question}" if one.found.question else ""
        yield "value", f"{said!r} is {one.list_name} {value}{asks}"
    if not found:
        yield "value", "none"
    match = templates.match(turn)
    yield "template", "none accepts it" if match is None else _match(match)
    if match is None or match.free:
        reading = templates.read(turn)
        for candidate in reading.candidates[:SHOWN]:
            yield "example", _candidate(candidate)
        yield "", f"{reading.verdict}: {reading.why}"
    dialog = follow(templates, turns)
    if dialog.intent is not None:
        known = _arguments(dialog.slots)
        yield "open", f"{dialog.intent}({known}), asked for {dialog.asked}"
    yield "agent", _move(dialog)


def _candidate(candidate: Candidate) -> str:
    why = [*candidate.why, *([candidate.refused] if candidate.refused else [])]
    reasons = f"  [{'; '.join(why)}]" if why else ""
    return f"{candidate.score:5.2f} {_match(candidate.match)}{reasons}"


def _match(match: Match) -> str:
    left_open = f", open: {', '.join(match.unsure)}" if match.unsure else ""
    return f"{match.intent}({_arguments(match.slots)}){left_open}"


def _move(dialog: Dialog) -> str:
    match dialog.move:
        case CallTool(name, arguments, offer):
            asks = f", asks first: {offer}" if offer else ""
            return f"calls {name}({_arguments(arguments)}){asks}"
        case CallEach(name, several):
            return ", ".join(f"calls {name}({_arguments(one)})" for one in several)
        case Say(text):
            return f"says: {text}"
        case NotUnderstood(times):
            return f"did not understand ({times} in a row)"
        case None:
            return "greets"


def _arguments(slots: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={json.dumps(value)}" for name, value in slots.items())
