"""The session's `llm.LLM`: sentence templates in milliseconds, a model for the rest, or either."""

import json
from collections.abc import Iterable
from datetime import tzinfo
from typing import Any, Protocol

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents.llm import (
    LLM,
    ChatChunk,
    ChatContext,
    ChatItem,
    ChoiceDelta,
    FunctionCallOutput,
    FunctionToolCall,
    Tool,
    ToolChoice,
)
from livekit.agents.utils import shortuuid

from agent_worker.livekit_compat import ReplyStream
from agent_worker.reasoning import message_tags
from agent_worker.reasoning.dialog import CallEach, CallTool, Dialog, NotUnderstood, Say, follow
from agent_worker.reasoning.encoder import Encoder
from agent_worker.reasoning.listening import asks_to_wait
from agent_worker.reasoning.template_file import LAST_ANSWER
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn

CALL_PREFIX = "local_"
"""The ids of function calls that come from templates begin with it."""
END_CALL = "end_call"
"""The tool that every agent has to end the call."""
REMOTE_TIMEOUT_S = 8.0
"""Longer silence is worse than an apology."""


class DialogPhrases(Protocol):
    """What an agent says when it has no answer."""

    @property
    def not_understood(self) -> tuple[str, ...]: ...
    @property
    def not_understood_end(self) -> str: ...
    @property
    def reply_failed(self) -> str: ...


class DialogAgent(Protocol):
    """What an agent's definition says about the conversation itself."""

    @property
    def greeting(self) -> str: ...
    @property
    def templates(self) -> Templates: ...
    @property
    def phrases(self) -> DialogPhrases: ...
    @property
    def fallback_tool(self) -> str | None: ...
    @property
    def fallback_question(self) -> str: ...


