"""What the conversation asks for next, as a function of what the caller said."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_worker.reasoning.dialog import CallTool, Dialog, NotUnderstood, Say, follow
from agent_worker.reasoning.templates import Templates
from tests.unit.agent_worker.small_agent import TEMPLATES, load_templates

MONDAY = {"day": "monday", "time": "15:00"}


def test_follow_nothing_said_asks_for_nothing(templates: Templates) -> None:
    """Before the first turn there is no move."""
    assert follow(templates, []) == Dialog()


@pytest.mark.parametrize(
    ("turns", "move"),
    [
        (["look at room 7"], CallTool("look", {"number": 7})),
        (["when are you open"], Say("We are open all day.")),
        (["show a room"], Say("Which room?")),
        (["show a room", "seven"], CallTool("look", {"number": 7})),
        (["paint a room", "three"], CallTool("paint", {"number": 3})),
        (["book a visit"], Say("Which day?")),
        (["book a visit", "friday"], Say("At what time?")),
        (
            ["book a visit", "friday", "three"],
            CallTool("visit", {"day": "friday", "time": "15:00"}),
        ),
        (
            ["book a visit", "friday at three"],
            CallTool("visit", {"day": "friday", "time": "15:00"}),
        ),
        (
            ["book a visit at 3", "monday"],
            CallTool("visit", {"day": "monday", "time": "15:00"}),
        ),
        (
            ["book a visit on monday", "friday", "two"],
            CallTool("visit", {"day": "friday", "time": "14:00"}),
        ),
        (
            ["book a visit on monday", "book a visit at 2"],
            CallTool("visit", {"day": "monday", "time": "14:00"}),
        ),
        (["search", "red paint"], CallTool("search", {"words": "red paint"})),
    ],
)
def test_follow_slots_are_asked_for_one_by_one(
    templates: Templates, turns: list[str], move: CallTool | Say
) -> None:
    """What is missing is asked for in order; answers in any order fill it; then the tool runs."""
    assert follow(templates, turns).move == move


@pytest.mark.parametrize("asked", ["show a room", "book a visit", "search"])
def test_follow_change_of_subject_leaves_the_question(templates: Templates, asked: str) -> None:
    """A whole sentence about something else is not taken for an answer, not even a free one."""
    dialog = follow(templates, [asked, "when are you open"])
    assert dialog.move == Say("We are open all day.")
    assert dialog.intent is None


def test_follow_question_that_was_asked_once_more_waits_for_its_answer(
    templates: Templates,
) -> None:
    """Who did not catch it changes no subject, and clears no count."""
    again = follow(templates, ["paint a room", "mumble", "say that again"])
    assert (again.intent, again.misses, again.move) == ("paint", 1, Say("{last_answer}"))
    seven = follow(templates, ["paint a room", "say that again", "seven"])
    assert seven.move == CallTool("paint", {"number": 7})


@pytest.mark.parametrize("words", ["never mind", "No.", "Forget it!", "no, thanks"])
def test_follow_never_mind_leaves_the_question(templates: Templates, words: str) -> None:
    """The caller can take a request back; what follows is not its answer."""
    taken_back = follow(templates, ["paint a room", words])
    assert taken_back.move == Say("All right. What else?")
    assert follow(templates, ["paint a room", words, "seven"]).move == NotUnderstood(1)


def test_follow_answer_wins_over_a_sentence_that_says_no_more(tmp_path: Path) -> None:
    """Where the same words are a whole sentence too, what only stands for something is no gain."""
    text = TEMPLATES.replace(
        "  search:\n",
        """  come:
    tool: come
    data:
      - sentences: ["at {time}"]
        slots: {day: the-same}
  search:
