"""Sentence templates: what is wrong with a file, and what matches."""

from pathlib import Path

import pytest

from agent_worker.reasoning.match import Match
from agent_worker.reasoning.template_file import TemplateError
from agent_worker.reasoning.templates import MAX_CHARS, Templates
from tests.unit.agent_worker.small_agent import TEMPLATES, load_templates

START = "language: en\nintents:\n  greet:\n"
RULE = "intents:\n  greet:\n    say: a\n    data: [{sentences: [hi]}]\n"
RULES = START + "    say: a\n    data: [{sentences: [hi]}]\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("- a list", ": should be a valid dictionary"),
        ("language: en", ": intents: field required"),
        ("", ": should be a valid dictionary"),
        (RULE, ": language: field required"),
        (f"langage: en\n{RULE}", ": langage: extra inputs are not permitted"),
        (f"{RULES}curtesy: [please]", ": curtesy: extra inputs are not permitted"),
        (f"{RULES}courtesy: please", ": courtesy: should be a valid list"),
        (f"{RULES}lists: {{room: [a]}}", ": lists.room: should be a valid dictionary"),
        (f"{RULES}lists: {{room: {{value: [a]}}}}", ": lists.room.value: extra inputs are not"),
        (f"{RULES}lists: {{room: {{}}}}", ": lists.room: give one of values, range and wildcard"),
        (f"{RULES}lists: {{room: {{values: [on]}}}}", ": lists.room.values.0"),
        (f"{RULES}lists: {{room: {{values: [{{out: x}}]}}}}", ": lists.room.values.0"),
        (
            f"{RULES}lists: {{room: {{range: {{from: 1}}}}}}",
            ": lists.room.range.to: field",
        ),
        (f"{RULES}expansion_rules: {{room: 3}}", ": expansion_rules.room: should be a valid str"),
        (f"{RULES}  greet:\n    say: b", ":6: 'greet' is there twice"),
        (f"{RULES}language: de", ":6: 'language' is there twice"),
        (
            f"{RULES}  no: {{say: a, data: [{{sentences: [hi]}}]}}",
            ":6: a key must be text: put it",
        ),
        (
            f"{RULES}  1: {{say: a, data: [{{sentences: [hi]}}]}}",
            ":6: a key must be text: put it",
        ),
        (START + "    say: a\n    data: [{sentences: [hi], slot: {a: b}}]", ".data.0.slot: extra"),
        (
            START + "    say: a\n    data: [{sentences: hi}]",
            ".data.0.sentences: should",
        ),
        (
            START + "    say: '{last_anser}'\n    data: [{sentences: [hi]}]",
            ".say: only {last_an",
        ),
        (START + "    say: a\n    ask: {a: 3}\n    data: [{sentences: [hi]}]", ".ask.a: should be"),
        (
            START + "    say: a\n    ask: [a]\n    data: [{sentences: [hi]}]",
            ".ask: should be a",
        ),
        (
            f"{RULES}  answer.x: {{say: a, data: [{{sentences: [hi]}}]}}",
            "intents.answer.x: an answer has neither tool, say nor ask",
        ),
        ("intents:\n  greet:\nlanguage: en", "intents.greet: should be"),
        (
            "numbered: room\n" + START + "    say: a\n    data: [{sentences: [hi]}]",
            "numbered: should be a valid list",
        ),
        ("intents: [", ":1: while parsing a flow node: expected the node content"),
        ("a: \x07", ": "),
        (START + "    data: [{sentences: [hi]}]", "intents.greet: give either"),
        (
            START + "    say: a\n    tool: b\n    data: [{sentences: [hi]}]",
            "intents.greet: give either",
        ),
        (START + "    say: a\n    data: []", "intents.greet.data: list should have at least"),
        (START + "    say: a\n    data: [{}]", "intents.greet.data.0.sentences: field required"),
        (
            START + "    say: a\n    tol: b\n    data: [{sentences: [hi]}]",
            "intents.greet.tol: extra inputs",
        ),
        (
            START + "    say: a\n    data: [{sentences: ['hi {nobody}']}]",
            "greet: no list named 'nobody'",
        ),
        (START + "    say: a\n    data: [{sentences: ['hi (there']}]", "greet: Unable to find"),
        (
            START + "    say: a\n    data: [{sentences: ['hi <there>']}]",
            "greet: no expansion rule named 'there'",
        ),
        (
            "courtesy: ['(please']\n" + START + "    say: a\n    data: [{sentences: [hi]}]",
            "courtesy.0: this is not a regular expression: missing )",
        ),
    ],
)
def test_load_wrong_file_names_file_and_place(tmp_path: Path, text: str, place: str) -> None:
    """Each mistake is told with the file's name and where in it."""
    with pytest.raises(TemplateError) as caught:
        load_templates(tmp_path, text)
    assert str(tmp_path / "intents.yaml") in str(caught.value)
    assert place in str(caught.value)


