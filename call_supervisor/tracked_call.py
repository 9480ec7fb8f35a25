"""What a supervisor remembers of a call. A new supervisor starts without it and needs none."""

from collections.abc import Set
from dataclasses import dataclass

from call_record.snapshot import OpenCall
from call_supervisor.timeouts import Timeouts
from voice_contract.room import RoomState


@dataclass
class TrackedCall:
    """One call. Timeouts are the supervisor's own, monotonic, in seconds."""

    since_s: float
    """When the call was first seen."""
    looked_s: float = float("-inf")
    """When its room was last seen, or looking failed."""
    people: frozenset[str] = frozenset()
    """The identities that were in it then."""
    sfu_unavailable: bool = False
    """Whether the SFU did not answer the last look."""
    absent_since_s: float | None = None
    """Since when the caller has been absent; None: it is in the room, or that is not known."""
    shown: RoomState | None = None
    """What the page was told last."""
    missed_since_s: float | None = None
    """Since when the call has had no agent; None: it has one."""
    trouble_since_s: float | None = None
    """Since when an agent has been sought; None: the call is well."""
    tries: int = 0
    """How often one was sent for since then."""
    tried_s: float = float("-inf")
    pause_s: float = 0.0
    """After the last try, before the next one."""
    held: int | None = None
    """The attempt that was raised and could not be sent yet."""
    sent: int | None = None
    """The attempt that was sent and is not claimed yet."""
    ending_since_s: float | None = None
    put_out: bool = False
    """The caller was put out, and stays out."""
    busy: bool = False

    def saw(self, now_s: float, people: Set[str], caller: str | None, timeouts: Timeouts) -> None:
        """The SFU says who is in the room."""
        if now_s - self.looked_s > timeouts.unseen_max_s:
            self.absent_since_s = None
        self.looked_s, self.people, self.sfu_unavailable = now_s, frozenset(people), False
        if caller in people:
            if self.absent_since_s is not None and self.trouble_since_s is not None:
                # Seeking an agent is bounded by what the caller waits.
                self.trouble_since_s = now_s
            self.absent_since_s = None
        elif self.absent_since_s is None:
            self.absent_since_s = now_s

    def blind(self, now_s: float) -> None:
        """The SFU does not answer, so whether the caller is connected is not known."""
        self.looked_s, self.absent_since_s, self.sfu_unavailable = now_s, None, True

    def absent_for_s(self, now_s: float) -> float:
        """For how long the caller has been absent."""
        return 0.0 if self.absent_since_s is None else now_s - self.absent_since_s

    def troubled(self, now_s: float) -> None:
        """The call needs another agent."""
        if self.missed_since_s is None:
            self.missed_since_s = now_s
        if self.trouble_since_s is None:
            self.trouble_since_s, self.tries, self.pause_s = now_s, 0, 0.0

    def tried(self, now_s: float, attempt: int, timeouts: Timeouts) -> None:
        """Another agent was sent."""
        self.held, self.sent, self.tried_s = None, attempt, now_s
        self.tries += 1
        if self.tries > 1:
            doubled_s = timeouts.backoff_s * 2.0 ** min(self.tries - 2, 10)
            self.pause_s = min(timeouts.backoff_max_s, doubled_s)

    def may_try(self, now_s: float, arrived_s: float) -> bool:
        """Whether the pause is over; it is when a worker has arrived since the last try."""
        return now_s - self.tried_s >= self.pause_s or arrived_s > self.tried_s

    def steady(self, call: OpenCall, timeouts: Timeouts) -> None:
        """The call was seen; an agent that stays ends the trouble."""
        if call.owner is not None and call.renewals >= timeouts.steady_renewals:
            self.trouble_since_s = None
