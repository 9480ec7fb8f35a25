"""How a function becomes a tool."""

import functools
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from agent_worker.tools.arguments import WrongArguments
from agent_worker.tools.tool import Answer, Caller, IdempotencyKey, Target, ToolMistake, tool
from agent_worker.values import (
    Day,
    MoneyKind,
    NumberKind,
    OneOf,
    SpelledName,
    TimeOfDayKind,
)


@tool(effect="write", timeout_s=7)
async def order(
    item: Annotated[str, Field(max_length=10, description="What is wanted.")],
    kind: Literal["big", "small"] = "small",
    *,
    caller: Caller,
    key: IdempotencyKey,
) -> Answer:
    """Order something."""
    return Answer(say=f"{caller.identity} {item} {kind} {key}")


def test_schema_is_what_a_model_may_set_and_nothing_else() -> None:
    """Name, docstring and positional parameters; no titles, no injected parameters."""
    assert order.schema == {
        "name": "order",
        "description": "Order something.",
        "parameters": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "item": {"type": "string", "maxLength": 10, "description": "What is wanted."},
                "kind": {"type": "string", "enum": ["big", "small"], "default": "small"},
            },
            "required": ["item"],
        },
    }


def test_schema_property_that_is_called_title_is_kept() -> None:
    """Only the titles that pydantic makes go, not a parameter of that name."""

    @tool(effect="read")
    async def find(title: str) -> Answer:
        """Find."""
        return Answer(say=title)

    assert find.schema["parameters"]["properties"] == {"title": {"type": "string"}}


def test_tool_knows_effect_time_and_injections() -> None:
    """What the decorator was given, and what the server must fill in, by type."""
    assert (order.effect, order.guards.timeout_s) == ("write", 7)
    assert order.injected == {"caller": Caller, "key": IdempotencyKey}


def test_arguments_extra_ones_are_refused() -> None:
    """A model cannot pass what it cannot see, least of all what is injected."""
    with pytest.raises(WrongArguments):
        order.arguments.canonical({"item": "a", "caller": "me"})


async def test_tool_without_arguments_has_an_empty_object() -> None:
    """A tool without parameters still has a schema of an object."""

    @tool(effect="read")
    async def ping() -> Answer:
        """Ping."""
        return Answer(say="pong")

    assert ping.schema["parameters"]["properties"] == {}
    assert (await ping.run()).say == "pong"


def _no_docstring() -> Any:
    async def silent() -> Answer:
        return Answer(say="")

    return silent


def _not_async() -> Any:
    def slow() -> Answer:
        """Block."""
        return Answer(say="")

    return slow


def _no_annotation() -> Any:
    async def vague(item) -> Answer:  # type: ignore[no-untyped-def]
        """Do something."""
        return Answer(say=str(item))

    return vague


def _no_annotation_of_injected() -> Any:
    async def vague(*, shop) -> Answer:  # type: ignore[no-untyped-def]
        """Do something."""
        return Answer(say=str(shop))

    return vague


def _no_such_annotation() -> Any:
    async def vague(item: "list[int") -> Answer:  # type: ignore[valid-type]  # noqa: F722
        """Do something."""
        return Answer(say=str(item))

    return vague


def _annotation_of_no_schema() -> Any:
    async def vague(item: list[memoryview]) -> Answer:
        """Do something."""
        return Answer(say=str(item))

    return vague


def _private_parameter() -> Any:
    async def vague(item: str, _item: str) -> Answer:
        """Do something."""
        return Answer(say=item)

    return vague


def _reserved_parameter() -> Any:
    async def vague(model_config: str) -> Answer:
        """Do something."""
        return Answer(say=model_config)

    return vague


def _caller_that_a_model_sets() -> Any:
    async def vague(caller: Caller) -> Answer:
        """Do something."""
        return Answer(say=caller.identity)

    return vague


def _default_of_another_type() -> Any:
    async def vague(count: int = None) -> Answer:  # type: ignore[assignment]  # noqa: RUF013
        """Do something."""
        return Answer(say=str(count))

    return vague


