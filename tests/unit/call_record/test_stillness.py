"""What stands still, and what only looks so."""

from call_record.stillness import StillnessWatch

GAP_S = 2.5


def looks(watch: StillnessWatch[int], value: int, *at_s: float) -> None:
    """The same value is read at each of these moments."""
    for moment_s in at_s:
        watch.look({"one": value}, moment_s, moment_s)


def test_what_does_not_move_is_still_after_the_limit() -> None:
    """Not before."""
    watch = StillnessWatch[int](GAP_S)
    looks(watch, 5, 10, 11, 12, 13)
    assert (watch.still_s("one"), watch.still(4)) == (3, [])
    looks(watch, 5, 14)
    assert watch.still(4) == ["one"]
    assert watch.since_s("one") == 10


def test_what_moves_is_not_still() -> None:
    """However slowly, as long as it is faster than the limit."""
    watch = StillnessWatch[int](GAP_S)
    for second in range(30):
        looks(watch, second // 3, second)
        assert watch.still(4) == []
    assert watch.still(2) == ["one"]


def test_nothing_is_still_because_the_watcher_slept() -> None:
    """After a gap in its own looking it sees all for the first time."""
    watch = StillnessWatch[int](GAP_S)
    looks(watch, 5, 0, 60, 61, 62, 63)
    assert watch.still(4) == []
    looks(watch, 5, 64)
    assert watch.still(4) == ["one"]


def test_watcher_that_starts_over_has_seen_nothing() -> None:
    """As after a time in which nobody could move."""
    watch = StillnessWatch[int](GAP_S)
    looks(watch, 5, 0, 1, 2)
    watch.start_over()
    looks(watch, 5, 3, 4)
    assert watch.still_s("one") == 1


def test_slow_answers_count_against_stillness() -> None:
    """Only from an answer to a later question has it surely not moved."""
    watch = StillnessWatch[int](GAP_S)
    watch.look({"one": 5}, 0, 1)
    assert watch.still(0) == []
    watch.look({"one": 5}, 2, 3)
    assert watch.still_s("one") == 1


def test_what_left_and_came_back_is_seen_for_the_first_time() -> None:
    """Others go on."""
    watch = StillnessWatch[int](GAP_S)
    watch.look({"one": 5, "two": 5}, 0, 0)
    watch.look({"two": 5}, 1, 1)
    watch.look({"one": 5, "two": 5}, 2, 2)
    assert watch.still(1) == ["two"]
