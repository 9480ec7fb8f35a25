"""What Prometheus sees of the work after calls."""

from prometheus_client import Counter, Gauge, Histogram

STEPS = Counter(
    "parley_post_call_steps_total", "Tries of steps after calls, by outcome", ["step", "outcome"]
)
STEP_S = Histogram(
    "parley_post_call_step_seconds",
    "Time of one try of a step",
    ["step"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
)
DELAY_S = Histogram(
    "parley_post_call_delay_seconds",
    "Time from a call's end to the end of a step",
    ["step"],
    buckets=(0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600),
)
DROPPED = Counter(
    "parley_post_call_dropped_total", "Things a model made up, and that were left out", ["step"]
)
WAITING = Gauge("parley_post_call_waiting", "Calls whose work is not finished")
PARKED = Gauge("parley_post_call_parked", "Steps given up until a person looks at them")
TAKEN_OVER = Counter(
    "parley_post_call_taken_over_total", "Workflows taken from an executor that was gone"
)
RUN_AGAIN = Counter(
    "parley_post_call_run_again_total",
    "Workflows made again because the one before failed or was lost",
)
