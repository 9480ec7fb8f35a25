"""The supervisor's metrics."""

from prometheus_client import Counter, Gauge, Histogram

CALLS = Gauge("parley_supervisor_calls", "Calls that are not ended, by state", ["state"])
WORKERS = Gauge("parley_supervisor_workers", "Workers that are there, by state", ["state"])
FREE_SLOTS = Gauge("parley_supervisor_free_slots", "Slots that no call has")
POLLS = Counter("parley_supervisor_polls_total", "Looks at the record, by outcome", ["outcome"])
RECOVERIES = Counter(
    "parley_supervisor_recoveries_total", "Times another agent was sent for, by cause", ["cause"]
)
RECOVERY_S = Histogram(
    "parley_supervisor_recovery_seconds",
    "Time from a missing agent's discovery to the claim of the next one",
    buckets=(0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 8, 13, 20, 40, 60),
)
REMOVED = Counter("parley_supervisor_agents_removed_total", "Stale agents removed from their rooms")
ENDED = Counter(
    "parley_supervisor_calls_ended_total", "Calls that the supervisor ended or sealed", ["reason"]
)
ROOMS_DELETED = Counter("parley_supervisor_rooms_deleted_total", "Rooms of ended calls deleted")
UNKNOWN_ROOMS = Gauge("parley_supervisor_unknown_rooms", "Rooms of the SFU that belong to no call")
SFU_ERRORS = Counter("parley_supervisor_sfu_errors_total", "Requests to the SFU that failed")
WEBHOOKS = Counter("parley_supervisor_webhooks_total", "Webhooks, by outcome", ["outcome"])
