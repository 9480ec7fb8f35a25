"""Whether the caller has finished, judged by the agent's templates."""

import time
from typing import Any

import pytest
from livekit.agents.llm import ChatContext

from agent_worker.reasoning.known_numbers import KnownNumbers
from agent_worker.reasoning.templates import Templates
from agent_worker.voice.turn_detector import FINISHED, UNFINISHED, GrammarTurnDetector
from agent_worker.waits import Waits

pytestmark = pytest.mark.usefixtures("virtual_time")
WAITS = Waits(unknown_s=0.4)


async def judge(templates: Templates, *turns: str, **options: Any) -> tuple[float, float]:
    """The detector's judgement, and how long it took in seconds."""
    conversation = ChatContext.empty()
    for turn in turns:
        conversation.add_message(role="user", content=turn)
    started = time.monotonic()
    detector = GrammarTurnDetector(templates, WAITS, **options)
    judged = await detector.predict_end_of_turn(conversation)
    return judged, time.monotonic() - started


@pytest.mark.parametrize(
    "turns",
    [
        (),
        ("Look at room one.", "Look at it."),
        ("Paint a room.", "Never mind,"),
        ("Hang on a second.",),
        ("Look at room one.", "Hang on a second."),
    ],
)
async def test_known_sentence_is_finished_at_once(
    templates: Templates, turns: tuple[str, ...]
) -> None:
    """A sentence or an answer that the templates accept needs no more patience."""
    judged, took_s = await judge(templates, *turns)
    assert judged == FINISHED
    assert took_s < 0.01


@pytest.mark.parametrize(
    "text", ["Look at room number", "I would like to", "Please,", "Paint a room.", "Look at it."]
)
async def test_sentence_that_breaks_off_is_unfinished(templates: Templates, text: str) -> None:
    """The longest delay is for those who search for a word, or have not said which room."""
    judged, _ = await judge(templates, text)
    assert judged == UNFINISHED


@pytest.mark.parametrize(
    "turns",
    [
        ("Look at room one",),
        ("Paint a room.", "Seven."),
        ("My name is S, M, I, T",),
        ("It's five five five one",),
        ("Look at that room, and",),
    ],
)
async def test_sentence_that_may_go_on_is_unfinished(
    templates: Templates, turns: tuple[str, ...]
) -> None:
    """A number, a name that is spelled, "and": a pause is not the end, whoever answers."""
    for has_model in (False, True):
        judged, _ = await judge(templates, *turns, has_model=has_model)
        assert judged == UNFINISHED


@pytest.mark.parametrize(
    ("number", "judged"), [("one", UNFINISHED), ("seven", FINISHED), ("nine", FINISHED)]
)
async def test_known_numbers_tell_whether_a_number_is_whole(
    templates: Templates, number: str, judged: float
) -> None:
    """Where there is a room 104, "one" may go on; nothing begins with seven, or with nine."""
    known = [KnownNumbers("number", frozenset({7, 104}))]
    assert (await judge(templates, f"Look at room {number}", numbers=known))[0] == judged


async def test_numbers_of_another_kind_may_go_on(templates: Templates) -> None:
    """What is known of rooms says nothing of a telephone number."""
    known = [KnownNumbers("number", frozenset({7}))]
    judged, _ = await judge(templates, "Call five five five one", numbers=known, has_model=True)
    assert judged == UNFINISHED


async def test_yes_is_finished_where_it_is_asked_for(templates: Templates) -> None:
    """Also one that repeats the question; elsewhere it may be the beginning of something."""
    asked = {"asked": lambda: ["Clear room 1?", "Heat room 2?"]}
    for answer in ("Do it.", "Yes, heat room two.", "Don't clear it."):
        assert (await judge(templates, answer, **asked))[0] == FINISHED
        assert (await judge(templates, answer))[0] == UNFINISHED
    assert (await judge(templates, "Yes, heat room three", **asked))[0] == UNFINISHED


@pytest.mark.parametrize("no", ["No,", "No.", "Oh, no."])
async def test_no_alone_may_go_on(templates: Templates, no: str) -> None:
    """ "No, ... seven": what is meant instead belongs to it, whoever asks and whoever answers."""
    for asked in (lambda: [], lambda: ["Clear room 1?"]):
        for turns in ((no,), ("Paint a room.", no)):
            judged, _ = await judge(templates, *turns, asked=asked, has_model=True)
            assert judged == UNFINISHED


async def test_unknown_sentence_may_go_on_where_no_model_answers_it(templates: Templates) -> None:
    """The answer could only be that it was not understood: that can wait."""
    judged, _ = await judge(templates, "Why is the sky blue?")
    assert judged == UNFINISHED


async def test_model_answers_an_unknown_sentence_after_a_pause(templates: Templates) -> None:
    """Nobody knows where it ends, so it gets a moment."""
    judged, took_s = await judge(templates, "Why is the sky blue?", has_model=True)
    assert judged == FINISHED
    assert took_s == pytest.approx(WAITS.unknown_s, abs=0.01)


async def test_detector_speaks_every_language_with_one_threshold(templates: Templates) -> None:
    """The threshold lies between the two judgements."""
    detector = GrammarTurnDetector(templates, WAITS)
    threshold = await detector.unlikely_threshold(None)
    assert threshold is not None and UNFINISHED < threshold < FINISHED
    assert await detector.supports_language(None)
