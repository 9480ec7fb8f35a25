"""The framework's agent with what the gate needs: proposals are stamped, answers are heard."""

from collections.abc import AsyncIterator
from typing import Any

from livekit.agents import Agent, ModelSettings
from livekit.agents.llm import ChatChunk, ChatContext, ChatMessage, ChoiceDelta, Tool
from livekit.agents.utils import shortuuid

from agent_worker.reasoning import message_tags
from agent_worker.tools.gate import Gate, Heard
from agent_worker.tools.provenance import stamp
from agent_worker.tools.result_delivery import ResultDelivery

CORRECTED = "The caller's words were corrected; only those in the caller's last message count."
ANSWERED = "The caller answered the question above."
NOT_ANSWERED = "This answers what was asked last. The question before it is still open."


class GuardedAgent(Agent):
    """Stamps each function call with what the model had seen, and passes yes and no to the gate."""

    def __init__(
        self,
        *,
        instructions: str,
        gate: Gate,
        delivery: ResultDelivery,
        chat_ctx: ChatContext | None = None,
    ) -> None:
        super().__init__(instructions=instructions, chat_ctx=chat_ctx)
        self._gate = gate
        self._delivery = delivery
        self._speculated: ChatMessage | None = None

    async def llm_node(
        self, chat_ctx: ChatContext, tools: list[Tool], model_settings: ModelSettings
    ) -> AsyncIterator[Any]:
        turn = message_tags.last_user(chat_ctx.items)
        if turn is not None and self.chat_ctx.get_by_id(turn.id) is None:
            self._speculated = turn
        outputs = message_tags.arrived(chat_ctx.items) or message_tags.unanswered(chat_ctx.items)
        if tells := self._delivery.results_in(outputs):
            extra = {message_tags.EXTRA: {"tells": tells}}
            yield ChatChunk(id=shortuuid(), delta=ChoiceDelta(role="assistant", extra=extra))
        async for chunk in Agent.default.llm_node(self, chat_ctx, tools, model_settings):
            if isinstance(chunk, ChatChunk) and chunk.delta:
                for function_call in chunk.delta.tool_calls:
                    stamp(function_call, chat_ctx)
            yield chunk

    async def on_user_turn_completed(self, turn_ctx: ChatContext, new_message: ChatMessage) -> None:
        text = new_message.raw_text_content or ""
        speculated, self._speculated = self._speculated, None
        if (
            speculated is not None
            and speculated.raw_text_content != text
            # Else it was a turn of its own, which the framework adds late.
            and self.chat_ctx.get_by_id(speculated.id) is None
        ):
            # A changed context forces a fresh reply.
            turn_ctx.add_message(role="system", content=CORRECTED)
        started_at_s = new_message.metrics.get("started_speaking_at")
        turn = self._gate.floor.spoken(new_message.id, started_at_s)
        heard = await self._gate.hear_spoken(
            text, turn, lambda: self.session.user_state == "speaking"
        )
        if heard is not None:
            _tag(new_message, heard)
            # It forces a fresh reply, too.
            note = {"reply": ANSWERED, "without-model": NOT_ANSWERED}.get(heard.use)
            if note is not None:
                turn_ctx.add_message(role="system", content=note)


def written(gate: Gate, text: str, began_s: float | None = None) -> ChatMessage:
    """
    The caller's typed turn *text*; a yes or a no goes to the gate as well.

    Args: began_s: When it began to arrive, by the gate's clock; None: now.
    """
    message = ChatMessage(role="user", content=[text])
    heard = gate.hear(text, gate.floor.typed(message.id, began_s), "text")
    if heard is not None:
        _tag(message, heard)
    return message


def _tag(message: ChatMessage, heard: Heard) -> None:
    match heard.use:
        case "reply":
            message_tags.set_reply(message, heard.say)
        case "without-model":
            message_tags.set_reply_without_model(message, heard.say)
        case "not-understood":
            message_tags.set_last_resort(message, heard.say)
