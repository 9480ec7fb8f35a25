"""What a sentence was understood to mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

THE_SAME = "the-same"
"""A slot's value for "it" and "that one": the value that the last tool was called with."""
LEFT_OUT = "left-out"
"""The value of an optional slot that the caller does not give."""


@dataclass(frozen=True)
class Unsure:
    """A value that the caller's words leave open."""

    said: str
    question: str
    value: Any
    """The likelier reading, or a part."""


@dataclass(frozen=True)
class Match:
    """An intent, and the values of its slots as they are journalled."""

    intent: str
    slots: Mapping[str, Any]
    free: bool = False
    """Whether a wildcard took words as they came: anything would have fitted it."""
    unsure: Mapping[str, Unsure] = field(default_factory=dict)
    """The slots whose values must be asked about first."""
    several: str = ""
    """The slot for which more than one value was said: its value is a list."""