def _no_answer() -> Any:
    async def vague() -> str:
        """Do something."""
        return "done"

    return vague


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_no_docstring, "silent: needs a docstring"),
        (_not_async, "slow: a tool must be async"),
        (_no_annotation, "vague: parameter item has no type annotation"),
        (_no_annotation_of_injected, "vague: parameter shop has no type annotation"),
        (_no_such_annotation, "vague: an annotation is wrong: "),
        (_annotation_of_no_schema, "vague: parameter item: .*memoryview[^.]*$"),
        (_private_parameter, "vague: parameter _item: .*such a name"),
        (_reserved_parameter, "vague: parameter model_config: "),
        (_caller_that_a_model_sets, r"vague: parameter caller: put it after `\*`"),
        (
            _default_of_another_type,
            "vague: the default of parameter count: should be",
        ),
        (_no_answer, "vague: a tool must return an Answer"),
        (lambda: 3, "a tool must be async"),
        (lambda: functools.partial(_no_answer()), "a tool must be async"),
        (lambda: type("Shop", (), {}), "a tool must be async"),
    ],
)
def test_tool_of_an_unfit_function_is_refused(make: Any, message: str) -> None:
    """Each mistake is told at import, with file and line of the function."""
    with pytest.raises(TypeError, match=message) as caught:
        tool(effect="read")(make())
    assert __name__.rpartition(".")[2] in str(caught.value)


def test_answer_with_an_unknown_field_is_refused() -> None:
    """A typing error in an answer does not pass silently."""
    with pytest.raises(ValidationError):
        Answer.model_validate({"say": "a", "date": {}})


def limited(amount: float) -> None:
    """Not too much."""


def unlike(colour: str) -> None:
    """Of another tool."""


def undocumented(amount: float) -> None:
    return None


class Unnamed:
    """A rule that is no function."""

    def __call__(self, amount: float) -> None:
        """Not too much."""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"effect": "read", "confirm": "Sure?"}, "only a tool that writes"),
        ({"effect": "read", "idempotent": True}, "only a tool that writes"),
        ({"effect": "write", "confirm_by": "screen"}, "confirm_by needs a question"),
        ({"effect": "write", "confirm": "Pay {sum}?"}, "confirm: there is no parameter 'sum'"),
        ({"effect": "write", "confirm": "Pay {key}?"}, "confirm: there is no parameter 'key'"),
        ({"effect": "write", "confirm": "Pay {amount.real}?"}, "only plain"),
        ({"effect": "write", "confirm": "Pay {amount:.2f}?"}, "only plain"),
        ({"effect": "write", "confirm": "Pay {amount!r}?"}, "only plain"),
        ({"effect": "write", "confirm": "Pay {}?"}, "only plain"),
        ({"effect": "write", "confirm": "Pay {amount?"}, "confirm: "),
        ({"effect": "write", "policy": [unlike]}, "rule unlike: no parameter 'colour'"),
        ({"effect": "write", "policy": [undocumented]}, "undocumented: needs a docstring"),
        ({"effect": "write", "in_words": {"sum": str}}, "in_words: there is no parameter 'sum'"),
        ({"effect": "write", "policy": [Unnamed()]}, "policy: a rule must be a function"),
    ],
)
def test_tool_with_guards_that_make_no_sense_is_refused(
    options: dict[str, Any], message: str
) -> None:
    """When the agent is loaded, with file, line and tool."""

    async def pay(amount: float, *, key: IdempotencyKey) -> Answer:
        """Pay."""
        return Answer(say="Paid.")

    with pytest.raises(ToolMistake, match=message) as caught:
        tool(**options)(pay)
    assert "test_tool.py:" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"effect": "maybe"}, "should be 'read' or 'write'"),
        ({"effect": "write", "confirm": 3}, "should be a valid string"),
        ({"effect": "write", "confirm": ""}, "should have at least 1 character"),
        ({"effect": "write", "timeout_s": 61}, "should be less than or equal to 60"),
        ({"effect": "write", "timeout_s": "x"}, "should be a valid number"),
        ({"effect": "write", "timeout_s": float("nan")}, "should be "),
        ({"effect": "write", "idempotent": "yes"}, "should be a valid boolean"),
        ({"effect": "write", "confirm": "Go?", "confirm_by": "voice"}, "'any' or 'screen'"),
        ({"effect": "write", "backend": 3}, "should be a valid string"),
        ({"effect": "write", "policy": limited}, "should be an instance of Sequence"),
        ({"effect": "write", "policy": [3]}, "should be callable"),
        ({"effect": "write", "max_per_call": 0}, "should be greater than or equal to 1"),
        ({"effect": "write", "max_per_call": 2.5}, "should be a valid integer"),
        ({"effect": "write", "expires_s": 0}, "should be greater than 0"),
        ({"effect": "write", "in_words": str}, "should be a valid dictionary"),
        ({"effect": "write", "in_words": {"amount": "x"}}, "should be callable"),
    ],
)
def test_tool_with_a_guard_of_the_wrong_kind_is_refused(
    options: dict[str, Any], message: str
) -> None:
    """The guard that is wrong is named; who loads the agent adds file and line."""
    with pytest.raises(ValidationError, match=message) as caught:
        tool(**options)
    (problem,) = caught.value.errors()
    assert problem["loc"][0] == list(options)[-1]


