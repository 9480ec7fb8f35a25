"""
How much of what callers say the shop's agent understands, on two lists of sentences.

Nobody looks at the unseen ones while sentences are written for the agent: they tell how it does on
the words of a stranger.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from agent_worker.reasoning.dialog import CallEach, CallTool, Dialog, NotUnderstood, Say, follow
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn
from examples.storefront.agent import AGENT
from examples.storefront.agent.speech import WEEKDAYS, parse_day
from tests.unit.storefront_agent.conftest import NOW

TEMPLATES = AGENT.templates
Verdict = Literal["right", "question", "not understood", "wrong tool", "wrong effect"]
NOT_COMPARED = frozenset({"question", "reason", "kind"})
"""What these are given is a matter of taste."""


@dataclass(frozen=True)
class Row:
    """
    A sentence and what it should lead to: a tool and its arguments, or `"ask"` for a question.

    The tool is `none` where nothing may happen, `two` where one runs for each value.
    """

    seen: bool
    tool: str
    arguments: dict[str, Any] | Literal["ask"]
    sentence: str


def _rows() -> list[Row]:
    lines = Path(__file__).with_name("callers_say.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines]
    return [
        Row(seen == "seen", tool, "ask" if wanted == "ask" else json.loads(wanted), sentence)
        for seen, tool, wanted, sentence in rows
    ]


ROWS = _rows()


def judge(row: Row, templates: Templates = TEMPLATES) -> Verdict:
    """What becomes of the sentence, said first in a call."""
    dialog = follow(templates, [Turn(row.sentence, NOW)])
    tool, arguments = _called(dialog)
    if tool is None:
        asked_for = TEMPLATES.rules[dialog.intent].tool if dialog.intent else None
        if row.arguments == "ask" and asked_for == row.tool:
            return "right"
        if isinstance(dialog.move, NotUnderstood):
            return "right" if row.tool == "none" else "not understood"
        return "question"
    if row.tool == "two":
        right = isinstance(dialog.move, CallEach) and row.arguments != "ask"
        return "right" if right and _same(arguments, row) else "wrong tool"
    if tool == row.tool and _same(arguments, row):
        return "right"
    return "wrong effect" if TEMPLATES.changes(tool) and tool != row.tool else "wrong tool"


def _called(dialog: Dialog) -> tuple[str | None, Mapping[str, Any]]:
    match dialog.move:
        case CallTool(name, arguments):
            return name, arguments
        case CallEach(name, several):
            return name, {key: [one[key] for one in several] for key in several[0]}
        case Say(text):
            said = (name for name, rule in TEMPLATES.rules.items() if rule.say == text)
            return next(said, None), {}
    return None, {}


def _same(got: Mapping[str, Any], row: Row) -> bool:
    if row.arguments == "ask":
        return False
    wanted = dict(row.arguments)
    if wanted.get("day") in (*WEEKDAYS, "today", "tomorrow"):
        wanted["day"] = parse_day(wanted["day"], NOW.date()).isoformat()
    if (query := wanted.pop("query", None)) and query not in got.get("query", ""):
        return False
    if any(got.get(name) != value for name, value in wanted.items()):
        return False
    return {*got} - {*row.arguments} <= NOT_COMPARED


@pytest.mark.parametrize(("seen", "right_min"), [(True, 0.9), (False, 0.8)])
def test_most_of_what_callers_say_is_understood(seen: bool, right_min: float) -> None:
    """The right tool with the right values, in words that no template has."""
    verdicts = Counter(judge(row) for row in ROWS if row.seen is seen)
    assert verdicts["right"] >= right_min * verdicts.total(), verdicts
    assert verdicts["wrong tool"] <= 1, verdicts
    assert verdicts["wrong effect"] == 0, verdicts


def test_lists_are_long_enough() -> None:
    """And nothing stands in both."""
    assert len({row.sentence for row in ROWS}) == len(ROWS) >= 80
    assert 2 * sum(not row.seen for row in ROWS) >= len(ROWS)


def test_no_sentence_is_an_example() -> None:
    """What is learned by heart would prove nothing."""
    learned = {
        example.lower().rstrip("?")
        for rule in TEMPLATES.rules.values()
        for example in (*rule.examples, *rule.counter_examples)
    }
    assert not [row.sentence for row in ROWS if row.sentence.lower().rstrip("?") in learned]
