"""Who made a sound when."""

import time

import pytest

from agent_worker.tools.floor import NOTICED_LATE_S, WORDS_WITHIN_S, Floor, Turn
from tests.support.calls import FakeClock


class Room:
    """A floor whose clock is turned by hand."""

    def __init__(self) -> None:
        self.clock = FakeClock(seconds=100.0)
        self.floor = Floor(self.clock)

    def caller(self, began_s: float, ended_s: float | None) -> None:
        """The caller speaks."""
        self.clock.seconds = began_s
        self.floor.caller_sounds(True)
        if ended_s is not None:
            self.clock.seconds = ended_s
            self.floor.caller_sounds(False)

    def agent(self, began_s: float, ended_s: float | None) -> None:
        """The agent speaks."""
        self.clock.seconds = began_s
        self.floor.agent_sounds(True)
        if ended_s is not None:
            self.clock.seconds = ended_s
            self.floor.agent_sounds(False)


@pytest.fixture
def room() -> Room:
    return Room()


def test_turn_begins_with_the_first_speech_since_the_turn_before(room: Room) -> None:
    """However often the caller pauses; the next turn begins anew."""
    room.caller(101, 102)
    room.caller(103, 104)
    turn = room.floor.spoken("t")
    assert turn.began_s == pytest.approx(101 - NOTICED_LATE_S) and turn.ended_s == 104
    room.caller(105, 106)
    assert room.floor.spoken("t").began_s == pytest.approx(105 - NOTICED_LATE_S)


def test_speech_that_goes_on_may_belong_to_the_next_turn(room: Room) -> None:
    """The turn before was decided while it had begun."""
    room.caller(101, 102)
    room.caller(103, None)
    assert room.floor.spoken("t").began_s == pytest.approx(101 - NOTICED_LATE_S)
    assert room.floor.spoken("t").began_s == pytest.approx(103 - NOTICED_LATE_S)


def test_cough_long_before_is_no_beginning(room: Room) -> None:
    """A short while before, it may have been the first word."""
    room.caller(101, 102)
    room.caller(102 + WORDS_WITHIN_S + 1, 107)
    assert room.floor.spoken("t").began_s > 102
    room.caller(108, 109)
    room.caller(109 + WORDS_WITHIN_S - 1, 112)
    assert room.floor.spoken("t").began_s < 109


def test_turn_of_which_nobody_knows_the_beginning_began_at_the_earliest(room: Room) -> None:
    """It answers nothing. What the session says counts where it is earlier, or all there is."""
    assert room.floor.spoken("t").began_s == 0
    assert room.floor.spoken("t", time.time() - 2).began_s == pytest.approx(98, abs=0.5)
    room.caller(101, 102)
    assert room.floor.spoken("t", time.time()).began_s == pytest.approx(101 - NOTICED_LATE_S)


@pytest.mark.parametrize(
    ("began_s", "ended_s", "overlaps"),
    [
        (98, 99, False),
        (99, 101, True),
        (101, 101.5, True),
        (102.1, 103, True),
        (102.15, 103, True),
        (102.3, 103, False),
    ],
)
def test_sound_and_its_echo_overlap(
    room: Room, began_s: float, ended_s: float, overlaps: bool
) -> None:
    """An echo comes 0.15 s later, say; whoever speaks after that is the caller."""
    room.agent(100, 102)
    assert room.floor.overlaps(Turn("t", began_s, ended_s)) is overlaps
    room.agent(104, None)
    assert room.floor.overlaps(Turn("t", 103, 110))


def test_typed_turn_began_when_its_text_did(room: Room) -> None:
    """Not when it had arrived."""
    assert room.floor.typed("t", 90.0) == Turn("t", 90.0, 100.0)
    assert room.floor.typed("t") == Turn("t", 100.0, 100.0)
