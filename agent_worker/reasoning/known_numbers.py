"""Numbers that the caller may mean, by which the agent hears whether a number is whole."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class KnownNumbers:
    """
    What a slot may be, such as the numbers of the caller's bookings.

    An agent's `open` yields it. Where 104 is known, "one" may go on and is waited for; "seven" is
    answered at once, if no longer number begins with it.
    """

    slot: str
    values: Collection[int]

    def may_go_on(self, digits: str) -> bool:
        """Whether a known number begins with *digits* and is longer."""
        return any(str(one) != digits and str(one).startswith(digits) for one in self.values)
