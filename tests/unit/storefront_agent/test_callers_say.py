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
from agent_worker.values import DayKind
from examples.storefront.agent import AGENT
from tests.unit.storefront_agent.shop_call import NOW

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
    if "day" in wanted:
        day = DayKind().answer(wanted["day"], NOW)
        assert day is not None and not day.question
        wanted["day"] = day.value.isoformat()
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


@pytest.mark.parametrize(
    ("said", "tool", "arguments"),
    [
        ("could you please stop my order, it's number 23", "cancel_order", {"order_number": 23}),
        ("my order is broken, number 16, money back", "refund_order", {"order_number": 16}),
        (
            "the thing is I got a parcel, order nine, and the bell is bent, so I'd like a refund",
            "refund_order",
            {"order_number": 9},
        ),
    ],
)
def test_number_said_apart_is_no_wish_of_its_own(
    said: str, tool: str, arguments: dict[str, Any]
) -> None:
    """It belongs to the wish beside it."""
    assert _called(follow(TEMPLATES, [Turn(said, NOW)])) == (tool, arguments)


@pytest.mark.parametrize(
    ("said", "day", "time"),
    [
        ("I want to change my appointment from Friday to Monday", "2026-11-23", None),
        ("move it from Friday at nine to Monday at ten", "2026-11-23", "10:00"),
        ("move my repair from Friday at nine to Monday", "2026-11-23", None),
        (
            "I have an appointment on Friday at nine, move it to ten on Monday",
            "2026-11-23",
            "10:00",
        ),
    ],
)
def test_appointment_is_moved_to_the_day_after_to(said: str, day: str, time: str | None) -> None:
    """Not asked about, where the words say which one is meant."""
    dialog = follow(TEMPLATES, [Turn(said, NOW)])
    known = dialog.spoken_of
    assert (dialog.intent or dialog.last_intent) == "move_appointment"
    assert (known.get("day"), known.get("time")) == (day, time)


@pytest.mark.parametrize(
    ("said", "query"),
    [
        ("do you have pumps and how much are they", "pumps"),
        ("do you have a lock, and is it any good", "lock"),
        ("do you sell locks and chains", "locks chains"),
        ("how pricey are those cargo bikes", "cargo bike"),
        ("how much it costs the helmet for child", "helmet"),
    ],
)
def test_product_is_what_is_asked_about(said: str, query: str) -> None:
    """No more, and no other words of the sentence."""
    assert _called(follow(TEMPLATES, [Turn(said, NOW)])) == ("find_product", {"query": query})


def test_it_is_what_the_same_sentence_named() -> None:
    """No order is meant by "cancel it" after an appointment."""
    dialog = follow(
        TEMPLATES, [Turn("I have an appointment on Friday, I'd like to cancel it", NOW)]
    )
    assert "cancel_order" not in (dialog.intent, dialog.last_intent)
    dialog = follow(TEMPLATES, [Turn("order nine has the wrong pedals, refund it", NOW)])
    assert _called(dialog) == ("refund_order", {"order_number": 9})


@pytest.mark.parametrize(
    ("said", "tool", "arguments"),
    [
        (
            "i need a refund for order number one oh four its fourteen dollars and fifty cents",
            "refund_order",
            {"order_number": 104, "amount_dollars": 14.5},
        ),
        ("i need some time on friday at three for the brakes", "book_appointment", None),
        ("i need a big helmet", "find_product", {"query": "helmet"}),
        ("buy a lock for 20 dollars", "find_product", {"query": "lock for 20 dollars"}),
    ],
)
def test_values_are_no_part_of_a_product(
    said: str, tool: str, arguments: dict[str, Any] | None
) -> None:
    """Where they say what is meant."""
    called, given = _called(follow(TEMPLATES, [Turn(said, NOW)]))
    assert called == tool
    assert arguments is None or given == arguments


@pytest.mark.parametrize(
    ("said", "tool", "arguments"),
    [
        ("cancel order 9 instead of 10", "cancel_order", {"order_number": 9}),
        ("instead of order 10 cancel order 9", "cancel_order", {"order_number": 9}),
        ("can you get rid of order 9, not 10", "cancel_order", {"order_number": 9}),
        ("no, I said order fifteen, not fifty", "order_status", {"order_number": 15}),
        (
            "refund ten dollars on order 14 >> no, number twelve",
            "refund_order",
            {"order_number": 12, "amount_dollars": 10},
        ),
    ],
)
def test_number_that_is_not_meant_is_no_wish(
    said: str, tool: str, arguments: dict[str, Any]
) -> None:
    turns = [Turn(turn, NOW) for turn in said.split(">>")]
    assert _called(follow(TEMPLATES, turns)) == (tool, arguments)


def test_number_corrects_what_was_said_last() -> None:
    """Where two slots could take it."""
    for said, wanted in (
        ("refund order 14, ten dollars", {"order_number": 14, "amount_dollars": 12}),
        ("refund ten dollars of order 14", {"order_number": 12, "amount_dollars": 10}),
    ):
        dialog = follow(TEMPLATES, [Turn(said, NOW), Turn("no, twelve", NOW)])
        assert _called(dialog) == ("refund_order", wanted)


@pytest.mark.parametrize(
    "said",
    [
        "cancel order 9, actually no",
        "move my appointment to friday at ten >> no, leave it as it is",
        "cancel order 9 tomorrow",
        "cancel my appointment >> no not that one, the fitting",
        "order 9 was cancelled by mistake",
    ],
)
def test_what_is_taken_back_or_told_leads_to_nothing_else(said: str) -> None:
    """No end of the call, and no appointment."""
    tool, _ = _called(follow(TEMPLATES, [Turn(turn, NOW) for turn in said.split(">>")]))
    assert tool in (None, "cancel_order", "order_status")
    if "tomorrow" not in said:
        assert tool != "cancel_order"
