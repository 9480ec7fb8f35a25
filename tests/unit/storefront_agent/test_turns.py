"""Whether a caller of the shop has finished: the first halves of sentences, and whole ones."""

import pytest
from livekit.agents.llm import ChatContext

from agent_worker.reasoning.known_numbers import KnownNumbers
from agent_worker.voice.turn_detector import FINISHED, UNFINISHED, GrammarTurnDetector
from agent_worker.waits import Waits
from examples.storefront.agent import AGENT


async def judged(text: str) -> float:
    """What the shop's turn detector makes of *text*, said first in a call."""
    said = ChatContext()
    said.add_message(role="user", content=text)
    return await GrammarTurnDetector(
        AGENT.templates, Waits(), numbers=[KnownNumbers("order_number", {7})]
    ).predict_end_of_turn(said)


@pytest.mark.parametrize(
    "half",
    [
        "Please cancel",
        "I would like a refund for",
        "Book an appointment on",
        "Move my appointment to",
        "Where is my order,",
        "Do you have",
        "Can somebody",
        "What have I got",
        "I would like to speak to",
        "Which appointments",
        "Could you please",
        "When are you open on",
        "I need to move",
    ],
)
async def test_half_of_a_sentence_is_waited_for(half: str) -> None:
    """Whatever it could mean by itself."""
    assert await judged(half) == UNFINISHED


@pytest.mark.parametrize(
    "whole",
    [
        "Where is order seven?",
        "When are you open on Saturday?",
        "What are my orders?",
        "Do you have a helmet?",
        "Which appointments do I have?",
        "Book an appointment for Friday at half past nine in the morning.",
        "What's the latest with number seven?",
        "My brakes squeal, any advice?",
    ],
)
async def test_whole_sentence_is_answered_at_once(whole: str) -> None:
    """Also one that only examples explain."""
    assert await judged(whole) == FINISHED
