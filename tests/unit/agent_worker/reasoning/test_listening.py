"""What shows that a caller listens, or asks to wait, and what is a wish."""

import pytest

from agent_worker.reasoning.listening import asks_to_wait, is_backchannel, is_noise


@pytest.mark.parametrize(
    "text",
    [
        *("uh-huh", "Uh-huh.", "Mm-hmm.", "mhm", "Hmm", "Aha, mm-hmm."),
        *("I see.", "mm, got it", "ah, right", "ooh, really?", "mm-hmm, makes sense"),
    ],
)
def test_sounds_of_listening_are_never_a_turn(text: str) -> None:
    assert is_backchannel(text, over_agent=False)
    assert is_backchannel(text, over_agent=True)


@pytest.mark.parametrize("text", ["Okay.", "yeah, right", "right", "oh okay", "Got it, thanks."])
def test_agreement_is_no_turn_while_the_agent_speaks(text: str) -> None:
    """Said into its silence, it may be an answer."""
    assert is_backchannel(text, over_agent=True)
    assert not is_backchannel(text, over_agent=False)


@pytest.mark.parametrize(
    "text", ["yeah but wait", "okay, where is order eight", "right, cancel it", "no", "stop", ""]
)
def test_wish_is_a_turn_over_the_agent_too(text: str) -> None:
    assert not is_backchannel(text, over_agent=True)


@pytest.mark.parametrize(
    "text",
    [
        "hang on a second",
        "Hold on.",
        "Wait.",
        "One moment, please.",
        "just a moment, let me find the paper",
        "Give me a minute, I have to look for it.",
        "hold on a second, let me look for it",
        "Could you wait a moment?",
        "I said wait.",
        "two ticks, I'm putting my specs on",
        "The doorbell has just gone, hang on.",
        "there's somebody at my desk, one moment",
        "Hold up, gimme a minute.",
        "let me just grab a pen",
        "bear with me while I search for it",
        "sorry, my phone's ringing, hold on",
        "Let me think.",
    ],
)
def test_request_to_wait(text: str) -> None:
    assert asks_to_wait(text)


@pytest.mark.parametrize(
    "text",
    [
        "wait, where is order eight",
        "hang on, I meant nine",
        "hold my order",
        "how long do I have to wait",
        "let me check order seven",
        "just a helmet",
        "hold on, cancel it",
        "hang up",
        "let me get a helmet",
        "I'll take a bag",
        "my baby stopped breathing, hold on",
    ],
)
def test_wish_is_no_request_to_wait(text: str) -> None:
    assert not asks_to_wait(text)


@pytest.mark.parametrize(
    ("text", "noise"),
    [
        ("That,", True),
        ("A", True),
        ("", True),
        ("Stop.", False),
        ("No!", False),
        ("order eight", False),
        ("I see him", True),
        ("Yeah, it'll.", True),
        ("I see your point there", False),
        ("okay stop", False),
    ],
)
def test_lone_word_is_noise_unless_it_means_something(text: str, noise: bool) -> None:
    """A small recognizer hears "uh-huh" as any word."""
    assert is_noise(text) is noise


def test_two_words_of_a_short_sound_are_noise_unless_they_mean_something() -> None:
    """Nobody says two words in a third of a second."""
    assert is_noise("I had.", words_max=2)
    assert not is_noise("I had.")
    assert not is_noise("oh, stop", words_max=2)
