"""Who is dead, and who only looks so."""

from call_record.executors import Executor
from post_call.liveness import DEAD_S, Liveness


def other(presence: int, *, gone: bool = False) -> Executor:
    return Executor("other", presence, gone)


def test_executor_that_stands_still_long_enough_is_dead() -> None:
    """Not before, and never oneself."""
    watch = Liveness("own")
    seen = [Executor("own", 1, gone=False), other(5)]
    assert watch.look(seen, 10.0) == []
    for second in range(1, int(DEAD_S)):
        assert watch.look(seen, 10.0 + second) == []
    assert watch.look(seen, 10.0 + DEAD_S) == [other(5)]


def test_executor_that_moves_lives() -> None:
    """However slowly, as long as it is faster than dead."""
    watch = Liveness("own")
    for second in range(30):
        assert watch.look([other(second // 3)], float(second)) == []


def test_executor_is_not_dead_because_the_watcher_slept() -> None:
    """After a gap in one's own looking all is seen for the first time."""
    watch = Liveness("own")
    watch.look([other(5)], 0.0)
    assert watch.look([other(5)], 60.0) == []
    for second in range(61, 64):
        assert watch.look([other(5)], float(second)) == []
    assert watch.look([other(5)], 64.0) == [other(5)]


def test_executor_that_is_gone_is_not_found_dead_again() -> None:
    """It was said already."""
    watch = Liveness("own")
    for second in range(10):
        assert watch.look([other(5, gone=True)], float(second)) == []
