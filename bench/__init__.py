"""Measurements: `python -m bench WHAT`."""
