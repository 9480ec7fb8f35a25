"""A front desk's form: optional slots, values for the whole call, what goes before everything."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent_worker.reasoning.dialog import CallTool, Move, NotUnderstood, Say, follow
from agent_worker.reasoning.template_file import TemplateError
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn
from tests.unit.agent_worker.small_agent import load_templates

NOW = datetime(2026, 11, 18, 10, 15, tzinfo=ZoneInfo("Europe/Berlin"))
"""A Wednesday."""
FRIDAY, MONDAY = "2026-11-20", "2026-11-23"
FIRE = Say("Leave the house. Shall we go on?")
DESK = r"""
language: en
remember: [name, phone, email]
lists:
  name: {type: name}
  phone: {type: phone_number}
  email: {type: email}
  day: {type: day}
  time: {type: time, between: ["9:00", "18:00"]}
  note: {type: text}
intents:
  fire:
    say: "Leave the house. Shall we go on?"
    anywhere: ["fire(?! alarm test)", "smells? (of|like) (smoke|gas)"]
    examples: |
      it is burning
      everything is in flames
      the curtains are burning and we can't get out
      there are flames coming out of the room
  visit:
    tool: visit
    about: to book a visit
    offers: call
    ask:
      name: "Who is coming?"
      phone: "Which number?"
      email: ["Is there a mail address?", "Your mail address, or no?"]
      day: "Which day?"
      time: "At what time?"
      note: "What is it about?"
    optional: [email, note]
    examples: |
      I would like to come by {day} at {time}
      can I drop in on {day}
    data:
      - sentences: ["book a visit [on {day}] [at {time}]"]
      - sentences: ["[i'll take] {time}"]
        slots: {day: the-same}
  look:
    tool: look
    offers: visit
    ask: {day: "Which day?"}
    data:
      - sentences: ["what is free [on {day}]"]
  call:
    tool: call
    ask: {name: "Who are you?", phone: "Which number?"}
    data:
      - sentences: ["call me back"]
  goodbye:
    tool: end_call
    data:
      - sentences: ["[no] goodbye"]
"""
ASKED_MAIL = "book a visit >> Sam Rivera >> 2025550134"
FULL = f"{ASKED_MAIL} >> no >> Friday >> nine >> the door"
KNOWN = {"name": "Sam Rivera", "phone": "2025550134"}
VISIT = {**KNOWN, "day": FRIDAY, "time": "09:00", "note": "the door"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Templates whose tools all ask for themselves."""
    templates = load_templates(tmp_path_factory.mktemp("desk"), DESK)
    return templates.knowing({"visit", "call"}, {"visit", "call"})


def _move(templates: Templates, turns: str) -> Move | None:
    return follow(templates, [Turn(turn.strip(), NOW) for turn in turns.split(">>")]).move


@pytest.mark.parametrize(
    "nothing",
    [
        *("no", "No, thanks.", "none", "skip it", "I don't have one", "no I don't have one"),
        *("I don't have an e-mail address", "no mail", "I'd rather not", "without", "not today"),
    ],
)
def test_optional_slot_is_left_out(desk: Templates, nothing: str) -> None:
    """However it is said; the form goes on, and the tool gets no such argument."""
    assert _move(desk, f"{ASKED_MAIL} >> {nothing}") == Say("Which day?")
    assert _move(desk, FULL) == CallTool("visit", VISIT)


@pytest.mark.parametrize(
    ("turn", "move"),
    [
        ("never mind", Say("All right. What else?")),
        ("no, Tom", Say("Tom, spelled T, O, M. Is there a mail address?")),
        ("no, it ends in five", Say("2 0 2, 5 5 5, 0 1 3 5. Is there a mail address?")),
        ("no, goodbye", CallTool("end_call", {})),
    ],
)
def test_what_is_more_than_a_no_leaves_nothing_out(desk: Templates, turn: str, move: Move) -> None:
    """A correction, another wish, or something else."""
    assert _move(desk, f"{ASKED_MAIL} >> {turn}") == move


def test_no_to_a_slot_that_is_needed_leaves_the_form(desk: Templates) -> None:
    """Only where the author says so is it an answer."""
    assert _move(desk, "book a visit >> no") == Say("All right. What else?")