def test_load_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is told by its name."""
    with pytest.raises(TemplateError, match=r"nothing\.yaml"):
        Templates.load(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    ("sentence", "match"),
    [
        ("Look at room seven.", Match("look", {"number": 7})),
        ("look at the room number twenty-one", Match("look", {"number": 21})),
        ("Hello, could you show room 7, please?", Match("look", {"number": 7})),
        ("Loook at rooom 7", Match("look", {"number": 7})),
        ("Book a visit on Friday at 3 p.m.", Match("visit", {"day": "friday", "time": "15:00"})),
        ("search for red paint", Match("search", {"words": "red paint"}, free=True)),
        ("show it", Match("look", {"number": "the-same"})),
    ],
)
def test_match_sentence_that_fits_gives_intent_and_slots(
    templates: Templates, sentence: str, match: Match
) -> None:
    """Politeness is left out, near words are repaired, numbers become integers."""
    assert templates.match(sentence) == match


@pytest.mark.parametrize(
    "sentence",
    ["", "?", "look at room 1000", "look at room zero", "don't paint room 7", "seven", "hello"],
)
def test_match_sentence_that_does_not_fit_is_none(templates: Templates, sentence: str) -> None:
    """What no template says is not guessed; answers alone are no intents."""
    assert templates.match(sentence) is None


def test_match_very_long_sentence_is_none(templates: Templates) -> None:
    """A sentence over the limit is not tried, even where a wildcard would take it."""
    assert templates.match("search for " + "x" * (MAX_CHARS - 20)) is not None
    assert templates.match("search for " + "x" * MAX_CHARS) is None


def test_match_answer_fits_only_the_slots_that_were_asked(templates: Templates) -> None:
    """The same word is a room's number or a time, by what the agent asked."""
    assert templates.match_answer("three", ["number"]) == Match("answer.number", {"number": 3})
    assert templates.match_answer("three", ["day", "time"]) == Match(
        "answer.when", {"time": "15:00"}
    )
    assert templates.match_answer("Friday", ["number"]) is None


def test_match_answer_free_text_gives_way_to_exact(templates: Templates) -> None:
    """Where free text was asked for beside a number, a number is a number."""
    both = ["words", "number"]
    assert templates.match_answer("seven", both) == Match("answer.number", {"number": 7})
    assert templates.match_answer("red paint", both) == Match(
        "answer.words", {"words": "red paint"}, free=True
    )


def test_courtesy_absent_matches_as_said(tmp_path: Path) -> None:
    """A file without courtesy takes sentences as they are."""
    templates = load_templates(tmp_path, START + "    say: a\n    data: [{sentences: [good day]}]")
    assert templates.match("Good day!") == Match("greet", {})
    assert templates.match("please good day") is None


def test_slots_of_an_intent_are_all_that_its_sentences_fill(templates: Templates) -> None:
    """Lists inside expansion rules and values that are not said count too."""
    assert templates.slots["look"] == {"number"}
    assert templates.slots["visit"] == {"day", "time"}
    assert templates.slots["hours"] == set()


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("look at room 7", True),
        ("Friday.", True),
        ("at three", True),
        ("That,", False),
        ("", False),
    ],
)
def test_knows_sentences_and_answers(templates: Templates, text: str, known: bool) -> None:
    """Words that mean something by themselves, or to a question of the agent's."""
    assert templates.knows(text) is known


@pytest.mark.parametrize("text", ["where is the", "I'd like to", "look at room number", "could"])
def test_is_unfinished_after_a_dangling_word(templates: Templates, text: str) -> None:
    """A sentence that ends in a word that asks for another has not ended."""
    assert templates.is_unfinished(text)


@pytest.mark.parametrize("text", ["", "look at room 7", "paint a room", "When are you open?", "x"])
def test_is_unfinished_whole_sentence_is_not(templates: Templates, text: str) -> None:
    """A sentence that a template accepts, or that ends in an ordinary word, has ended."""
    assert not templates.is_unfinished(text)


def test_is_unfinished_template_that_ends_in_a_dangling_word_is_finished(tmp_path: Path) -> None:
    """Where a template says so, a sentence may end in any word."""
    text = TEMPLATES.replace('"when are you open"', '"what is it about"')
    assert not load_templates(tmp_path, text).is_unfinished("What is it about?")


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("search for order for", "order for"),
        ("search for refund to", "refund to"),
        ("search for a refunt of the apointment", "a refunt of the apointment"),
        ("search for water number 7", "water number 7"),
    ],
)
def test_match_of_another_agent_is_not_repaired_toward_the_shop(
    templates: Templates, said: str, heard: str
) -> None:
    """An agent with other words hears no orders and refunds: those are the example's own."""
    assert templates.match(said) == Match("search", {"words": heard}, free=True)


def test_is_unfinished_of_another_agent_knows_its_own_numbered_words(templates: Templates) -> None:
    """A number follows "room" here; "order" may end a sentence."""
    assert templates.is_unfinished("I am in the room")
    assert not templates.is_unfinished("bring it in order")


def test_match_homophone_after_a_numbered_word_is_its_number(templates: Templates) -> None:
    """The agent's file says which words a number follows."""
    assert templates.match("Look at room for.") == Match("look", {"number": 4})
