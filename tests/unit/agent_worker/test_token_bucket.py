"""A burst at once, and from then on so many a second."""

from hypothesis import given
from hypothesis import strategies as st

from agent_worker.token_bucket import Rate, TokenBucket


class Now:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def taken(bucket: TokenBucket, tries: int) -> int:
    """How many of *tries* at the same moment were allowed."""
    return sum(bucket.take() for _ in range(tries))


def test_burst_is_allowed_at_once_and_then_what_refills() -> None:
    """A pause gives back so many, and never more than the burst."""
    now = Now()
    bucket = TokenBucket(Rate(burst=5, per_s=2.0), now)
    assert taken(bucket, 100) == 5
    now.s += 0.4
    assert taken(bucket, 100) == 0
    now.s += 0.1
    assert taken(bucket, 100) == 1
    now.s += 1.5
    assert taken(bucket, 100) == 3
    now.s += 3600
    assert taken(bucket, 100) == 5


def test_who_keeps_to_the_rate_is_never_refused() -> None:
    """Refused tries cost nothing either: they take no token."""
    now = Now()
    bucket = TokenBucket(Rate(burst=1, per_s=4.0), now)
    for _ in range(1000):
        assert taken(bucket, 7) == 1
        now.s += 0.25


@given(pauses_s=st.lists(st.floats(min_value=0, max_value=10), max_size=60))
def test_never_more_than_burst_and_rate_allow(pauses_s: list[float]) -> None:
    """However the tries are spread."""
    now = Now()
    rate = Rate(burst=3, per_s=0.5)
    bucket = TokenBucket(rate, now)
    allowed = 0
    for pause_s in pauses_s:
        now.s += pause_s
        allowed += taken(bucket, 2)
    assert allowed <= rate.burst + sum(pauses_s) * rate.per_s + 1e-6