class AgentLLM(LLM[Any]):
    """
    Answers for *agent*: from its templates, from the model *remote*, or templates first.

    Templates answer the sentences that fit them exactly. The rest goes to *remote*; without one it
    is not understood. Whoever proposed a tool words its result. When *remote* fails before its
    first word, the caller hears the agent's apology instead of silence.

    Args: encoder: Has opinions for the templates of *agent*.
    """

    def __init__(
        self,
        agent: DialogAgent,
        remote: LLM[Any] | None = None,
        *,
        templates: bool = True,
        timeout_s: float = REMOTE_TIMEOUT_S,
        encoder: Encoder | None = None,
    ) -> None:
        super().__init__()
        assert templates or remote is not None
        self.agent = agent
        self.remote = remote
        self.templates = templates
        self.timeout_s = timeout_s
        self.encoder = encoder
        if remote is not None:
            remote.on("metrics_collected", self._forward)

    @property
    def model(self) -> str:
        return self.remote.model if self.remote else "templates"

    @property
    def provider(self) -> str:
        return self.remote.provider if self.remote else "local"

    def chat(
        self,
        *,
        chat_ctx: ChatContext,
        tools: list[Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> ReplyStream:
        return _AgentStream(
            self,
            chat_ctx=chat_ctx,
            tools=tools or [],
            conn_options=conn_options,
            tool_choice=tool_choice,
        )

    async def aclose(self) -> None:
        if self.remote is not None:
            self.remote.off("metrics_collected", self._forward)
            await self.remote.aclose()

    def _forward(self, *args: Any) -> None:
        self.emit("metrics_collected", *args)


class _AgentStream(ReplyStream):
    def __init__(self, owner: AgentLLM, *, tool_choice: NotGivenOr[ToolChoice], **rest: Any):
        super().__init__(owner, **rest)
        self._owner = owner
        self._tool_choice = tool_choice

    async def respond(self) -> None:
        owner = self._owner
        if owner.encoder is not None:
            zone = owner.agent.templates.zone
            await owner.encoder.consider(user_turns(self.chat_ctx.items, zone))
        delta = self._from_templates(owner)
        if delta is not None:
            self._say(delta)
        elif owner.remote is not None:
            await self._ask(owner, owner.remote)

    def _from_templates(self, owner: AgentLLM) -> ChoiceDelta | None:
        items = self.chat_ctx.items
        outputs = message_tags.arrived(items) or message_tags.unanswered(items)
        if outputs:
            ours = all(output.call_id.startswith(CALL_PREFIX) for output in outputs)
            # What the gate asks is said as it is: no model may word it.
            if ours or owner.remote is None or any(map(message_tags.asks, outputs)):
                return say(_in_words(outputs))
            return None
        has_model = owner.remote is not None
        turn = message_tags.last_user(items)
        if (words := message_tags.reply_to(turn)) is not None:
            return None if has_model and message_tags.is_to_model(turn) else say(words)
        if not owner.templates:
            return None
        templates = owner.agent.templates
        dialog = follow(templates, user_turns(items, templates.zone), model=has_model)
        if isinstance(dialog.move, NotUnderstood):
            if has_model:
                return None
            if (words := message_tags.last_resort(turn)) is not None:
                return say(words)
        return reply(owner.agent, dialog, last_answer(items))

    async def _ask(self, owner: AgentLLM, remote: LLM[Any]) -> None:
        begun = failed = False
        # No second try: the caller would wait in silence. LiveKit's FallbackAdapter has a second
        # provider.
        options = APIConnectOptions(max_retry=0, timeout=owner.timeout_s)
        try:
            async with remote.chat(
                chat_ctx=self.chat_ctx,
                tools=self.tools,
                conn_options=options,
                tool_choice=self._tool_choice,
            ) as stream:
                async for chunk in stream:
                    begun = begun or chunk.has_response()
                    self.send(chunk)
        except Exception as error:
            failed = True
            self.report(error)
        arrived = message_tags.arrived(self.chat_ctx.items)
        if begun or (arrived and not failed):
            return
        # A result has words of its own.
        outputs = arrived or message_tags.unanswered(self.chat_ctx.items)
        self._say(say(_in_words(outputs) or owner.agent.phrases.reply_failed))

    def _say(self, delta: ChoiceDelta) -> None:
        self.send(ChatChunk(id=shortuuid(CALL_PREFIX), delta=delta))


def reply(agent: DialogAgent, dialog: Dialog, last_words: str) -> ChoiceDelta:
    """The agent's next words or tool in that state of the conversation, as a model's delta."""
    match dialog.move:
        case CallTool(name, arguments, offer):
            return call_tool(name, dict(arguments), offer=offer)
        case CallEach(name, several):
            calls = [_function_call(name, dict(arguments)) for arguments in several]
            return ChoiceDelta(role="assistant", tool_calls=calls)
        case Say(text):
            return say(text.replace(LAST_ANSWER, last_words))
        case NotUnderstood(times):
            return _not_understood(agent, times)
        case None:
            return say(agent.greeting)


def _not_understood(agent: DialogAgent, times: int) -> ChoiceDelta:
    reprompts = agent.phrases.not_understood
    if times <= len(reprompts):
        return say(reprompts[times - 1])
    if times == len(reprompts) + 1 and agent.fallback_tool is not None:
        # The caller did not ask for it.
        return call_tool(agent.fallback_tool, {}, offer=agent.fallback_question)
    farewell = {"reason": "not-understood", "say": agent.phrases.not_understood_end}
    return call_tool(END_CALL, farewell)


def say(text: str) -> ChoiceDelta:
    """A delta of words."""
    return ChoiceDelta(role="assistant", content=text)


def call_tool(name: str, arguments: dict[str, Any], *, offer: str = "") -> ChoiceDelta:
    """
    A delta with one function call, marked as ours.

    Args: offer: The question before it runs, where the caller did not ask for it.
    """
    return ChoiceDelta(role="assistant", tool_calls=[_function_call(name, arguments, offer)])


def _function_call(name: str, arguments: dict[str, Any], offer: str = "") -> FunctionToolCall:
    return FunctionToolCall(
        name=name,
        arguments=json.dumps(arguments),
        call_id=shortuuid(CALL_PREFIX),
        extra={message_tags.EXTRA: {"offer": offer}} if offer else None,
    )


def user_turns(items: Iterable[ChatItem], zone: tzinfo | None = None) -> list[Turn]:
    """
    What the caller wished, oldest first: no answers to the gate's questions, no "wait".

    Args: zone: Where the caller is; None: where the machine is.
    """
    return [
        Turn(item.text_content or "", message_tags.said_at(item, zone))
        for item in items
        if item.type == "message"
        and item.role == "user"
        and item.text_content
        and message_tags.reply_to(item) is None
        and not asks_to_wait(item.text_content)
    ]


def last_answer(items: list[ChatItem]) -> str:
    """The agent's last words."""
    for item in reversed(items):
        if item.type == "message" and item.role == "assistant" and item.text_content:
            return item.text_content
    return ""


def _in_words(outputs: Iterable[FunctionCallOutput]) -> str:
    return " ".join(dict.fromkeys(map(message_tags.spoken, outputs)))
