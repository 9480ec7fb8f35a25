"""What a caller takes back within one sentence."""

import pytest

from agent_worker.reasoning.correction import corrected_within, meant_instead


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("order one, no, two", ("order one, ", "no, two")),
        ("book nine, sorry, I meant ten", ("book nine, ", "sorry, I meant ten")),
    ],
)
def test_what_is_said_instead_stands_at_the_end(text: str, parts: tuple[str, str]) -> None:
    assert corrected_within(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "clear room three, I don't want it no more",
        "it's no longer needed, clear room three",
        "clear it, there's no rush",
        "clear room three",
    ],
)
def test_no_before_a_noun_takes_nothing_back(text: str) -> None:
    assert corrected_within(text) is None


def test_what_is_meant_instead_is_found_as_a_recognizer_writes_it() -> None:
    """ "And on" is heard for "hang on"."""
    assert meant_instead("And on, I meant nine,") == "nine,"
    assert meant_instead("and on Friday") is None
