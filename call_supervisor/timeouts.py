"""The times that a supervisor goes by, in seconds of its own monotonic clock."""

from dataclasses import dataclass

from voice_contract.limits import GRACE_S, JOIN_WITHIN_S, SFU_LEEWAY_S


@dataclass(frozen=True)
class Timeouts:
    """All of them; tests shorten some."""

    poll_s: float = 0.25
    """Between two looks at the record."""
    gap_s: float = 1.0
    """Who did not look for longer begins to observe anew: it may have been asleep itself."""
    still_s: float = 2.5
    """A job or a worker that was seen to stand still for so long is dead. Longer than a job may act
    after its last renewal."""
    starting_s: float = 8.0
    """The same for a job that has not renewed yet: its session is starting."""
    claim_s: float = 3.2
    """An attempt that was not claimed within this is lost: the SFU gives a job request 3 s."""
    claim_after_arrival_s: float = 1.2
    """The same when a worker has come since: the SFU decides within a second that there is none."""
    write_s: float = 1.0
    """A raised attempt that took longer may be unjust: the database was away meanwhile."""
    look_s: float = 5.0
    """Between two looks into the room of a call that is well."""
    look_often_s: float = 1.0
    """The same for one that is not, or was not a while ago."""
    often_for_s: float = 60.0
    steady_renewals: int = 10
    """An agent that renewed so often is well: what went wrong before is forgotten."""
    backoff_s: float = 1.0
    """Before the third try; doubled for each that follows."""
    backoff_max_s: float = 8.0
    unseen_max_s: float = 15.0
    """Looks further apart do not tell that the caller was away in between."""
    join_within_s: float = JOIN_WITHIN_S
    """An agent is sent to a room where no caller is yet for so long only."""
    unjoined_s: float = JOIN_WITHIN_S + SFU_LEEWAY_S + 10
    """After this no token can bring the caller any more."""
    grace_s: float = GRACE_S + 5
    """A caller that is away for longer has left; the agent itself says so a little earlier."""
    no_agent_s: float = 60.0
    """For so long an agent is sought for a call."""
    ending_max_s: float = 120.0
    """A job that takes longer to end its call loses it."""
    sweep_s: float = 5.0
    """Between two looks at the list of all rooms."""
    delete_after_s: float = 3.0
    """The agent of an ended call has so long to say so and to close the room itself."""
