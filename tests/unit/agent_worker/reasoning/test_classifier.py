"""Scores of sentences by the words, pairs and pieces that they share with examples."""

import numpy as np

from agent_worker.reasoning.classifier import ANY, Classifier, Example

EXAMPLES = [
    Example("where is room {number}", "find"),
    Example("how do I get to {number}", "find"),
    Example("paint room {number} red", "paint"),
    Example("I want a red {number}", "paint"),
    Example(f"do you sell {ANY}", "shop"),
]


def test_example_scores_near_one_and_its_neighbour_less() -> None:
    fitted = Classifier.fit(EXAMPLES)
    exact, near = fitted.scores("where is room {number}"), fitted.scores("where is it")
    assert max(exact, key=exact.__getitem__) == max(near, key=near.__getitem__) == "find"
    assert exact["find"] > 0.6 > near["find"] > 0.1


def test_strange_words_lower_every_score() -> None:
    """What shares one word of ten with the examples is none of them."""
    fitted = Classifier.fit(EXAMPLES)
    said = fitted.scores("paint it")
    with_more = fitted.scores("paint gorgeous sunflowers beside seventeen unknown villages")
    assert said["paint"] > 1.5 * with_more["paint"]


def test_near_spelling_is_recognized() -> None:
    scores = Classifier.fit(EXAMPLES).scores("painting rooms")
    assert max(scores, key=scores.__getitem__) == "paint"


def test_free_text_alone_means_nothing() -> None:
    """Only the words beside it do."""
    fitted = Classifier.fit(EXAMPLES)
    assert set(fitted.scores(ANY).values()) == {0.0}
    assert fitted.scores(f"do you sell {ANY}")["shop"] > 0.6


def test_lighter_example_gives_way() -> None:
    """Where two say the same of different labels."""
    both = [Example("open it", "light", 0.1), Example("open it", "heavy")]
    scores = Classifier.fit(both).scores("open it")
    assert scores["heavy"] > 3 * scores["light"]


def test_fit_is_deterministic() -> None:
    first, again = Classifier.fit(EXAMPLES), Classifier.fit(EXAMPLES)
    assert np.array_equal(first.weights, again.weights)
    assert list(first.columns) == list(again.columns)


def test_sentence_without_words_scores_nothing() -> None:
    assert set(Classifier.fit(EXAMPLES).scores("?!").values()) == {0.0}
