"""The shop's knowledge base, an MCP server, and the tools of it that the agent may use."""

import sys

from agent_worker.tools.mcp import allow, mcp_server

# `remove_article` is not listed, so it is not offered, whatever a caller or a model wants.
KNOWLEDGE = mcp_server(
    "knowledge",
    command=(sys.executable, "-m", "examples.storefront.knowledge"),
    env=("PYTHONPATH", "PARLEY_STOREFRONT_URL", "PARLEY_STOREFRONT_API_KEY"),
    tools={
        # The first question starts the server, which takes a moment.
        "search_articles": allow(effect="read", timeout_s=10),
        "ask_mechanic": allow(
            effect="write",
            confirm="Shall a mechanic call you back about {question}?",
            timeout_s=10,
            idempotent=True,
            max_per_call=2,
            inject={name: name for name in ("idempotency_key", "call_id", "caller", "tenant")},
        ),
    },
)
