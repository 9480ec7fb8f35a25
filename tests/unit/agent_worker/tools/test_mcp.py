"""The policy table of an MCP server, and the tools that become of it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from agent_worker.tools.arguments import WrongArguments
from agent_worker.tools.mcp import Listed, McpServer, allow, as_tools, mcp_server
from agent_worker.tools.tool import Answer, Caller, IdempotencyKey, ToolMistake, ToolRefused

SCHEMA = {
    "type": "object",
    "properties": {
        "amount": {"type": "number", "exclusiveMinimum": 0},
        "to": {"type": "string", "maxLength": 20},
        "key": {"type": "string"},
        "who": {"type": "string"},
    },
    "required": ["amount", "to", "key"],
}
LISTING = {"pay": Listed(description="Pay.", parameters=SCHEMA)}


def modest(amount: float) -> None:
    """At most 100."""
    if amount > 100:
        raise ToolRefused("That is too much.")


def bank(**changes: Any) -> McpServer:
    """A server with one tool that may be used."""
    guards: dict[str, Any] = {
        "effect": "write",
        "confirm": "Pay {amount} to {to}?",
        "idempotent": True,
        "policy": [modest],
        "inject": {"key": "idempotency_key", "who": "caller"},
    }
    return mcp_server(
        "bank", url="http://127.0.0.1:1/mcp", tools={"pay": allow(**guards | changes)}
    )


class Sent:
    """What was sent to the server."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    async def __call__(self, name: str, arguments: dict[str, Any]) -> Answer:
        self.calls.append((name, arguments))
        return Answer(say="Paid.")


async def test_tool_of_a_server_hides_what_is_injected_and_sends_it() -> None:
    """A model sees amount and receiver; key and caller come from the gate."""
    sent = Sent()
    (pay,) = as_tools(bank(), LISTING, sent)
    assert (pay.name, pay.description, pay.backend) == ("pay", "Pay.", "mcp:bank")
    assert pay.schema["parameters"]["properties"].keys() == {"amount", "to"}
    values = pay.arguments.canonical({"amount": 5, "to": "Ann"})
    with pytest.raises(WrongArguments, match="the key right"):
        pay.arguments.canonical({"amount": 5, "to": "Ann", "key": "mine"})
    injected = {
        name: Caller("me", "call") if kind is Caller else IdempotencyKey("call:1")
        for name, kind in pay.injected.items()
    }
    await pay.run(**pay.arguments.bind(values), **injected)
    assert sent.calls == [("pay", {"amount": 5, "to": "Ann", "key": "call:1", "who": "me"})]
    assert pay.question(values, datetime.now(UTC)) == "Pay 5 to Ann?"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"confirm": "Pay {sum}?"}, "bank.pay: confirm: there is no parameter 'sum'"),
        ({"inject": {"nonce": "idempotency_key"}}, "inject: there is no parameter 'nonce'"),
        ({"in_words": {"sum": str}}, "in_words: there is no parameter 'sum'"),
    ],
)
def test_guards_that_speak_of_what_the_server_has_not_are_told(
    changes: dict[str, Any], message: str
) -> None:
    """With file and line, when the server was asked."""
    with pytest.raises(ToolMistake, match=message) as caught:
        as_tools(bank(**changes), LISTING, Sent())
    assert "test_mcp.py:" in str(caught.value)


def test_tool_that_the_server_has_not_is_told() -> None:
    """It may have been renamed: nothing is offered then, and nothing starts."""
    with pytest.raises(ToolMistake, match=r"test_mcp\.py:\d+: bank\.pay: the server has no such"):
        as_tools(bank(), {}, Sent())


def test_schema_that_is_none_is_told() -> None:
    """A server's mistake stops at the door."""
    listing = {"pay": Listed(parameters={"properties": {"key": {}, "who": {}, "amount": {"type": 7},
                                                        "to": {}}})}  # fmt: skip
    with pytest.raises(ToolMistake, match="the server's schema is wrong"):
        as_tools(bank(), listing, Sent())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: allow(effect="read", confirm="Sure?"), "only a tool that writes"),
        (lambda: allow(effect="write", idempotent=True), "needs a parameter to inject"),
        (
            lambda: allow(effect="read", inject={"key": "idempotency_key"}),
            "only a tool that writes has an idempotency_key",
        ),
        (
            lambda: mcp_server("b", tools={"x": allow(effect="read")}, command=["c"], env=["A=1"]),
            "env: give the names of environment variables, without their values",
        ),
        (lambda: mcp_server("b", tools={}, url="http://x"), "no tool is allowed"),
        (lambda: mcp_server("b", tools={"x": allow(effect="read")}), "either command or url"),
        (
            lambda: mcp_server("b", tools={"x": allow(effect="read")}, url="u", command=["c"]),
            "either command or url",
        ),
        (lambda: mcp_server("b c", tools={"x": allow(effect="read")}, url="u"), "a name is made"),
        (lambda: mcp_server("b", tools={"x y": allow(effect="read")}, url="u"), "cannot be the"),
    ],
)
def test_table_that_makes_no_sense_is_told_where_it_stands(make: Any, message: str) -> None:
    """File and line of the author's own code."""
    with pytest.raises(ToolMistake, match=message) as caught:
        make()
    assert "test_mcp.py:" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"effect": "maybe"}, "should be 'read' or 'write'"),
        ({"timeout_s": 0}, "should be greater than 0"),
        ({"max_per_call": 0}, "should be greater than or equal to 1"),
        (
            {"inject": {"key": "callid"}},
            "should be 'caller', 'caller_name', 'call_id', 'tenant'",
        ),
        ({"inject": "key"}, "should be a valid dictionary"),
        ({"errors_are_refusals": 1}, "should be a valid boolean"),
        ({"description": 3}, "should be a valid string"),
        ({"backend": "bank"}, "Unexpected keyword argument"),
    ],
)
def test_guard_of_the_wrong_kind_is_refused(changes: dict[str, Any], message: str) -> None:
    """As in `@tool`."""
    options: dict[str, Any] = {"effect": "write", **changes}
    with pytest.raises(ValidationError, match=message) as caught:
        allow(**options)
    assert caught.value.errors()[0]["loc"][0] == next(iter(changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tools": ["x"]}, "should be a valid dictionary"),
        ({"tools": {"x": "read"}}, "should be an instance of Allowed"),
        ({"command": "python -m x"}, "'str' instances are not allowed as a Sequence value"),
        ({"command": ["python", 3]}, "should be a valid string"),
        ({"env": "TOKEN"}, "'str' instances are not allowed as a Sequence value"),
        ({"env": {"TOKEN": "x"}}, "should be an instance of Sequence"),
        ({"url": 3}, "should be a valid string"),
        ({"headers": {"Authorization": "x"}}, "should be callable"),
    ],
)
def test_server_of_the_wrong_kind_is_refused(changes: dict[str, Any], message: str) -> None:
    """What an author writes by mistake: one string for a command, headers that are no function."""
    options: dict[str, Any] = {"tools": {"x": allow(effect="read")}, **changes}
    with pytest.raises(ValidationError, match=message) as caught:
        mcp_server("b", **options)
    assert caught.value.errors()[0]["loc"][0] == next(iter(changes))