@tool(effect="write", confirm="Pay {amount} to {to}?", policy=[limited], in_words={"to": str.upper})
async def pay(
    amount: float,
    to: str,
    note: str | None = None,
    urgent: bool = False,
    tags: list[str] | None = None,
) -> Answer:
    """Pay."""
    return Answer(say="Paid.")


NOW = datetime(2026, 11, 18, 10, 15, tzinfo=UTC)
"""A Wednesday."""


async def find_visit(name: str | None) -> Target:
    """The visit."""
    return Target("1")


def test_question_has_the_arguments_in_words() -> None:
    """Round numbers without a point, yes and no, and what was not said."""
    values = pay.arguments.canonical({"amount": 5.0, "to": "Ann", "tags": ["a", "b"]})
    assert pay.question(values, NOW) == "Pay 5 to ANN?"
    assert pay.in_words(values, NOW) == {
        "amount": "5",
        "to": "ANN",
        "note": "not said",
        "urgent": "no",
        "tags": "a, b",
    }


def test_question_is_not_formatted_twice() -> None:
    """Braces in what a model says stay what they are."""
    values = pay.arguments.canonical({"amount": 5, "to": "{amount}"})
    assert pay.question(values, NOW) == "Pay 5 to {AMOUNT}?"


@tool(
    effect="write",
    confirm="{work} on {day} at {at} for {price}?",
    in_words={"name": lambda name: f"for {name or 'nobody'}"},
    resolve=find_visit,
)
async def visit(
    day: Day,
    at: Annotated[time, TimeOfDayKind(between=(time(9), time(18)))],
    work: Annotated[str, OneOf({"full_check": ("check",)})],
    price: Annotated[Decimal, MoneyKind(), Field(gt=0)],
    room: Annotated[int, NumberKind(1, 99)],
    other_day: Day | None = None,
    name: SpelledName | None = None,
    *,
    target: Target,
) -> Answer:
    """Visit."""
    return Answer(say="Done.")


def test_values_are_worded_by_their_kind() -> None:
    """Also optional ones; what the author words goes first, and what is shown besides stays."""
    said = {"day": "tomorrow", "at": "at 3", "work": "check", "price": "12.5", "room": 7}
    values = visit.arguments.canonical(said, now=NOW)
    assert visit.question(values, NOW) == (
        "full check on tomorrow, Thursday, November 19 at 3 PM for 12 dollars and 50 cents?"
    )
    shown = {**values, "other_day": "2026-12-04", "name": "Ann", "when": "2026-11-18"}
    assert visit.in_words(shown, NOW) == {
        "day": "tomorrow, Thursday, November 19",
        "at": "3 PM",
        "work": "full check",
        "price": "12 dollars and 50 cents",
        "room": "7",
        "other_day": "Friday, December 4",
        "name": "for Ann",
        "when": "2026-11-18",
    }
    assert visit.in_words({"other_day": None, "name": None, "day": "the same"}, NOW) == {
        "other_day": "not said",
        "name": "for nobody",
        "day": "the same",
    }


@tool(effect="write")
async def transfer(amount: Decimal) -> Answer:
    """Transfer an exact amount."""
    return Answer(say="Transferred.")


@pytest.mark.parametrize("text", ["10", "10.00", "1E+1", "100E-1", 10, 10.0])
def test_exact_number_has_one_form(text: Any) -> None:
    """In another form it would be another wish."""
    assert transfer.arguments.canonical({"amount": text}) == {"amount": "10"}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("0.00", "0"),
        ("-0", "0"),
        ("0.10", "0.1"),
        ("12345678901234567890123456789.10", "12345678901234567890123456789.1"),
        ("1E+999999", "1E+999999"),
        ("0E-999999", "0"),
    ],
)
def test_exact_number_keeps_its_value(text: str, form: str) -> None:
    """However long it is; an odd exponent is not written out."""
    values = transfer.arguments.canonical({"amount": text})
    assert values == {"amount": form}
    assert transfer.arguments.bind(values)["amount"] == Decimal(text)
