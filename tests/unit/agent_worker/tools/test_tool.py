"""How a function becomes a tool."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from agent_worker.tools.arguments import WrongArguments
from agent_worker.tools.tool import Answer, Caller, IdempotencyKey, ToolMistake, tool


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_no_docstring, "silent: needs a docstring"),
        (_not_async, "slow: a tool must be async"),
        (_no_annotation, "vague: parameter item has no type annotation"),
        (_no_annotation_of_injected, "vague: parameter shop has no type annotation"),
    ],
)
def test_tool_of_an_unfit_function_is_refused(make: Any, message: str) -> None:
    """Each mistake is told at import, with the function's place."""
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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"effect": "maybe"}, 'effect must be "read" or "write"'),
        ({"effect": "read", "confirm": "Sure?"}, "only a tool that writes"),
        ({"effect": "read", "idempotent": True}, "only a tool that writes"),
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
        ({"effect": "write", "timeout_s": 61}, "timeout_s must be within 60 s"),
        ({"effect": "write", "expires_s": 0}, "expires_s within 300 s"),
        ({"effect": "write", "max_per_call": 0}, "max_per_call must be at least 1"),
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


def test_question_has_the_arguments_in_words() -> None:
    """Round numbers without a point, yes and no, and what was not said."""
    values = pay.arguments.canonical({"amount": 5.0, "to": "Ann", "tags": ["a", "b"]})
    assert pay.question(values) == "Pay 5 to ANN?"
    assert pay.in_words(values) == {
        "amount": "5",
        "to": "ANN",
        "note": "not said",
        "urgent": "no",
        "tags": "a, b",
    }


def test_question_is_not_formatted_twice() -> None:
    """Braces in what a model says stay what they are."""
    values = pay.arguments.canonical({"amount": 5, "to": "{amount}"})
    assert pay.question(values) == "Pay 5 to {AMOUNT}?"
