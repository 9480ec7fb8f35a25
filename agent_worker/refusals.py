"""Counts what a call does not take of what is sent to it, and logs sums: no flood fills the log."""

import asyncio
from collections import Counter
from typing import Literal

import structlog

from agent_worker.metrics import Metrics

log = structlog.get_logger()

Kind = Literal["text", "rpc", "stream"]
Reason = Literal[
    "stranger", "too-many", "too-large", "malformed", "broken-off", "pushed-out", "nobody-reads"
]
SUM_EVERY_S = 60.0
FORBIDDEN = 1403
MALFORMED = 1400
TOO_MANY = 1429
"""The codes of RPC errors: somebody else's, not what it should be, too many."""


class Refusals:
    """
    What one call has refused, by kind and reason.

    The first of each is logged and sent to *metrics* at once; the rest as one sum each, every
    `SUM_EVERY_S` and at the call's end.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._untold: Counter[tuple[Kind, Reason]] = Counter()
        self._seen: set[tuple[Kind, Reason]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, kind: Kind, reason: Reason) -> None:
        """Count one. Nothing of what it held is kept."""
        one = (kind, reason)
        if one not in self._seen:
            self._seen.add(one)
            self._tell(kind, reason, 1)
            return
        self._untold[one] += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SUM_EVERY_S, self.sum_up)

    def sum_up(self) -> None:
        """Log and send what was only counted so far."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        untold, self._untold = self._untold, Counter()
        for (kind, reason), count in untold.items():
            self._tell(kind, reason, count)

    def _tell(self, kind: Kind, reason: Reason, count: int) -> None:
        self._metrics.refused(kind, reason, count)
        log.warning("call.input_refused", kind=kind, reason=reason, count=count)
