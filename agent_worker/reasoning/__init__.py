"""Turns what was said into tool calls and words: local sentence templates, a model, or both."""
