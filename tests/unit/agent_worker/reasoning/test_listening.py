"""What shows that a caller listens, or asks to wait, and what is a wish."""

import pytest

from agent_worker.reasoning.listening import asks_to_wait, asks_yes_or_no, is_backchannel, is_noise


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


@pytest.mark.parametrize("text", ["Right, right.", "hmm okay", "mm-hm, right, yeah", "Yeah, yeah."])
def test_agreement_with_a_hum_is_no_turn_where_a_yes_answers_nothing(text: str) -> None:
    """Else it may be a yes, hesitant as it is."""
    assert is_backchannel(text, over_agent=False, may_agree=False)
    assert not is_backchannel(text, over_agent=False)


@pytest.mark.parametrize("text", ["Okay.", "yes", "right, thank you", "right, order nine", ""])
def test_what_goes_on_with_the_call_is_a_turn_though_a_yes_answers_nothing(text: str) -> None:
    assert not is_backchannel(text, over_agent=False, may_agree=False)


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        ("Cancel order ten?", True),
        ("Is that right? I can wait.", True),
        ("It is on its way. Anything else?", True),
        ("Which day?", False),
        ("Okay. And what time?", False),
        ("Hello. How can I help you?", False),
        ("It is on its way.", False),
        ("", False),
    ],
)
def test_question_that_a_yes_answers(said: str, asks: bool) -> None:
    assert asks_yes_or_no(said) is asks


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
        "hold on, I'm just crossing the road",
        "hang on hang on, the dog's got my glasses, don't go anywhere",
        "don't go anywhere",
        "And on a second,",
        "one second, my wife is talking to me",
        "wait, I'm about to get off the bus",
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
        "hold on, my baby is choking",
        "hang on, my wife wants to know where it is",
        "wait, my husband is asking about order nine",
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
