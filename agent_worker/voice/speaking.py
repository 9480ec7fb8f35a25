"""LiveKit's agent for calls: records what it says, and takes no turn that the caller did not."""

from collections.abc import AsyncIterable, AsyncIterator, Callable

import structlog
from livekit import rtc
from livekit.agents import Agent, ModelSettings, UserStateChangedEvent, stt
from livekit.agents.llm import ChatContext, ChatMessage

from agent_worker.reasoning import listening, message_tags
from agent_worker.reasoning.templates import Templates
from agent_worker.tools.gate import Gate
from agent_worker.tools.guarded_agent import ANSWERED, GuardedAgent
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.turn_journal import TurnJournal
from agent_worker.voice.reprompts import Reprompts

log = structlog.get_logger()


class SpeakingAgent(GuardedAgent):
    """
    Args:
        turns: Receives the words of each speech.
        reprompts: Told of what the caller says that is no wish.
        templates: What the agent understands without a model.
        hold: What to say to a caller who asks to wait.
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
        reprompts: Reprompts,
        templates: Templates,
        hold: str,
        on_failure: Callable[[str], None],
    ) -> None:
        super().__init__(instructions=instructions, gate=gate, delivery=delivery, chat_ctx=chat_ctx)
        self._questions = gate.questions
        self._turns = turns
        self._reprompts = reprompts
        self._templates = templates
        self._hold = hold
        self._on_failure = on_failure
        self._over_agent = False
        """Whether the agent spoke, and did not ask, when the caller's last sound began."""

    async def on_enter(self) -> None:
        self.session.on("user_state_changed", self._on_user_state)

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._over_agent = self._speaks_without_asking()

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterator[stt.SpeechEvent | str]:
        """What is heard, without words by which the caller only shows that they listen."""
        async for event in Agent.default.stt_node(self, audio, model_settings):
            if isinstance(event, stt.SpeechEvent) and event.alternatives:
                if self._is_backchannel(event.alternatives[0].text):
                    if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT:
                        log.info("backchannel.heard", over_agent=self._over_agent)
                        self._reprompts.listened()
                    continue
            yield event

    def _is_backchannel(self, text: str) -> bool:
        over_agent = self._over_agent or self._speaks_without_asking()
        if listening.is_backchannel(text, over_agent=over_agent, may_agree=self._asks_yes_or_no()):
            return True
        noise = listening.is_noise(text, words_max=2 if self._reprompts.is_short else 1)
        # "I see" alone is like thanks; what counts is what comes after it.
        return over_agent and noise and not self._templates.knows(listening.beside_listening(text))

    def _asks_yes_or_no(self) -> bool:
        if self._turns.is_speaking or self._questions.open:
            return True
        items = reversed(self.session.history.items)
        said = (one for one in items if isinstance(one, ChatMessage) and one.role == "assistant")
        last = next(said, None)
        return last is not None and listening.asks_yes_or_no(last.text_content or "")

    def _speaks_without_asking(self) -> bool:
        # "Okay" may answer a question whose end the caller did not wait for.
        return self._turns.is_speaking and not self._turns.is_asking

    async def on_user_turn_completed(self, turn_ctx: ChatContext, new_message: ChatMessage) -> None:
        await super().on_user_turn_completed(turn_ctx, new_message)
        if self.hold(new_message):
            # A changed context forces a fresh reply.
            turn_ctx.add_message(role="system", content=ANSWERED)

    def hold(self, message: ChatMessage) -> bool:
        """Whether the caller's turn *message* asks to wait and no more; it is answered then."""
        if not listening.asks_to_wait(message.raw_text_content or ""):
            return False
        if message_tags.reply_to(message) is not None:
            # "No, wait" is first of all a no.
            return False
        self._reprompts.hold()
        message_tags.set_reply(message, self._hold)
        return True

    async def tts_node(
        self, text: AsyncIterable[str], model_settings: ModelSettings
    ) -> AsyncIterator[rtc.AudioFrame]:
        words = self._turns.plan()

        async def remember() -> AsyncIterator[str]:
            async for piece in text:
                words.append(piece)
                yield piece

        spoken = remember()
        frames, sounded_s = 0, 0.0
        try:
            async for frame in Agent.default.tts_node(self, spoken, model_settings):
                frames += 1
                sounded_s += frame.duration
                yield frame
        except Exception as error:
            log.warning("speech.failed", frames=frames, exc_info=error)
            self._turns.broke_off(sounded_s)
            async for _ in spoken:
                pass
            self._on_failure("".join(words))
