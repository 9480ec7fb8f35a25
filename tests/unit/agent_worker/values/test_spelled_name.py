"""Names: as said, as spelled, as corrected."""

from datetime import UTC, datetime

import pytest

from agent_worker.values import SpelledNameKind

NOW = datetime(2026, 12, 2, 10, tzinfo=UTC)
NAME = SpelledNameKind()


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Anne-Marie O'Neill", "Anne-Marie O'Neill"),
        ("anne-marie o\u2019neill", "Anne-Marie O'Neill"),
        ("it's Smith, S M Y T H", "Smyth"),
        ("It's Smith, SMYTH.", "Smyth"),
        ("Jane Smith, that's S-M-Y-T-H", "Jane Smyth"),
        ("Smith with a Y", "Smyth"),
        ("Ann with an E", "Anne"),
        ("Philip with two Ls", "Phillip"),
        ("Erik with a K", "Erik"),
        ("M as in Mike, A, double L", "Mall"),
        ("Sierra Mike Yankee Tango Hotel", "Smyth"),
        ("Jane, J A N E, Smith, S M I T H", "Jane Smith"),
        ("it's O'Brien, O apostrophe B R I E N", "O'Brien"),
        ("capital M C capital D O N A L D", "McDonald"),
        ("Catherine, K A T H R Y N", "Kathryn"),
        ("last name Smith, S M Y T H, first name Jane", "Jane Smyth"),
        ("my first name is Anne-Marie", "Anne-Marie"),
        ("the name is Bond, James Bond", "James Bond"),
        ("this is Peter Parker speaking", "Peter Parker"),
        ("Ludwig van Beethoven", "Ludwig van Beethoven"),
        ("José García Márquez", "José García Márquez"),
        ("Ms. Lee please", "Lee"),
        ("Mark", "Mark"),
        ("I don't know", None),
        ("why do you need that", None),
        ("hang on a second", None),
        ("yes", None),
        ("5551234567", None),
        ("ann@example.com", None),
    ],
)
def test_name_answer_is_what_was_said_and_spelled(said: str, name: str | None) -> None:
    """What is spelled counts more than how it sounds."""
    found = NAME.answer(said, NOW)
    assert (None if found is None else found.value) == name
    assert found is None or not found.question


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("my name is John Smith and I'd like to come on Friday", "John Smith"),
        ("this is Maria calling about my bike", "Maria"),
        ("put me down as Kim", "Kim"),
        ("under the name of anne-marie o'neill", "Anne-Marie O'Neill"),
        ("Nora O'Neill speaking, I need a lock", "Nora O'Neill"),
        ("I need a lock, Nora Lee, on Friday", "Nora Lee"),
        ("please call Nora Lee back", "Nora Lee"),
        ("Good Morning, I need a lock", None),
        ("on Monday Morning, please", None),
        ("I'm looking for a lock", None),
        ("this is about my bike", None),
        ("it's Monday", None),
    ],
)
def test_name_is_found_where_a_sentence_says_that_it_is_one(said: str, name: str | None) -> None:
    """Not every word after "I'm"."""
    assert [one.value for one in NAME.find(said, NOW)] == ([name] if name else [])


def test_name_that_is_unlike_what_is_spelled_is_asked() -> None:
    """It may be a first name, or misheard."""
    found = NAME.answer("win, N G U Y E N", NOW)
    assert found is not None
    assert found.question == "Do you mean Win Nguyen, or Nguyen?"


@pytest.mark.parametrize(
    ("value", "said", "corrected"),
    [
        ("Smith", "no, with a Y", "Smyth"),
        ("Smith", "S M Y T H", "Smyth"),
        ("Jane Smith", "no, it's S M Y T H", "Jane Smyth"),
        ("Jane Smith", "Jayne, J A Y N E", "Jayne Smith"),
        ("Pill", "no, B as in boat", "Bill"),
        ("Bill", "D as in dog", "Dill"),
        ("Smith", "the third letter is Y", "Smyth"),
        ("Fmith", "S not F", "Smith"),
        ("Neil", "no, double L", "Neill"),
        ("Anne", "without an E", "Ann"),
        ("Steven", "with a ph", "Stephen"),
        ("Smith", "no, Jones", "Jones"),
        ("Dina Patel", "no, Tina", "Tina Patel"),
        ("Dina Patel", "no, Tina with a T", "Tina Patel"),
        ("Dina Patel", "no, my last name is Jones", "Dina Jones"),
        ("Dina Patel", "no, the first name is Anne", "Anne Patel"),
        ("Dina Patel", "no, Jones", "Jones"),
        ("Smith", "no, my name is Jones", "Jones"),
        ("Tim", "no, J as in John", None),
        ("Smith", "no", None),
        ("Smith", "yes", None),
    ],
)
def test_name_correction_changes_a_letter_a_word_or_the_whole(
    value: str, said: str, corrected: str | None
) -> None:
    """Where it is not clear what it corrects, nothing."""
    assert NAME.correct(value, said, NOW) == corrected


def test_name_is_said_back_letter_by_letter() -> None:
    """With its signs."""
    said = "Ann O'Neill, spelled A, N, N, then O, apostrophe, N, E, I, L, L"
    assert NAME.say("Ann O'Neill", NOW) == said


def test_name_goes_on_with_its_letters_or_its_rest() -> None:
    """In another breath."""
    assert NAME.go_on("Jane", "Smith", NOW) == "Jane Smith"
    assert NAME.go_on("Smith", "S M Y T H", NOW) == "Smyth"


@pytest.mark.parametrize("written", ["", "Ann 2", "Ann,Lee", "a" * 101, 5, None])
def test_name_canonical_form_has_letters_apostrophes_and_hyphens(written: object) -> None:
    """And at most 100 of them."""
    with pytest.raises(ValueError, match="name"):
        NAME.from_json(written)  # type: ignore[arg-type]
