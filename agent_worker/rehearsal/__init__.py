"""Conversations by script, in text: what an author expects of the agent, tried without a room."""