""",
    )
    templates = load_templates(tmp_path, text)
    assert follow(templates, ["book a visit on monday", "at 3"]).move == CallTool(
        "visit", {"day": "monday", "time": "15:00"}
    )
    assert follow(templates, ["book a visit on monday at 3", "at 2"]).move == CallTool(
        "come", {"day": "monday", "time": "14:00"}
    )


def test_follow_answer_that_fits_nothing_is_a_miss_and_the_question_stays(
    templates: Templates,
) -> None:
    """A wrong answer counts as not understood; the right one still finishes the request."""
    turns = ["paint a room", "the red one"]
    assert follow(templates, turns).move == NotUnderstood(1)
    assert follow(templates, [*turns, "friday"]).move == NotUnderstood(2)
    assert follow(templates, [*turns, "seven"]).move == CallTool("paint", {"number": 7})


def test_follow_question_that_is_not_answered_is_counted_and_reworded(
    templates: Templates,
) -> None:
    """In each of its wordings, then as what is not understood; the answer still finishes it."""
    turns = ["book a visit"]
    for words, move in [
        ("book a visit", Say("Monday or Friday?")),
        ("the red one", NotUnderstood(2)),
        ("book a visit", NotUnderstood(3)),
        ("friday", Say("At what time?")),
        ("book a visit on friday", NotUnderstood(1)),
        ("three", CallTool("visit", {"day": "friday", "time": "15:00"})),
    ]:
        turns.append(words)
        assert follow(templates, turns).move == move


def test_follow_what_answers_no_question_goes_to_a_model_where_there_is_one(
    templates: Templates,
) -> None:
    """It may make more of it than the same question in other words."""
    assert follow(templates, ["book a visit", "whenever you can"], model=True).move == (
        NotUnderstood(1)
    )


@pytest.mark.parametrize(
    ("turns", "move"),
    [
        (["clear room 9", "no, ten"], CallTool("clear", {"number": 10})),
        (["look at room 9", "hang on, I meant ten"], CallTool("look", {"number": 10})),
        (
            ["book a visit on friday at 3", "no, I meant Monday"],
            CallTool("visit", {"day": "monday", "time": "15:00"}),
        ),
        (["clear room 9", "no, look at room 8"], CallTool("look", {"number": 8})),
        (["paint a room", "sorry, I meant look at room 8"], CallTool("look", {"number": 8})),
        (["no, ten"], NotUnderstood(1)),
        (["clear room 9", "mumble", "no, ten"], NotUnderstood(2)),
        (["clear room 9", "no idea"], NotUnderstood(1)),
        (["look at room one, no, two"], CallTool("look", {"number": 2})),
        (["look at room one oh, wait, no, two oh four"], CallTool("look", {"number": 204})),
        (["clear room 9. No, I meant ten. No, eleven."], CallTool("clear", {"number": 11})),
        (["book a visit", "Friday, no, Monday, at three"], CallTool("visit", MONDAY)),
        (["mumble", "look at room one, no, blue"], NotUnderstood(2)),
        (["mumble", "mutter, no, ten"], NotUnderstood(2)),
        (["look at room one, no, two. " + "And so on. " * 20], NotUnderstood(1)),
    ],
)
def test_follow_correction_replaces_what_was_said(
    templates: Templates, turns: list[str], move: CallTool | NotUnderstood
) -> None:
    """The same wish with what was meant, or what was meant alone; in one breath too."""
    assert follow(templates, turns).move == move


def test_follow_it_stands_for_what_the_last_tool_was_called_with(templates: Templates) -> None:
    """ "It" is the room that was looked at, also after words that need no tool."""
    seen = ["look at room 7"]
    assert follow(templates, [*seen, "paint it"]).move == CallTool("paint", {"number": 7})
    assert follow(templates, [*seen, "when are you open", "paint it"]).move == CallTool(
        "paint", {"number": 7}
    )


@pytest.mark.parametrize(
    "between", [[], ["search for red paint"], ["book a visit on friday at 3"], ["mumble"]]
)
def test_follow_it_without_a_clear_subject_is_asked_for(
    templates: Templates, between: list[str]
) -> None:
    """ "It" never reaches back past another subject, or past words that were not understood."""
    before = ["look at room 7", *between] if between else []
    assert follow(templates, [*before, "paint it"]).move == Say("Which room shall I paint?")


def test_follow_misses_are_counted_in_a_row(templates: Templates) -> None:
    """Each miss counts up; anything understood starts anew."""
    assert follow(templates, ["mumble"]).move == NotUnderstood(1)
    assert follow(templates, ["mumble", "mutter"]).move == NotUnderstood(2)
    assert follow(templates, ["mumble", "when are you open", "mutter"]).move == NotUnderstood(1)


def test_follow_counts_the_last_fifty_turns(templates: Templates) -> None:
    """What is older is forgotten, so that the work per turn is bounded."""
    assert follow(templates, ["look at room 7", *["say that again"] * 48, "paint it"]).move == (
        CallTool("paint", {"number": 7})
    )
    assert follow(templates, ["look at room 7", *["say that again"] * 49, "paint it"]).move == (
        Say("Which room shall I paint?")
    )


TURNS = st.sampled_from(
    [
        "look at room 7", "show it", "paint it", "paint a room", "seven", "three", "friday",
        "book a visit", "never mind", "mumble", "when are you open", "search", "say that again",
    ]
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(TURNS, max_size=8), st.lists(TURNS, max_size=8))
def test_follow_is_a_function_of_the_turns_alone(
    templates: Templates, turns: list[str], others: list[str]
) -> None:
    """Another conversation in between, or the prefixes worked out before, change nothing."""
    before = follow(templates, turns)
    for end in range(len(turns)):
        follow(templates, turns[:end])
    follow(templates, others)
    assert follow(templates, iter(turns)) == before
    assert follow(templates, [*turns, "paint it"]).move in (
        Say("Which room shall I paint?"),
        CallTool("paint", {"number": 7}),
        CallTool("paint", {"number": 3}),
    )


def test_follow_question_is_over_when_a_model_answered_in_between(templates: Templates) -> None:
    """A number after the model's own turn must not paint a room."""
    turns = ["paint a room", "what is the meaning of life", "three"]
    assert follow(templates, turns).move == CallTool("paint", {"number": 3})
    assert follow(templates, turns, model=True).move == NotUnderstood(2)
