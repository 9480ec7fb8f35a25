"""What is said around a wish is left out, and nothing that changes it."""

import pytest

from agent_worker.reasoning.asides import is_aside, without_asides


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("I'm terribly sorry to trouble you, but could I see room {number}", "see room {number}"),
        ("I was just wondering whether you could clear it", "you could clear it"),
        ("I don't suppose you've a room free, have you", "you've a room free"),
        ("would you mind clearing it, love", "clearing it"),
        ("would it be too much trouble to clear room {number}", "clear room {number}"),
        ("is there any chance you could clear it", "clear it"),
        ("good morning, I'd like to see it, if it's all the same to you", "i'd like to see it"),
        ("my wife's asking if the room is free", "the room is free"),
        ("Lemme ask you something, where is it again", "where is it again"),
        ("what was the name of the room again", "what was the name of the room"),
        ("this is {name}, clear my room, my number is {phone_number}", "clear my room"),
        ("kindly clear the room at the earliest", "clear the room at the earliest"),
        ("clear it for my daughter please", "clear it"),
    ],
)
def test_politeness_and_asides_are_left_out(said: str, left: str) -> None:
    assert without_asides(said).removeprefix("let me ask you something, ") == left


@pytest.mark.parametrize(
    "said",
    [
        "don't clear room {number}",
        "what happens if i clear it",
        "maybe clear it",
        "is it possible to clear it",
        "i'd rather have room {number}",
        "say that again",
    ],
)
def test_what_changes_a_wish_stays(said: str) -> None:
    """A negation, a condition, a doubt, a question what can be done."""
    assert without_asides(said) == said


@pytest.mark.parametrize("said", ["thank you", "I'm so sorry", "please", "sorry, love"])
def test_aside_alone_is_left_as_it_is(said: str) -> None:
    """There is nothing else to read."""
    assert without_asides(said) == said.lower()


def test_clause_that_is_no_part_of_a_wish_is_told() -> None:
    assert is_aside("thanks ever so much") and is_aside("If you'd be so kind,")
    assert not is_aside("thanks to the rain") and not is_aside("clear it")
