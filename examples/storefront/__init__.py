"""A small real shop and the agent that serves it."""
