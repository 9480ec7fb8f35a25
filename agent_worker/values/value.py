"""What a kind of value can do: be found in a caller's words, go on, be corrected, be said back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import JsonValue


@dataclass(frozen=True)
class Found:
    """A reading of a part of what was said."""

    start: int
    """Where it begins in the text, in characters."""
    end: int
    value: Any
    """As a tool takes it, such as a `date`."""
    question: str = ""
    """
    Where the words leave it open: what to ask, such as "Nine in the morning, or nine at night?".
    *value* is then the likelier reading, or a part: half a telephone number. The reply is read by
    `correct` ("at night"), then by `answer` ("the eleventh").
    """

    def overlaps(self, other: "Found") -> bool:
        """Whether both read a part of the same words."""
        return self.start < other.end and other.start < self.end


class ValueKind(Protocol):
    """
    A kind of value. Every text is as it was said or typed: with capitals, commas and apostrophes.

    Args of the methods: now: when it was said, with the caller's time zone.
    """

    @property
    def name(self) -> str:
        """Its name in a file of templates: `day`."""

    def find(self, text: str, now: datetime) -> Sequence[Found]:
        """
        Every reading of a part of *text*, the likelier first; they may overlap.

        Of "Friday, no, Saturday" only what is meant. Several that do not overlap are several
        values: "rooms seven and nine".
        """

    def answer(self, text: str, now: datetime) -> Found | None:
        """What *text* is as the answer to a question about this value alone; None: no value."""

    def go_on(self, value: Any, text: str, now: datetime) -> Any | None:
        """
        *value* with the part that *text* adds, said in another breath; None: adds nothing.

        The result may be a part still: then `may_go_on`, and `from_json` refuses it.
        """

    def correct(self, value: Any, text: str, now: datetime) -> Any | None:
        """*value* as *text* corrects a part of it: "no, B as in boat"; None: corrects nothing."""

    def may_go_on(self, value: Any) -> bool:
        """Whether a caller who said *value* and paused may not be finished."""

    def say(self, value: Any, now: datetime) -> str:
        """*value* in words that are spoken to the caller: unambiguous, spelled where needed."""

    def to_json(self, value: Any) -> JsonValue:
        """*value* in its one canonical form, in which it is journalled: "2026-12-04"."""

    def from_json(self, written: JsonValue) -> Any:
        """
        The value that `to_json` wrote.

        Raises: ValueError: it is none.
        """
