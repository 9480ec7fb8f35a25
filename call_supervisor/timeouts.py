"""The supervisor's timeouts, in seconds of its own monotonic clock."""

from dataclasses import dataclass

from voice_contract.limits import GRACE_S, JOIN_WITHIN_S, SFU_LEEWAY_S


@dataclass(frozen=True)
class Timeouts:
    """All of them; tests shorten some."""

    poll_s: float = 0.25
    """Between two looks at the record."""
    gap_s: float = 1.0
    """After a longer time between two looks observation starts over: it may have slept itself."""
    still_s: float = 2.5
    """A job or a worker that stands still for this time is dead. Before that a job without
    renewals stops acting."""
    starting_s: float = 8.0
    """The same for a job that has not renewed yet: its session is starting."""
    claim_s: float = 3.2
    """An attempt that was not claimed within this is lost: the SFU gives a job request 3 s."""
    write_s: float = 1.0
    """If raising the attempt takes longer, the database did not answer: the job may be well."""
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
    """Looks that are further apart do not show that the caller was absent in between."""
    join_within_s: float = JOIN_WITHIN_S
    """An agent is sent to a room without a caller for this time only."""
    unjoined_s: float = JOIN_WITHIN_S + SFU_LEEWAY_S + 10
    """After this time no token of the caller is valid any more."""
    grace_s: float = GRACE_S + 5
    """A caller that is absent for longer has left. The agent notices a little earlier."""
    no_agent_s: float = 60.0
    """How long another agent is tried for a call that has none."""
    ending_max_s: float = 120.0
    """If a job takes longer to end its call, the supervisor seals it."""
    sweep_s: float = 5.0
    """Between two looks at the list of all rooms."""
    delete_after_s: float = 3.0
    """How long the agent of an ended call has to tell the page and to close the room itself."""
