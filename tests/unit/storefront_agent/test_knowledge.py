"""The shop's knowledge base, and what of it the agent may use."""

from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer

from examples.storefront.agent import AGENT
from examples.storefront.agent.knowledge import KNOWLEDGE
from examples.storefront.knowledge.server import best, build, read_articles


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("a flat tire", "flat-tire"),
        ("How much air do my tires need? What pressure?", "pressure"),
        ("the height of my saddle", "saddle-height"),
        ("my chains squeak", "chain"),
        ("zebras", None),
        ("", None),
    ],
)
def test_question_finds_its_article(question: str, article: str | None) -> None:
    """By the words that they share; none where there is none."""
    found = best(read_articles(), question)
    assert (found.id if found else None) == article


async def test_agent_may_use_two_tools_of_three() -> None:
    """The server has one more, which is for mechanics: it is on no list, so it is not offered."""
    server: MCPServer[Any] = build("http://127.0.0.1:1", None)
    there = {tool.name for tool in await server.list_tools()}
    assert there - KNOWLEDGE.tools.keys() == {"remove_article"}
    assert there >= KNOWLEDGE.tools.keys()
    assert KNOWLEDGE in AGENT.mcp
    assert KNOWLEDGE.tools["ask_mechanic"].guards.confirm is not None
