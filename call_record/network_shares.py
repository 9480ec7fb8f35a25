"""
How much of the slots the networks hold that anonymous callers come from.

Who proves no identity is told apart by the address alone, and one machine can be as many callers as
it likes.
"""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record.tables import OPEN
from call_record.tables import call as calls

UNJOINED_SHARE = 0.2
UNJOINED_MIN = 2
"""Two people in one house may begin to call at the same time."""


class NetworkShares:
    """
    What is held, and may be held, within one turn of admission.

    Args:
        capacity: all slots of the workers that take calls.
        share: of them that one network may hold, waiting callers included; 1: no limit.
    """

    def __init__(self, capacity: int, share: float) -> None:
        self._held: Counter[str] = Counter()
        self._unjoined: Counter[str] = Counter()
        self._has_limit = share < 1
        self._held_max = max(1, int(capacity * share))
        self._unjoined_max = max(UNJOINED_MIN, int(capacity * UNJOINED_SHARE))

    def hold(self, networks: Sequence[str], *, joined: bool) -> None:
        """A call or a place in the queue is held by someone in these networks."""
        self._held.update(networks)
        if not joined:
            self._unjoined.update(networks[:1])

    def release(self, networks: Sequence[str]) -> None:
        """One who waited there waits no more."""
        self._held.subtract(networks)

    def has_room(self, networks: Sequence[str]) -> bool:
        """
        Whether someone in these networks, the smallest first, may have one more. Of calls that
        nobody has joined, one address may hold a small share only.
        """
        return not self._has_limit or (
            all(self._held[name] < self._held_max for name in networks)
            and all(self._unjoined[name] < self._unjoined_max for name in networks[:1])
        )


async def read(connection: AsyncConnection, capacity: int, share: float) -> NetworkShares:
    """What calls hold now. In the caller's transaction."""
    shares = NetworkShares(capacity, share)
    if share < 1:
        held = select(calls.c.networks, calls.c.joined_at_ms).where(
            calls.c.state.in_(OPEN), calls.c.networks.is_not(None)
        )
        for row in await connection.execute(held):
            shares.hold(row.networks.split(), joined=row.joined_at_ms is not None)
    return shares
