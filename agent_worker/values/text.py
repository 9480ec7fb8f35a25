"""Free text: a reason, a message."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import JsonValue

from agent_worker.values.kind import Kind
from agent_worker.values.value import Found

MAX_CHARS = 2_000


@dataclass(frozen=True)
class TextKind(Kind[str]):
    """What a caller says to a question, as it is. It is never found within a sentence."""

    max_chars: int = MAX_CHARS
    name: str = "text"
    type: ClassVar[type] = str

    def readings(self, text: str, now: datetime) -> list[Found]:
        return []

    def answer(self, text: str, now: datetime) -> Found | None:
        said = text.strip()
        if not said or len(said) > self.max_chars:
            return None
        start = text.index(said)
        return Found(start, start + len(said), said)

    def go_on(self, value: str, text: str, now: datetime) -> str | None:
        longer = f"{value} {text.strip()}"
        return longer if text.strip() and len(longer) <= self.max_chars else None

    def say(self, value: str, now: datetime) -> str:
        return value

    def to_json(self, value: str) -> str:
        return value

    def from_json(self, written: JsonValue) -> str:
        if not isinstance(written, str) or not 0 < len(written.strip()) <= self.max_chars:
            raise ValueError("not a text")
        return written.strip()

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": self.max_chars}


Text = Annotated[str, TextKind()]
"""What a caller says to a question, as it is."""
