"""Answers to what the agent asks for: which slot they fill, what goes on, what corrects."""

import pytest

from agent_worker.reasoning.dialog import CallTool, Move, NotUnderstood, Say, follow
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn
from tests.unit.agent_worker.reasoning.test_wish import NOW, form

__all__ = ["form"]
FRIDAY, MONDAY = "2026-11-20", "2026-11-23"


def _move(templates: Templates, turns: str) -> Move | None:
    return follow(templates, [Turn(turn.strip(), NOW) for turn in turns.split(">>")]).move


@pytest.mark.parametrize(
    ("turns", "day", "time"),
    [
        ("book a visit >> Friday >> three", FRIDAY, "15:00"),
        ("book a visit >> Friday at three", FRIDAY, "15:00"),
        ("book a visit >> that would be Friday, please >> about three", FRIDAY, "15:00"),
        ("book a visit at three >> Friday", FRIDAY, "15:00"),
        ("book a visit >> at three >> on Friday", FRIDAY, "15:00"),
        ("book a visit on Friday >> Monday >> at three", FRIDAY, "15:00"),
        ("book a visit on Friday >> no, Monday >> at three", MONDAY, "15:00"),
        ("book a visit >> Friday >> sorry, I meant Monday >> at three", MONDAY, "15:00"),
        ("book a visit on Friday at three >> no, I meant Monday", MONDAY, "15:00"),
        ("book a visit on Friday at three >> make it four", FRIDAY, "16:00"),
        ("book a visit >> Friday >> at seven >> in the morning", FRIDAY, "07:00"),
        ("book a visit on Friday at seven >> seven in the evening", FRIDAY, "19:00"),
        ("book a visit >> not Friday, Monday >> at three", MONDAY, "15:00"),
        ("book a visit >> I can't do Friday, Monday please >> at three", MONDAY, "15:00"),
        ("book a visit on Friday at three >> actually just Monday", MONDAY, "15:00"),
    ],
)
def test_form_is_filled(form: Templates, turns: str, day: str, time: str) -> None:
    """
    What is asked for, several at once when said at once; what is known changes by a correction.
    """
    assert _move(form, turns) == CallTool("visit", {"day": day, "time": time})


@pytest.mark.parametrize(
    "turns",
    [
        "book a visit >> I have to work on Friday",
        "book a visit >> is Friday a holiday",
        "book a visit >> hmm",
        "book a visit >> something else",
        "book a visit >> not Friday",
        "book a visit >> I can't make Friday",
    ],
)
def test_words_around_a_value_that_say_more_are_no_answer(form: Templates, turns: str) -> None:
    """The question is asked in other words, which say how else it can be answered."""
    assert _move(form, turns) == Say("Please say a date, like the third of May, or type it.")


@pytest.mark.parametrize(
    "words",
    [
        "nah, forget it",
        "actually, leave it",
        "no, never mind, thanks",
        "forget about it",
        "I've changed my mind",
        "stop",
        "no, don't",
        "I don't want to book anything",
        "I don't want a visit any more",
    ],
)
def test_form_is_left_in_many_words(form: Templates, words: str) -> None:
    """Also by a no to what it is about."""
    assert _move(form, f"book a visit >> {words}") == Say("All right. What else?")


def test_question_goes_from_wording_to_wording_to_the_way_out(form: Templates) -> None:
    """First the author's words, then how else, then as what is not understood."""
    turns = "look at a room"
    for move in (
        Say("Sorry, I need its number. Which room?"),
        Say("Please say it digit by digit, or type it."),
        NotUnderstood(3),
    ):
        turns += " >> the red one"
        assert _move(form, turns) == move
    assert _move(form, f"{turns} >> seven") == CallTool("look", {"room": 7})


def test_value_that_is_left_open_is_asked_about_first(form: Templates) -> None:
    """Seven may be in the morning or in the evening: the question is the kind's."""
    dialog = follow(form, [Turn("book a visit on Friday at seven", NOW)])
    assert isinstance(dialog.move, Say)
    assert dialog.asked == "time" and "morning" in dialog.move.text
    assert dict(dialog.slots) == {"day": FRIDAY}


def test_telephone_number_comes_in_two_breaths(form: Templates) -> None:
    """No other slot takes the second one, and all that must not be wrong is read back."""
    turns = "call me back >> my name is Anna O'Neill-Smith >> 202 555"
    assert _move(form, turns) == Say("2 0 2 5 5 5, and then?")
    assert _move(form, f"{turns} >> 0143") == Say("2 0 2, 5 5 5, 0 1 4 3. What is it about?")
    move = _move(form, f"{turns} >> 0143 >> the door")
    assert isinstance(move, CallTool)
    assert move.arguments == {
        "name": "Anna O'Neill-Smith",
        "phone": "2025550143",
        "note": "the door",
    }
    assert move.offer.startswith("I have Anna O'Neill-Smith, spelled A, N, N, A")
    assert move.offer.endswith("; 2 0 2, 5 5 5, 0 1 4 3. Is that right?")


def test_value_that_was_read_back_is_corrected_in_part(form: Templates) -> None:
    """The rest of the form stays."""
    turns = "call me back >> Anna Smith >> 2025550143 >> the door >> no, the last digit is four"
    move = _move(form, turns)
    assert isinstance(move, CallTool)
    assert move.arguments == {"name": "Anna Smith", "phone": "2025550144", "note": "the door"}


def test_other_wish_leaves_the_form(form: Templates) -> None:
    """In the words of a template or of the examples; free text never takes it."""
    asked = "call me back >> Anna Smith >> 2025550143"
    assert _move(form, f"{asked} >> when are you open") == Say("We are open all day.")
    assert _move(form, "book a visit >> peek into room seven") == CallTool("look", {"room": 7})
