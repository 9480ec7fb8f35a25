"""Yes and no."""

import pytest

from agent_worker.tools import yes_no

YES = [
    "Yes.",
    "yes please",
    "Yeah, go ahead.",
    "Yep!",
    "Sure, do it.",
    "Please do.",
    "Um, yes.",
    "Okay, yes, thank you.",
    "That's right.",
    "Yes, yes, of course.",
    "I confirm",
    "Go ahead",
    "Yes, I'm sure",
]
NO = [
    "No.",
    "Nope",
    "no thanks",
    "No, don't do it.",
    "Oh no, please don't.",
    "Never mind.",
    "Forget it",
    "Rather not.",
    "I changed my mind.",
    "No, no!",
]
NEITHER = [
    "",
    "okay",
    "OK.",
    "all right",
    "uh",
    "thanks",
    "right",
    "yes but make it order eight",
    "yes and cancel order ten too",
    "yes or no",
    "no yes",
    "yes no",
    "yes, order nine",
    "I said yes to something else",
    "don't say yes",
    "did you say yes",
    "no idea",
    "yesterday",
    "now",
    "know",
    "cancel it",
    "not yes",
    "what do you mean",
    "if you say yes",
    "sure thing would be nice if you told me first",
]


@pytest.mark.parametrize("text", YES)
def test_yes_is_a_yes(text: str) -> None:
    """As people say it, courtesy around it."""
    assert yes_no.read(text) is True


@pytest.mark.parametrize("text", NO)
def test_no_is_a_no(text: str) -> None:
    """As people say it."""
    assert yes_no.read(text) is False


@pytest.mark.parametrize("text", NEITHER)
def test_anything_else_is_neither(text: str) -> None:
    """More words than a yes are another turn; "okay" only says that somebody listens."""
    assert yes_no.read(text) is None
