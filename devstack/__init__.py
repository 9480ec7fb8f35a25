"""Starts every process of Parley on one machine, for make run and the system tests."""
