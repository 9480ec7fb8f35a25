"""How a transcript is brought into the form of the templates."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_worker.reasoning.normalize import hear_number, normalize, repair


@pytest.mark.parametrize(
    ("spoken", "plain"),
    [
        ("Where's order number twenty-one?", "where's order number 21"),
        ("Where\u2019s my order?", "where's my order"),
        ("one hundred and four", "104"),
        ("order one oh four", "order 104"),
        ("order one two three", "order 123"),
        ("order 1 0 4", "order 104"),
        ("Where is order one? 04.", "where is order 104"),
        ("Where is order one? Oh, for,", "where is order 104"),
        ("order ten for me", "order 10 for me"),
        ("twelve thousand three hundred forty five", "12345"),
        ("1,500 dollars", "1500 dollars"),
        ("at three p.m.", "at 3 pm"),
        ("at 3 PM.", "at 3 pm"),
        ("at 3:30 a.m., please", "at 3:30 am please"),
        ("half past two", "half past 2"),
        ("at 09:00", "at 9:00"),
        ("at 10:05", "at 10:05"),
        ("Yes, please!", "yes please"),
        ("Well - no... wait; (now)", "well no wait now"),
        ("a price of 1.5 euros.", "a price of 1.5 euros"),
        ("no:body", "no body"),
        ("", ""),
        ("?!", ""),
    ],
)
def test_normalize_spoken_form_becomes_plain(spoken: str, plain: str) -> None:
    """Case, punctuation, apostrophes, numbers and times come out in one form."""
    assert normalize(spoken).replace(" - ", " ") == plain


NUMBERED = frozenset({"room", "number"})


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("clear room for", "clear room 4"),
        ("room to", "room 2"),
        ("room number ate", "room number 8"),
        ("number won", "number 1"),
        ("what is the number for", "what is the number 4"),
    ],
)
def test_hear_number_homophone_after_numbered_word_at_the_end_is_a_number(
    heard: str, meant: str
) -> None:
    """A sentence cannot end in "room for"; a number was said."""
    assert hear_number(heard, NUMBERED) == meant


@pytest.mark.parametrize(
    "heard",
    ["a key for room 3", "i won", "what is it for", "room to go", "cancel order for", "to", ""],
)
def test_hear_number_homophone_elsewhere_stays_a_word(heard: str) -> None:
    """Elsewhere, and after words that the agent does not number, "for" and "to" are words."""
    assert hear_number(heard, NUMBERED) == heard


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_normalize_any_text_does_not_fail_and_is_trimmed(text: str) -> None:
    """Whatever a recognizer or a keyboard sends, normalizing neither raises nor leaves gaps."""
    plain = normalize(text)
    assert plain == plain.strip()


VOCABULARY = frozenset({"cancel", "appointment", "refund", "order", "return", "move", "stopped"})


@pytest.mark.parametrize(
    ("heard", "repaired"),
    [
        ("cancle my apointment", "cancel my appointment"),
        ("refunt order 7", "refund order 7"),
        ("cancel order 7", "cancel order 7"),
        ("the weather", "the weather"),
        ("ordr1 ods", "ordr1 ods"),
    ],
)
def test_repair_near_word_becomes_known_word(heard: str, repaired: str) -> None:
    """A word that no template knows becomes its near neighbour; others and short ones stay."""
    assert repair(heard, VOCABULARY) == repaired


@pytest.mark.parametrize("heard", ["returned order 3", "moved it", "returning order 3"])
def test_repair_inflected_word_stays(heard: str) -> None:
    """What tells of something done is not made a command."""
    assert repair(heard, VOCABULARY) == heard


def test_repair_inflected_word_with_inflected_neighbour_is_repaired() -> None:
    """An ending does not stand in the way of a word with the same ending."""
    assert repair("stoped", VOCABULARY) == "stopped"


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("Gimme a sec", "give me a sec"),
        ("lemme see what u\u2019ve gotta do", "let me see what u've got to do"),
        ("y'all open rn?", "you all open right now"),
        ("thru the gotham", "through the gotham"),
    ],
)
def test_slurred_words_are_written_out(said: str, plain: str) -> None:
    """Whole words only."""
    assert normalize(said) == plain
