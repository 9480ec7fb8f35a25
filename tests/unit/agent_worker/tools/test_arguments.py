"""Arguments: strict, canonical, and what stands for them."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from agent_worker.tools.arguments import (
    ARGUMENTS_MAX_BYTES,
    ModelArguments,
    SchemaArguments,
    Values,
    WrongArguments,
    digest,
    dump,
    is_strict,
)


class Visit(BaseModel):
    model_config = ConfigDict(extra="forbid")

    day: date
    people: int = 2
    note: str | None = None


MODEL = ModelArguments(Visit)
SCHEMA = SchemaArguments(
    {
        "title": "Visit",
        "type": "object",
        "properties": {
            "day": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
            "people": {"type": "integer", "default": 2, "minimum": 1},
            "note": {"type": "string"},
            "tenant": {"type": "string"},
        },
        "required": ["day", "tenant"],
    },
    hidden=frozenset({"tenant"}),
)


def test_canonical_arguments_are_complete_json_and_bind_to_python() -> None:
    """Defaults are in: they are shown and hashed as well."""
    values = MODEL.canonical({"day": "2026-12-31"})
    assert values == {"day": "2026-12-31", "people": 2, "note": None}
    assert MODEL.bind(values)["day"] == date(2026, 12, 31)
    assert SCHEMA.canonical({"day": "2026-12-31"}) == {"day": "2026-12-31", "people": 2}


@pytest.mark.parametrize("arguments", [MODEL, SCHEMA])
@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ({}, "day"),
        ({"day": "soon"}, "day"),
        ({"day": "2026-12-31", "people": "2"}, "people"),
        ({"day": "2026-12-31", "people": 2.5}, "people"),
        ({"day": "2026-12-31", "people": True}, "people"),
        ({"day": "2026-12-31", "tenant": "other"}, "tenant"),
        ({"day": "2026-12-31", "as_admin": True}, "as admin"),
    ],
)
def test_wrong_arguments_are_named_and_not_quoted(
    arguments: Any, raw: dict[str, Any], names: str
) -> None:
    """Missing, mistyped, unknown, injected: nothing is coerced."""
    with pytest.raises(WrongArguments, match=f"^I did not get the {names} right\\.$"):
        arguments.canonical(raw)


def test_schema_of_a_server_is_closed_and_hides_what_is_injected() -> None:
    """A model cannot see, let alone set, what the server injects."""
    assert SCHEMA.schema["additionalProperties"] is False
    assert SCHEMA.schema["required"] == ["day"]
    assert SCHEMA.names == {"day", "people", "note"}
    assert "title" not in SCHEMA.schema


def test_too_much_is_refused() -> None:
    """Before anything looks at it."""
    with pytest.raises(WrongArguments, match="too long"):
        MODEL.canonical({"day": "2026-12-31", "note": "x" * ARGUMENTS_MAX_BYTES})
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(WrongArguments):
        MODEL.canonical({"day": deep})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
VALUES = st.dictionaries(st.text(max_size=3), JSON, max_size=4)


@given(VALUES, VALUES)
def test_digest_is_the_same_for_the_same_and_only_then(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Whatever the order of the keys."""
    turned = dict(reversed(one.items()))
    assert digest("t", "c", "tool", one) == digest("t", "c", "tool", turned)
    same = dump(one) == dump(other)
    assert (digest("t", "c", "tool", one) == digest("t", "c", "tool", other)) is same


def test_digest_of_numbers_is_that_of_their_value() -> None:
    """A server's schema takes 10 and 10.0 for the same; a yes is no number."""
    same: list[Values] = [{"a": [10]}, {"a": [10.0]}, {"a": [1e1]}]
    assert len({digest("t", "c", "tool", one) for one in same}) == 1
    others: list[Values] = [{"a": 1}, {"a": True}, {"a": "1"}, {"a": 1.5}, {"a": 0}, {"a": False}]
    assert len({digest("t", "c", "tool", one) for one in others}) == 6


def test_digest_belongs_to_tenant_call_and_tool() -> None:
    """An approval can not be carried over to another."""
    values: Values = {"number": 1}
    digests = {
        digest(tenant, call, tool, values)
        for tenant in ("a", None)
        for call in ("1", "2")
        for tool in ("pay", "note")
    }
    assert len(digests) == 8 and all(len(one) == 64 for one in digests)


@pytest.mark.parametrize("text", ["", "{}", '{"a": 1}', '{"a": {"b": [1, "x", null]}}'])
def test_strict_json_is_accepted(text: str) -> None:
    """One complete object; nothing at all means no arguments."""
    assert is_strict(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1,',
        '{"a": 1',
        "{'a': 1}",
        '{"a": 1} {"b": 2}',
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 2}}',
        '{"a": NaN}',
        '{"a": Infinity}',
        "[1]",
        '"{}"',
        "null",
        '{"a": "' + "x" * ARGUMENTS_MAX_BYTES + '"}',
        "[" * 100_000,
    ],
)
def test_json_that_would_be_repaired_is_not_strict(text: str) -> None:
    """Cut off, doubled, wrapped, or no JSON at all."""
    assert not is_strict(text)
