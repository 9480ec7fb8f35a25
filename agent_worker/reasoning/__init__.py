"""Decides what the agent says or does: by local sentence templates, a model, or both."""
