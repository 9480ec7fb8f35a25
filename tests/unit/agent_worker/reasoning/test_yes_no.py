"""Yes and no."""

import pytest

from agent_worker.reasoning.yes_no import Said, read, repeats_wish

CANCEL = "Cancel order 10? order number 10"
BOOK = "Book Friday at nine? day friday; time 9:00"
REFUND = "Refund 5 dollars of order 2? order number 2; amount dollars 5 dollars"
YES = [
    "yeah, do it, I've made up my mind",
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
    "okay",
    "OK.",
    "all right",
    "Sounds good.",
    "yes that's right, go ahead",
    "\U0001f44d",
    "\U0001f44d\U0001f3fe",
    "yes, that one please",
    "Great.",
    "Good, go for it.",
    "That's great, thanks.",
    "Sure thing.",
    "I said yes!",
    "Yes, I said yes.",
    "Sorry, I meant yes.",
    "Please.",
    "Um, please, thank you.",
    "That would be nice.",
    "I'd like that.",
    "Ooh yes please, if you'd be so kind.",
    "That's the one, thanks very much.",
    "I'm absolutely certain, carry on.",
    "Go on then.",
    "That would be lovely, dear.",
    "Uh-huh, yes.",
    "Sure, why not.",
    "Kindly proceed.",
    "Okey-dokey.",
    "By all means, go right ahead.",
]
NO = [
    "actually I think I'll keep it",
    "I guess not",
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
    "don't",
    "no, not that one",
    "actually leave it",
    "okay, no",
    "\U0001f44e",
    "Absolutely not.",
    "Of course not!",
    "I don't think so.",
    "I said no",
    "please don't",
    "I'd better hang on to it",
    "Ooh, better not.",
    "That's the wrong one.",
    "Let me think it over.",
    "Scrap that.",
    "Oh shoot, don't!",
    "No need, thanks.",
    "On second thoughts, no.",
    "nah, I'm fine",
]
NEITHER = [
    "",
    "uh",
    "uh-huh",
    "mm-hmm",
    "hang on a second",
    "just a moment, let me find the paper",
    "thanks",
    "please wait",
    "right",
    "yes but make it order eight",
    "yes and cancel order ten too",
    "yes and",
    "yes for",
    "yes or no",
    "no yes",
    "yes no",
    "yes, don't",
    "yes, wait",
    "yes?",
    "yes, order nine",
    "yes, not that one",
    "okay, where is order eight",
    "I said yes to something else",
    "don't say yes",
    "don't send order nine",
    "did you say yes",
    "no idea",
    "no problem",
    "yesterday",
    "now",
    "know",
    "cancel it",
    "not yes",
    "what do you mean",
    "if you say yes",
    "sure thing would be nice if you told me first",
    "wait, where is order eight",
    "I said wait",
    "I said cancel it",
    "no, I said yes",
    "I never said yes",
    "I would like to know where order eight is",
    "yes, if it isn't too late",
    "no worries",
    "no problem, that's fine",
    "carry on my wayward order",
]


@pytest.mark.parametrize("text", YES)
def test_yes_is_a_yes(text: str) -> None:
    """As people say it, courtesy around it, whatever the question is."""
    assert [read(text, about) for about in ("", CANCEL, REFUND)] == [Said.YES] * 3


@pytest.mark.parametrize("text", NO)
def test_no_is_a_no(text: str) -> None:
    """As people say it."""
    assert read(text) is Said.NO and read(text, CANCEL) is Said.NO


@pytest.mark.parametrize("text", NEITHER)
def test_anything_else_is_neither(text: str) -> None:
    """More words than a yes are another turn."""
    assert read(text, CANCEL) not in (Said.YES, Said.NO)


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("yes, cancel it", CANCEL),
        ("Yes, cancel order ten, please.", CANCEL),
        ("okay cancel number 10", CANCEL),
        ("yes, on Friday at 9", BOOK),
        ("yes, nine on Friday", "Book Friday at nine?"),
        ("yes, refund five dollars of order two", REFUND),
    ],
)
def test_yes_that_repeats_the_question_is_a_yes(text: str, about: str) -> None:
    """Its own words and numbers; without the question it is none."""
    assert read(text, about) is Said.YES
    assert read(text) is Said.YES_AND_MORE


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("yes, on Monday", BOOK),
        ("yes, cancel order nine", CANCEL),
        ("yes, at ten", BOOK),
        ("yes, refund two", REFUND),
        ("yes, two dollars of order five", REFUND),
        ("yes, don't cancel order ten", CANCEL),
        ("yes and cancel it", CANCEL),
        ("yes, but cancel order ten", CANCEL),
    ],
)
def test_yes_that_adds_something_is_none(text: str, about: str) -> None:
    """It is a wish of its own, even where it only puts the question's numbers elsewhere."""
    assert read(text, about) is Said.YES_AND_MORE


@pytest.mark.parametrize(
    "text",
    [
        "no, nine",
        "No. Nine.",
        "no nine",
        "no, I meant nine",
        "hang on, I meant nine",
        "Sorry, I meant order nine.",
        "no, where is order eight",
        "no, make it Monday",
        "better not, I have to ask my partner",
        "oh no, wait, I misread the number",
        "Don't. I need it after all.",
    ],
)
def test_no_with_a_wish_or_a_reason_is_both(text: str) -> None:
    """What was asked is not wanted; what is wanted was said with it."""
    assert read(text, CANCEL) is Said.NO_AND_MORE


@pytest.mark.parametrize(
    "text", ["don't cancel order ten", "no, don't cancel it", "no not order 10"]
)
def test_no_may_repeat_the_question(text: str) -> None:
    """That is no wish of its own."""
    assert read(text, CANCEL) is Said.NO


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Refund it.", REFUND),
        ("refund", REFUND),
        ("please refund 5 dollars", REFUND),
        ("cancel it", CANCEL),
        ("order ten", CANCEL),
        ("book Friday", BOOK),
    ],
)
def test_wish_once_more_is_the_one_that_was_asked_about(text: str, about: str) -> None:
    """With fewer words, and never more."""
    assert repeats_wish(text, about)
    assert read(text, about) is None


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("refund all of it", REFUND),
        ("refund order two", REFUND),
        ("refund 2 dollars", REFUND),
        ("don't refund it", REFUND),
        ("refund it?", REFUND),
        ("cancel order nine", CANCEL),
        ("where is order ten", CANCEL),
        ("book Saturday", BOOK),
        ("please", BOOK),
        ("", CANCEL),
    ],
)
def test_wish_that_differs_is_another_one(text: str, about: str) -> None:
    """Also where only a number is another, or stands for something else."""
    assert not repeats_wish(text, about)
