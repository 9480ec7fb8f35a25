"""What a backend knows of a rehearsal."""

from abc import ABC, abstractmethod


class Ledger(ABC):
    """An item that an agent's `open_rehearsal` may yield: tells what its backend has done."""

    @abstractmethod
    async def effects(self) -> list[str]:
        """Each effect of this call, in words for the author: "order.cancelled order:9"."""
