"""Joins rooms, listens, reasons, speaks, and acts through guarded tools."""
