"""LiveKit's agent for calls: records what it says, and reports what it could not speak."""

from collections.abc import AsyncIterable, AsyncIterator, Callable

import structlog
from livekit import rtc
from livekit.agents import Agent, ModelSettings
from livekit.agents.llm import ChatContext

from agent_worker.tools.gate import Gate
from agent_worker.tools.guarded_agent import GuardedAgent
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.turn_journal import TurnJournal

log = structlog.get_logger()


class SpeakingAgent(GuardedAgent):
    """
    Args:
        turns: Receives the words of each speech.
        on_failure: Called with the words of a speech that failed.
    """

    def __init__(
        self,
        *,
        instructions: str,
        gate: Gate,
        delivery: ResultDelivery,
        chat_ctx: ChatContext | None,
        turns: TurnJournal,
        on_failure: Callable[[str], None],
    ) -> None:
        super().__init__(instructions=instructions, gate=gate, delivery=delivery, chat_ctx=chat_ctx)
        self._turns = turns
        self._on_failure = on_failure

    async def tts_node(
        self, text: AsyncIterable[str], model_settings: ModelSettings
    ) -> AsyncIterator[rtc.AudioFrame]:
        words = self._turns.plan()

        async def remember() -> AsyncIterator[str]:
            async for piece in text:
                words.append(piece)
                yield piece

        spoken = remember()
        frames = 0
        try:
            async for frame in Agent.default.tts_node(self, spoken, model_settings):
                frames += 1
                yield frame
        except Exception as error:
            log.warning("speech.failed", frames=frames, exc_info=error)
            async for _ in spoken:
                pass
            self._on_failure("".join(words))
