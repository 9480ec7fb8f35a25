"""An agent's tools and guards in words, from what it really has."""

from dataclasses import replace

from agent_worker.agent import AgentDefinition
from agent_worker.describe import describe


def test_page_tells_of_every_tool_and_its_guards(agent: AgentDefinition) -> None:
    """What it does, asks, takes, and how often; with its file."""
    page = describe(agent, agent.all_tools)
    for tool in agent.all_tools:
        assert f"\n## {tool.name}\n" in page
    assert (
        "| [`clear`](#clear) | **writes** | Clear room {number}? | 10 a call | 5 s | never |"
        in page
    )
    assert "| `number` | integer | yes |" in page
    assert "| `quickly` | boolean |  |" in page
    assert "asks: “Clear room {number}?”, shows all arguments, and waits 30 s for a yes" in page
    assert "the server fills in: House, IdempotencyKey" in page
    assert "(tests/unit/agent_worker/small_agent.py)" in page
    assert "MCP" not in page


def test_page_tells_what_only_the_screen_confirms(agent: AgentDefinition) -> None:
    """Beside how long it waits."""
    clear = next(tool for tool in agent.tools if tool.name == "clear")
    aside = replace(clear, guards=replace(clear.guards, confirm_by="screen"))
    assert "waits 30 s for a yes on the screen" in describe(agent, [aside])
