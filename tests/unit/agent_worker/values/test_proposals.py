"""Values as a model proposes them: parameters of tools, in canonical form or in words."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pytest
from livekit.agents.llm import ToolError

from agent_worker.tools.arguments import WrongArguments
from agent_worker.tools.tool import Answer, ToolMistake, tool
from agent_worker.values import Day, DayKind, Money, Number, OneOf, TimeOfDayKind
from tests.support.gate_scene import Scene
from voice_contract.journal import ToolRefused

OpenAt = Annotated[time, TimeOfDayKind(between=(time(9), time(18)))]
Work = Annotated[Literal["check", "repair"], OneOf({"check": ("look over",), "repair": ()})]
NOW = datetime(2026, 12, 2, 10, tzinfo=ZoneInfo("America/New_York"))


@tool(effect="read")
async def visit(
    day: Day | None = None,
    at: OpenAt | None = None,
    price: Money | None = None,
    work: Work = "check",
    rooms: list[Number] = [],  # noqa: B006
) -> Answer:
    """Visit."""
    return Answer(say=f"{day} {at} {price} {work} {rooms}")


ARGUMENTS = visit.arguments


def test_proposal_in_words_becomes_canonical_and_binds_to_python() -> None:
    """As of the moment when it was proposed; then it is settled."""
    said = {"day": "next Monday", "at": "quarter past three", "price": "twelve fifty"}
    values = ARGUMENTS.canonical({**said, "work": "look over", "rooms": ["one oh four"]}, now=NOW)
    assert values == {
        **{"day": "2026-12-07", "at": "15:15", "price": "12.50"},
        **{"work": "check", "rooms": [104]},
    }
    assert ARGUMENTS.bind(values) == {
        **{"day": date(2026, 12, 7), "at": time(15, 15), "price": Decimal("12.50")},
        **{"work": "check", "rooms": [104]},
    }
    assert ARGUMENTS.canonical(values) == values


@pytest.mark.parametrize(
    ("raw", "asked"),
    [
        ({"day": "next Friday"}, "Do you mean Friday, December 4, or Friday, December 11?"),
        ({"at": "seven"}, "Seven in the morning, or seven in the evening?"),
        ({"work": "a check or a repair"}, "Do you mean check, or repair?"),
        ({"day": "some day"}, "I did not get the day right."),
        ({"day": "next Friday", "at": "never"}, "I did not get the at and the day right."),
        ({"rooms": [True]}, "I did not get the rooms right."),
    ],
)
def test_proposal_whose_words_leave_a_question_open_asks_it(
    raw: dict[str, Any], asked: str
) -> None:
    """In words that can be spoken."""
    with pytest.raises(WrongArguments) as wrong:
        ARGUMENTS.canonical(raw, now=NOW)
    assert str(wrong.value) == asked


@pytest.mark.parametrize("raw", [{"day": "tomorrow"}, {"at": "3pm"}, {"rooms": ["7"]}])
def test_proposal_in_words_needs_the_moment(raw: dict[str, Any]) -> None:
    """What was journalled is read in its canonical form only."""
    with pytest.raises(WrongArguments):
        ARGUMENTS.canonical(raw)
    with pytest.raises(WrongArguments):
        ARGUMENTS.bind(raw)


def test_schema_describes_the_canonical_form_to_a_model() -> None:
    """And that the caller's own words will do."""
    properties = ARGUMENTS.schema["properties"]
    day, null = properties["day"]["anyOf"]
    assert day["type"] == "string"
    assert "2026-12-31" in day["description"]
    assert "in the words of the caller" in day["description"]
    assert null == {"type": "null"}
    assert properties["work"]["enum"] == ["check", "repair"]
    assert properties["rooms"]["items"] == {
        **{"type": "integer", "minimum": 1, "maximum": 999_999_999},
    }


def test_kind_on_a_parameter_of_another_type_is_a_mistake() -> None:
    """Its values would not be what the annotation says."""
    with pytest.raises(ToolMistake, match="DayKind is for a date"):

        @tool(effect="read")
        async def look(day: Annotated[str, DayKind()]) -> Answer:
            """Look."""
            return Answer(say=day)


@pytest.mark.parametrize(
    ("zone", "day"), [("Pacific/Auckland", "2025-06-17"), ("America/New_York", "2025-06-16")]
)
@pytest.mark.usefixtures("virtual_time")
async def test_gate_reads_words_in_the_callers_time_zone(zone: str, day: str) -> None:
    """At the same moment it is another day elsewhere."""
    scene = Scene(tools=[visit], time_zone=zone)
    at = datetime.fromtimestamp(scene.turning.now_ms() / 1000, UTC)
    assert (at.year, at.month, at.day, at.hour) == (2025, 6, 15, 15)
    done = await scene.call("visit", {"day": "tomorrow"})
    assert done.say.startswith(day)


@pytest.mark.usefixtures("virtual_time")
async def test_gate_refuses_with_the_question_that_words_leave_open() -> None:
    """It is on record as such, and the model asks it."""
    scene = Scene(tools=[visit], time_zone="America/New_York")
    with pytest.raises(ToolError, match=r"^Seven in the morning, or seven in the evening"):
        await scene.call("visit", {"at": "at seven"})
    (refused,) = scene.wrote(ToolRefused)
    assert refused.guard == "arguments"
