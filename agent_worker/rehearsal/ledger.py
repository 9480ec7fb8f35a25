"""What a backend knows of a rehearsal."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from voice_contract.journal import Entry, ToolFinished, ToolStarted


class Ledger(ABC):
    """An item that an agent's `open_rehearsal` may yield: tells what its backend has done."""

    @abstractmethod
    async def effects(self) -> list[str]:
        """Each effect of this call, in words for the author: "order.cancelled order:9"."""


async def effects_of(resources: Iterable[object], entries: Sequence[Entry]) -> list[str]:
    """
    What was done in a call: as the `Ledger` among *resources* tells, if there is one, else as the
    call's journal does.
    """
    for item in resources:
        if isinstance(item, Ledger):
            return await item.effects()
    done = {one.invocation_id for one in entries if isinstance(one, ToolFinished)}
    return [
        f"{one.tool}({brief(one.arguments)})"
        for one in entries
        if isinstance(one, ToolStarted) and one.invocation_id in done and one.effect == "write"
    ]


def brief(arguments: Mapping[str, Any]) -> str:
    """*arguments* on a line."""
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())
