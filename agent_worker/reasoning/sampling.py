"""Sentences that a template accepts, a few of very many, always the same ones."""

import random
from collections.abc import Iterator

from hassil import Group, Intents
from hassil.expression import Alternative, Expression, ListReference, RuleReference, TextChunk
from hassil.intents import TextSlotList

SKIPPED = 0.6
"""How often what is optional is left out."""


def samples(intents: Intents, name: str, count: int) -> Iterator[str]:
    """*count* sentences from each template of intent *name*; "{list}" stands for its values."""
    for data in intents.intents[name].data:
        for sentence in data.sentences:
            draw = random.Random(sentence.text)  # noqa: S311 - the same sentences every time
            found = (_sample(sentence.expression, intents, draw) for _ in range(count))
            yield from dict.fromkeys(" ".join(text.split()) for text in found)


def _sample(expression: Expression, intents: Intents, draw: random.Random) -> str:
    match expression:
        case TextChunk():
            return expression.original_text
        case Alternative(items=items, is_optional=optional):
            if optional and draw.random() < SKIPPED:
                return ""
            return _sample(draw.choice(items), intents, draw)
        case Group(items=items):
            return "".join(_sample(item, intents, draw) for item in items)
        case RuleReference(rule_name=rule):
            return _sample(intents.expansion_rules[rule].expression, intents, draw)
        case ListReference(list_name=name):
            known = intents.slot_lists.get(name)
            if isinstance(known, TextSlotList) and known.values:
                return _sample(draw.choice(known.values).text_in, intents, draw)
            return f"{{{name}}}"
    raise AssertionError(f"hassil has a new expression: {expression!r}")
