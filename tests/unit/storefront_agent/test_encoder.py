"""The second opinion of the real sentence encoder on what callers say."""

from collections import Counter

import numpy as np
import pytest

from agent_worker.reasoning.dialog import follow
from agent_worker.reasoning.opinions import Opinion, Opinions, in_words
from agent_worker.reasoning.turn import Turn
from tests.unit.storefront_agent.shop_call import NOW
from tests.unit.storefront_agent.test_callers_say import ROWS, TEMPLATES, judge

OPEN = ("when can my wheels get some love",)
"""Of the examples alone, two are near."""


@pytest.mark.models
def test_opinions_help_and_do_no_harm() -> None:
    """No less is understood than without them, and nothing is done that nobody wished."""
    # Imported here: it is no part of the quick round.
    from speech_server.encoder import SentenceEncoder

    encoder = SentenceEncoder()
    examples = TEMPLATES.wishes.examples
    vectors = np.stack([encoder.encode(in_words(one.text)) for one in examples])
    opinions = Opinions()
    labels = [one.label for one in examples]
    for sentence in (*(row.sentence for row in ROWS), *OPEN):
        if (text := TEMPLATES.in_doubt(Turn(sentence, NOW))) is not None:
            opinions.settle(text, Opinion.of(encoder.encode(text), labels, vectors))
    templates = TEMPLATES.hearing(opinions)
    for seen in (True, False):
        rows = [row for row in ROWS if row.seen is seen]
        before, after = (Counter(judge(row, way) for row in rows) for way in (TEMPLATES, templates))
        assert after["right"] >= before["right"], (before, after)
        assert after["wrong tool"] <= before["wrong tool"], (before, after)
        assert after["wrong effect"] == 0, (before, after)
    moves = [[follow(way, [Turn(one, NOW)]).move for one in OPEN] for way in (TEMPLATES, templates)]
    assert moves[0] != moves[1]
