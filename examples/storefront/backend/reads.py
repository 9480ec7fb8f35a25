"""What the shop was asked, counted in memory: a test's proof that it was really asked."""

from datetime import datetime

from pydantic import BaseModel

LIMIT = 1000


class Read(BaseModel):
    """GET requests that are alike."""

    path: str
    status: int
    customer_id: str | None
    """As sent; null: the request named none."""
    call_id: str | None
    count: int = 0
    last_at: datetime


class Reads:
    """The last 1000 kinds of GET request of this process."""

    def __init__(self) -> None:
        self._reads: dict[tuple[str, int, str | None, str | None], Read] = {}

    def add(
        self, path: str, status: int, customer_id: str | None, call_id: str | None, at: datetime
    ) -> None:
        """Count one request. Where a new kind does not fit, the oldest is dropped."""
        kind = (path, status, customer_id, call_id)
        read = self._reads.pop(kind, None) or Read(
            path=path, status=status, customer_id=customer_id, call_id=call_id, last_at=at
        )
        read.count += 1
        read.last_at = at
        self._reads[kind] = read
        if len(self._reads) > LIMIT:
            del self._reads[next(iter(self._reads))]

    def all(self, call_id: str | None = None) -> list[Read]:
        """All of them, or those of one call; the latest last."""
        reads = self._reads.values()
        return [read for read in reads if call_id is None or read.call_id == call_id]
