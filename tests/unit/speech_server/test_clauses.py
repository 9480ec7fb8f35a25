"""Text cut into clauses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech_server.clauses import LONGEST_CHARACTERS, clauses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Where is order seven?", ["Where is order seven?"]),
        ("Yes, it was sent. Anything else?", ["Yes,", "it was sent.", "Anything else?"]),
        ("One moment: I look.", ["One moment:", "I look."]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("It costs 3.50 or 1,200 dollars.", ["It costs 3.50 or 1,200 dollars."]),
        ("Dr. Smith and J. Doe", ["Dr. Smith and J. Doe"]),
        ("At 5 p.m. on Monday", ["At 5 p.m. on Monday"]),
        ("Hello.\n\n  I\tam here.", ["Hello.", "I am here."]),
    ],
)
def test_clauses_of_a_reply_end_where_a_speaker_pauses(text: str, expected: list[str]) -> None:
    """The first comma and each end of a sentence cut; numbers and abbreviations do not."""
    assert clauses(text) == expected


def test_clauses_after_the_first_hold_several_short_parts() -> None:
    """A list is not spoken as single words once there is sound to be heard meanwhile."""
    text = "We have these colours, red, green, blue, black, white, and a very dark brown."
    assert clauses(text) == [
        "We have these colours,",
        "red, green, blue, black, white, and a very dark brown.",
    ]


@pytest.mark.parametrize("text", ["", "   ", "...", "?!", "\x00\x07", "👍", "— , —"])
def test_clauses_of_text_without_words_are_none(text: str) -> None:
    """There is nothing to say."""
    assert clauses(text) == []


@pytest.mark.parametrize("text", ["a" * 1000, "word " * 200])
def test_clauses_without_punctuation_are_cut_to_length(text: str) -> None:
    """No text makes one model call long."""
    assert max(map(len, clauses(text))) <= LONGEST_CHARACTERS


@given(st.text(max_size=600))
def test_clauses_of_any_text_keep_all_words_in_order(text: str) -> None:
    """Nothing that can be spoken is lost, doubled or moved, and no clause is too long."""
    pieces = clauses(text)
    assert all(len(piece) <= LONGEST_CHARACTERS for piece in pieces)

    def spoken(text: str) -> list[str]:
        return [c for c in text if c.isalnum()]

    assert spoken("".join(pieces)) == spoken(text)
