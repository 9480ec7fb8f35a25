"""Whether the caller has finished, judged by the agent's templates."""

import time

import pytest
from livekit.agents.llm import ChatContext

from agent_worker.reasoning.templates import Templates
from agent_worker.voice.turn_detector import (
    FINISHED,
    UNFINISHED,
    UNKNOWN_PAUSE_S,
    GrammarTurnDetector,
)

pytestmark = pytest.mark.usefixtures("virtual_time")


async def judge(templates: Templates, *turns: str) -> tuple[float, float]:
    """The detector's judgement, and how long it took in seconds."""
    conversation = ChatContext.empty()
    for turn in turns:
        conversation.add_message(role="user", content=turn)
    started = time.monotonic()
    judged = await GrammarTurnDetector(templates).predict_end_of_turn(conversation)
    return judged, time.monotonic() - started


@pytest.mark.parametrize(
    "turns",
    [(), ("Look at room seven.",), ("Paint a room.", "Seven."), ("paint a room", "Never mind,")],
)
async def test_known_sentence_is_finished_at_once(
    templates: Templates, turns: tuple[str, ...]
) -> None:
    """A sentence or an answer that the templates accept needs no more patience."""
    judged, took_s = await judge(templates, *turns)
    assert judged == FINISHED
    assert took_s < 0.01


@pytest.mark.parametrize("text", ["Look at room number", "I would like to", "Please,"])
async def test_sentence_that_breaks_off_is_unfinished(templates: Templates, text: str) -> None:
    """The longest delay is for those who search for a word."""
    judged, _ = await judge(templates, text)
    assert judged == UNFINISHED


async def test_unknown_sentence_is_finished_after_a_pause(templates: Templates) -> None:
    """A sentence that no template knows may go on, so it gets a moment."""
    judged, took_s = await judge(templates, "Why is the sky blue?")
    assert judged == FINISHED
    assert took_s == pytest.approx(UNKNOWN_PAUSE_S, abs=0.01)


async def test_detector_speaks_every_language_with_one_threshold(templates: Templates) -> None:
    """The threshold lies between the two judgements."""
    detector = GrammarTurnDetector(templates)
    threshold = await detector.unlikely_threshold(None)
    assert threshold is not None and UNFINISHED < threshold < FINISHED
    assert await detector.supports_language(None)
