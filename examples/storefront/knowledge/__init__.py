"""The shop's knowledge base as an MCP server: what mechanics wrote down, and asking one of them."""
