"""Rehearsals: scripted conversations in text that test an agent without a room."""
