"""How a line of what callers say is played, in text or by voice."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.callers_say import Line, Played

YES = "yes"


@dataclass(frozen=True)
class Reply:
    """What came of what the caller said."""

    said: str
    proposed: Sequence[tuple[str, Mapping[str, Any]]] = ()
    """Tools with their arguments."""


class Conversation(ABC):
    """Of a caller and an agent that has greeted."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        """What the agent took for the caller's turns, as it heard them."""

    @property
    @abstractmethod
    def asks(self) -> bool:
        """Whether a question waits for a yes or a no."""

    @abstractmethod
    def now(self) -> datetime:
        """The present, in the caller's time zone."""

    @abstractmethod
    async def say(self, text: str) -> Reply | None:
        """Say *text* as the caller. Returns: None: the agent did not take it for a turn."""

    @abstractmethod
    async def effects(self) -> list[str]:
        """What the backend has done."""


async def play(conversation: Conversation, line: Line, greeting: str) -> Played:
    """Say the turns of *line* in *conversation*, which has begun with *greeting*."""
    at = conversation.now()
    reply = Reply(greeting)
    said_before = greeting
    for text in line.turns:
        if (new := await conversation.say(text)) is not None:
            said_before, reply = reply.said, new
    turns, asks = tuple(conversation.heard), conversation.asks
    effects = await conversation.effects()
    after_yes: list[str] = []
    if line.tool in ("none", "closed") and (asks or reply.said.rstrip().endswith("?")):
        await conversation.say(YES)
        after_yes = await conversation.effects()
    return Played(
        turns=turns,
        at=at,
        said=reply.said,
        said_before=said_before,
        proposed=reply.proposed,
        asks=asks,
        effects=effects,
        effects_after_yes=after_yes or effects,
    )
