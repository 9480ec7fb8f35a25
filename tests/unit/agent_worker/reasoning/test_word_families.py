"""Words that mean nearly the same, and those of other trades."""

from agent_worker.reasoning.classifier import Classifier, Example
from agent_worker.reasoning.other_trades import OTHER_FAMILIES
from agent_worker.reasoning.word_families import FAMILIES, Families


def test_words_and_phrases_have_the_name_of_their_family() -> None:
    heads = Families().heads
    assert heads("could somebody mend it") == heads("could somebody repair it")
    assert heads("call off room {number}") == "cancel room {number}"
    assert heads("the {day} before") == "the {day} before"


def test_longest_phrase_goes_first() -> None:
    heads = Families().heads
    assert heads("get rid of it") == "cancel it" and heads("have a look at it") != heads("look")


def test_author_adds_words_of_the_trade() -> None:
    """They go before those that every agent has."""
    heads = Families(["canvas: linen, board", "canvas: drop"]).heads
    assert heads("a linen board") == "a canvas canvas" and heads("drop it") == "canvas it"


def test_no_word_is_in_two_families() -> None:
    """The last one would win, whatever was meant."""
    members = [
        one.strip()
        for line in (*FAMILIES.strip().splitlines(), *OTHER_FAMILIES.strip().splitlines())
        for one in line.partition(":")[2].split(",")
    ]
    assert sorted({one for one in members if members.count(one) > 1}) == []


def test_words_of_other_trades_are_found_but_for_those_of_the_agents_own() -> None:
    families = Families()
    assert families.foreign(()).search("call me a minicab")
    assert families.foreign({"taxi"}).search("call me a minicab") is None
    assert families.foreign(()).search("clear my room") is None


def test_example_is_known_by_the_other_words_of_its_families() -> None:
    examples = [Example("mend it", "fix"), Example("cancel it", "stop"), Example("see it", "look")]
    fitted = Classifier.fit(examples, Families().heads)
    scores = fitted.scores("have it repaired")
    assert max(scores, key=scores.__getitem__) == "fix"
    assert Classifier.fit(examples).scores("have it repaired")["fix"] < scores["fix"]