def test_no_to_what_was_said_back_asks_for_it_again(desk: Templates) -> None:
    """With nothing said instead, it is no reason to drop the form; a second one is."""
    asked = "book a visit >> Sam Rivera >> no"
    assert _move(desk, asked) == Say("Who is coming?")
    tam = Say("Tam Rivera, spelled T, A, M, then R, I, V, E, R, A. Which number?")
    assert _move(desk, f"{asked} >> Tam Rivera") == tam
    assert _move(desk, f"{asked} >> the third letter is N") == Say(
        "San Rivera, spelled S, A, N, then R, I, V, E, R, A. Which number?"
    )
    assert _move(desk, f"{asked} >> Tam Rivera >> 2025550134 >> no >> Friday >> nine >> x") == (
        CallTool("visit", {**VISIT, "name": "Tam Rivera", "note": "x"})
    )
    for turns in (f"{asked} >> no", "book a visit >> Sam Rivera >> never mind"):
        assert _move(desk, turns) == Say("All right. What else?")


def test_number_or_address_that_is_said_once_more_takes_the_place_of_the_first(
    desk: Templates,
) -> None:
    """As it was said back wrong; it is none of the next question's answers."""
    asked = f"{ASKED_MAIL} >> two oh two five five five oh one three five"
    assert _move(desk, asked) == Say("2 0 2, 5 5 5, 0 1 3 5. Is there a mail address?")
    asked = f"{ASKED_MAIL} >> it's plus four four two oh seven nine four six oh nine five eight"
    assert _move(desk, asked) == Say("plus 4 4, 2 0, 7 9 4 6, 0 9 5 8. Is there a mail address?")
    asked = f"{ASKED_MAIL} >> sam at example dot com >> sam at hotmail dot com"
    assert _move(desk, asked) == Say("S, A, M, at, hotmail, dot, com. Which day?")


def test_values_are_read_back_before_the_next_question(desk: Templates) -> None:
    """Names, numbers and addresses, of which one wrong letter is another value; days are not."""
    asked = "book a visit >> Sam Rivera"
    name = "Sam Rivera, spelled S, A, M, then R, I, V, E, R, A"
    assert _move(desk, asked) == Say(f"{name}. Which number?")
    assert _move(desk, f"{ASKED_MAIL} >> no >> Friday") == Say("At what time?")


def test_values_that_are_remembered_are_asked_for_once(desk: Templates) -> None:
    """In a call, whatever else was said since; a correction counts for what comes later too."""
    assert _move(desk, f"{FULL} >> call me back") == CallTool("call", KNOWN)
    assert _move(desk, f"{FULL} >> what is free >> Friday >> call me back") == CallTool(
        "call", KNOWN
    )
    corrected = {**KNOWN, "name": "Tom Rivera"}
    turns = f"{FULL} >> no, my first name is Tom >> call me back"
    assert _move(desk, turns) == CallTool("call", corrected)
    assert _move(desk, f"{FULL} >> book a visit") == Say("Which day?")


@pytest.mark.parametrize(
    ("turn", "changed"),
    [
        ("no, ten", {"time": "10:00"}),
        ("no, Monday", {"day": MONDAY}),
        ("not Friday, Monday", {"day": MONDAY}),
        ("Monday, not Friday", {"day": MONDAY}),
        ("hang on, not Friday, make it Monday", {"day": MONDAY}),
        ("no, the number ends in five", {"phone": "2025550135"}),
        ("no, Tam with a T", {"name": "Tam Rivera"}),
        ("ten o'clock then", {"time": "10:00"}),
        ("Monday at ten", {"day": MONDAY, "time": "10:00"}),
    ],
)
def test_filled_form_is_corrected_by_the_value_that_fits(
    desk: Templates, turn: str, changed: dict[str, str]
) -> None:
    """A name last, which any word may be; a new value alone is the wish once more."""
    move = _move(desk, f"{FULL} >> {turn}")
    assert isinstance(move, CallTool)
    assert move.arguments == {**VISIT, **changed}


