"""How often a model may propose tools in one turn, and how often they may run in one call."""

from collections import Counter

from agent_worker.tools.tool import Tool

CALL_MAX = 100
"""Runs of all tools in one call."""
TURN_MAX = 16
"""Proposals in one turn of the caller: a model may send any number in one reply."""


class Budget:
    """How much of one call's tool budget has been used."""

    def __init__(self, call_max: int = CALL_MAX) -> None:
        self._call_max = call_max
        self._runs: Counter[str] = Counter()
        self._turn = ""
        self._proposals = 0

    def propose(self, turn_id: str) -> int:
        """Count one more proposal in that turn. Returns: how many the turn has now."""
        if turn_id != self._turn:
            self._turn, self._proposals = turn_id, 0
        self._proposals += 1
        return self._proposals

    def left(self, tool: Tool) -> bool:
        """Whether *tool* may run once more in this call."""
        return self._runs[tool.name] < tool.guards.most and self._runs.total() < self._call_max

    def take(self, name: str) -> None:
        """Count one more run of the tool of that name."""
        self._runs[name] += 1

    def used(self, name: str) -> int:
        """How often the tool of that name has run."""
        return self._runs[name]
