"""Decides from the words whether the caller has finished, using the agent's templates."""

import asyncio

from livekit.agents import LanguageCode
from livekit.agents.llm import ChatContext

from agent_worker.reasoning.dialog import NotUnderstood, follow
from agent_worker.reasoning.llm import user_turns
from agent_worker.reasoning.templates import Templates
from agent_worker.tools import yes_no

FINISHED = 1.0
UNFINISHED = 0.0
UNKNOWN_PAUSE_S = 0.3
"""Extra wait after a sentence that no template knows, because its end cannot be detected."""


class GrammarTurnDetector:
    """
    A turn detector for text, as LiveKit's sessions take them.

    After a sentence that a template accepts, the agent answers with the shortest delay. After one
    that breaks off ("where is the", "hi,"), it waits for the longest.
    """

    model = "grammar"
    provider = "local"

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    async def unlikely_threshold(self, language: LanguageCode | None) -> float | None:
        return 0.5

    async def supports_language(self, language: LanguageCode | None) -> bool:
        return True

    async def predict_end_of_turn(
        self,
        chat_ctx: ChatContext,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - LiveKit's signature
    ) -> float:
        turns = user_turns(chat_ctx.items)
        if not turns:
            return FINISHED
        if yes_no.read(turns[-1]) in (yes_no.Said.YES, yes_no.Said.NO):
            return FINISHED
        if self._templates.is_unfinished(turns[-1]):
            return UNFINISHED
        if isinstance(follow(self._templates, turns).move, NotUnderstood):
            await asyncio.sleep(UNKNOWN_PAUSE_S)
        return FINISHED
