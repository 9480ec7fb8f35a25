"""An author's choices, and free text."""

from datetime import UTC, datetime

import pytest

from agent_worker.values import Found, OneOf, TextKind

NOW = datetime(2026, 12, 2, 10, tzinfo=UTC)
CHOICES = {"check_up": ("look over", "driver's check"), "repair": ("fix", "mend")}
EXACT = OneOf(CHOICES)
FUZZY = OneOf({"fitting": (), "fixing": (), "repair": ()}, fuzzy=True)


@pytest.mark.parametrize(
    ("said", "choices"),
    [
        ("a check-up please", ["check_up"]),
        ("two repairs", ["repair"]),
        ("drivers check", ["check_up"]),
        ("a look  over and a fix", ["check_up", "repair"]),
        ("a repair, no, a check up", ["check_up"]),
        ("prefix", []),
        ("mendacious", []),
    ],
)
def test_choice_is_found_by_any_of_its_phrases(said: str, choices: list[str]) -> None:
    """As whole words, with or without an apostrophe, a hyphen, a plural."""
    assert [one.value for one in EXACT.find(said, NOW)] == choices


def test_choice_of_two_is_asked() -> None:
    """In the words of the choices."""
    found = EXACT.answer("a check-up or a repair", NOW)
    assert found is not None
    assert found.question == "Do you mean check up, or repair?"


def test_choice_nearly_said_counts_only_where_the_author_wants_it() -> None:
    """And if two are near, it is asked."""
    assert EXACT.answer("repare", NOW) is None
    assert FUZZY.answer("repare", NOW) == Found(0, 6, "repair")
    assert FUZZY.answer("banana", NOW) is None
    between = FUZZY.answer("fiting", NOW)
    assert between is not None
    assert "fitting" in between.question
    assert "fixing" in between.question


@pytest.mark.parametrize("choices", [{}, {"a": ("x",), "b": ("X",)}, {"a": ("!",)}])
def test_choices_that_cannot_be_told_apart_are_refused(choices: dict[str, tuple[str, ...]]) -> None:
    """Where the author writes them."""
    with pytest.raises(ValueError, match="choices"):
        OneOf(choices)


def test_choice_must_be_one_of_them_in_its_canonical_form() -> None:
    """Not one of its phrases."""
    assert EXACT.from_json("repair") == "repair"
    with pytest.raises(ValueError, match="none of the choices"):
        EXACT.from_json("fix")


def test_free_text_is_the_whole_answer_and_never_found() -> None:
    """It goes on in another breath, up to its length."""
    text = TextKind(max_chars=20)
    assert text.find("my chain slips", NOW) == []
    assert text.answer(" my chain slips ", NOW) == Found(1, 15, "my chain slips")
    assert text.answer("  ", NOW) is None
    assert text.answer("x" * 21, NOW) is None
    assert text.go_on("my chain", "slips", NOW) == "my chain slips"
    assert text.go_on("my chain slips", "in winter", NOW) is None
