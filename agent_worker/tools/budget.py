"""How often tools may be called: in a turn, in a call, each."""

from collections import Counter

from agent_worker.tools.tool import Tool

CALL_MAX = 100
"""Runs of all tools in one call."""
TURN_MAX = 16
"""Proposals in one turn of the caller: a model may send any number of calls at once."""


class Budget:
    """What is used up of one call's."""

    def __init__(self, call_max: int = CALL_MAX) -> None:
        self._call_max = call_max
        self._runs: Counter[str] = Counter()
        self._turn = ""
        self._proposals = 0

    def propose(self, turn_id: str) -> int:
        """Count one more proposal in that turn. Returns: how many it has now."""
        if turn_id != self._turn:
            self._turn, self._proposals = turn_id, 0
        self._proposals += 1
        return self._proposals

    def left(self, tool: Tool) -> bool:
        """Whether *tool* may run once more."""
        return self._runs[tool.name] < tool.guards.most and self._runs.total() < self._call_max

    def take(self, name: str) -> None:
        """Count one more run."""
        self._runs[name] += 1

    def used(self, name: str) -> int:
        """Runs of that tool."""
        return self._runs[name]