def test_value_in_free_text_corrects_nothing(desk: Templates) -> None:
    """Only one value instead of another is no answer to "What is it about?"."""
    asked = f"{ASKED_MAIL} >> no >> Friday >> nine"
    assert _move(desk, f"{asked} >> not Friday, Monday") == Say("What is it about?")
    move = _move(desk, f"{asked} >> not sleeping well since Monday")
    note = "not sleeping well since Monday"
    assert move == CallTool("visit", {**VISIT, "note": note})


def test_number_or_address_is_the_answer_whatever_stands_around_it(desk: Templates) -> None:
    """Where it is whole: nothing else is like it."""
    asked = "book a visit >> Sam Rivera >> my cell phone would be 202-555-0134 after five"
    assert _move(desk, asked) == Say("2 0 2, 5 5 5, 0 1 3 4. Is there a mail address?")


def test_same_wish_once_more_can_be_free_text(desk: Templates) -> None:
    """It adds nothing to the wish, so it is what was asked for."""
    move = _move(desk, f"{ASKED_MAIL} >> no >> Friday >> nine >> book a visit")
    assert move == CallTool("visit", {**VISIT, "note": "book a visit"})


def test_other_value_alone_is_the_last_question_once_more(desk: Templates) -> None:
    """ "And Monday?" """
    move = CallTool("look", {"day": MONDAY})
    assert _move(desk, "what is free on Friday >> and on Monday?") == move


def test_hour_alone_is_heard_without_a_list_of_numbers(desk: Templates) -> None:
    """It refers to the day that was spoken of."""
    turns = f"what is free on Friday >> I'll take eleven >> {ASKED_MAIL[16:]} >> no >> the door"
    assert _move(desk, turns) == CallTool("visit", {**VISIT, "time": "11:00"})


def test_yes_takes_what_the_last_tool_may_have_offered(desk: Templates) -> None:
    """With what is known, and only right after it."""
    for said in ("yes please", "Please.", "sounds good", "yes, call me back"):
        assert _move(desk, f"{FULL} >> {said}") == CallTool("call", KNOWN)
    assert _move(desk, f"{FULL} >> yes, but not now") != CallTool("call", KNOWN)
    dialog = follow(desk, [Turn("what is free on Friday", NOW), Turn("okay", NOW)])
    assert (dialog.intent, dict(dialog.slots)) == ("visit", {"day": FRIDAY})
    assert isinstance(_move(desk, "yes please"), NotUnderstood)


@pytest.mark.parametrize(
    "turns",
    [
        "fire",
        "oh dear, I think there is a fire in the kitchen",
        "book a visit >> it smells of smoke",
        f"{ASKED_MAIL} >> no >> Friday >> nine >> there's fire behind the door",
        f"{ASKED_MAIL} >> no >> Friday >> nine >> the curtains are burning",
        f"{FULL} >> no, fire",
    ],
)
def test_what_goes_first_is_told_wherever_it_is_said(desk: Templates, turns: str) -> None:
    """Before the answer to any question, free text included; by its signs or its examples."""
    assert _move(desk, turns) == FIRE


def test_question_stays_open_behind_what_goes_first(desk: Templates) -> None:
    """It may have been none; the form has nothing of it."""
    turns = f"{ASKED_MAIL} >> no >> Friday >> nine >> fire >> the door"
    assert _move(desk, turns) == CallTool("visit", VISIT)
    assert _move(desk, "book a visit >> fire alarm test") != FIRE


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("remember: [name", "remember: [nmae", "remember: 'nmae' is never asked for"),
        ("optional: [email", "optional: [mail", "intents.visit: optional: 'mail' is not asked for"),
        ("offers: call", "offers: cll", "intents.visit: offers: there is no intent 'cll'"),
        ('"fire(?!', '"[fire(?!', "this is not a regular expression"),
        ("tool: call\n", "tool: call\n    anywhere: [x]\n", "intents.call: only what is answered"),
    ],
)
def test_file_with_a_mistake_names_it(tmp_path: Path, old: str, new: str, place: str) -> None:
    """And where it is."""
    assert old in DESK
    with pytest.raises(TemplateError) as raised:
        load_templates(tmp_path, DESK.replace(old, new))
    assert place in str(raised.value)
