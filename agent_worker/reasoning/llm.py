"""The session's `llm.LLM`: sentence templates in milliseconds, a model for the rest, or either."""

import json
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import tzinfo
from math import inf
from typing import Any, Literal, Protocol

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents.llm import (
    LLM,
    ChatChunk,
    ChatContext,
    ChatItem,
    ChatMessage,
    ChoiceDelta,
    FunctionCallOutput,
    FunctionToolCall,
    Tool,
    ToolChoice,
)
from livekit.agents.utils import shortuuid

from agent_worker.livekit_compat import ReplyStream
from agent_worker.model.failover import Answers, Failed, Model, answer
from agent_worker.model.health import Health
from agent_worker.model.prompt import for_model
from agent_worker.model.reply import (
    FAILURES,
    Bounds,
    Bridge,
    End,
    ModelFailure,
    Part,
    functions,
    parts,
)
from agent_worker.reasoning import message_tags, yes_no
from agent_worker.reasoning.dialog import (
    CallEach,
    CallTool,
    Dialog,
    NotUnderstood,
    Say,
    advance,
    follow,
)
from agent_worker.reasoning.encoder import Encoder
from agent_worker.reasoning.listening import asks_to_wait
from agent_worker.reasoning.template_file import LAST_ANSWER
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn

CALL_PREFIX = "local_"
"""The ids of function calls that come from templates begin with it."""
END_CALL = "end_call"
"""The tool that every agent has to end the call."""
HEDGE_S = 1.0
Replied = Literal["first", "another", "tool", "templates", "nobody"]
"""Who answered what went to the models: one of them, a tool's own words, templates and examples."""
BOUNDS = Bounds(first_s=8.0, silence_s=8.0, bridge_s=3.0, words_max=120)


class DialogPhrases(Protocol):
    """What an agent says when it has no answer."""

    @property
    def not_understood(self) -> tuple[str, ...]: ...
    @property
    def not_understood_end(self) -> str: ...
    @property
    def reply_failed(self) -> str: ...
    @property
    def reply_cut(self) -> str: ...
    @property
    def model_away(self) -> str: ...
    @property
    def moment(self) -> str: ...
    @property
    def more(self) -> str: ...


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
    Answers for *agent*: from its templates, from one of the models *remotes*, or templates first.

    Templates answer the sentences that fit them exactly. The rest goes to *remotes*, the first
    first; without one it is not understood. Whoever proposed a tool words its result. When all of
    *remotes* fail, templates and examples answer what they can, and the caller hears the agent's
    apology for the rest.

    Args:
        bounds: How long the caller waits for the words of a model, and how many they hear.
        hedge_s: After so long without words the next model is asked besides; 0: instead.
        health: Which models failed lately.
        encoder: Has opinions for the templates of *agent*.
        replied: Told who has answered what went to the models.
    """

    def __init__(
        self,
        agent: DialogAgent,
        *remotes: LLM[Any],
        templates: bool = True,
        bounds: Bounds = BOUNDS,
        hedge_s: float = HEDGE_S,
        health: Health | None = None,
        encoder: Encoder | None = None,
        replied: Callable[[Replied], None] = lambda _: None,
    ) -> None:
        super().__init__()
        assert templates or remotes
        self.agent = agent
        self.remotes = remotes
        self.models = [Model(_name(remotes, one), one) for one in remotes]
        self.templates = templates
        self.bounds = bounds
        self.hedge_s = hedge_s
        self.health = health or Health()
        self.encoder = encoder
        self.replied = replied
        for remote in remotes:
            remote.on("metrics_collected", self._forward)

    @property
    def remote(self) -> LLM[Any] | None:
        """The model that is asked first."""
        return self.remotes[0] if self.remotes else None

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
        for remote in self.remotes:
            remote.off("metrics_collected", self._forward)
            await remote.aclose()

    def _forward(self, *args: Any) -> None:
        self.emit("metrics_collected", *args)


class _AgentStream(ReplyStream):
    def __init__(self, owner: AgentLLM, *, tool_choice: NotGivenOr[ToolChoice], **rest: Any):
        super().__init__(owner, **rest)
        self._owner = owner
        self._tool_choice = tool_choice
        self._has_words = False

    async def respond(self) -> None:
        owner = self._owner
        if owner.encoder is not None:
            zone = owner.agent.templates.zone
            await owner.encoder.consider(user_turns(self.chat_ctx.items, zone))
        delta = self._from_templates(owner)
        if delta is not None:
            self._say(delta)
        elif owner.remotes:
            await self._ask(owner)

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
        if has_model and turn is not None and _goes_on(owner.agent, items, turn):
            return None
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

    async def _ask(self, owner: AgentLLM) -> None:
        phrases = owner.agent.phrases
        items = self.chat_ctx.items
        arrived = message_tags.arrived(items)
        outputs = arrived or message_tags.unanswered(items)
        has_said = has_called = False
        end = End("failed")
        parts_of_first = answer(
            owner.models,
            self._parts,
            owner.health,
            silence_s=owner.bounds.first_s,
            # Of late results there may be nothing left to tell.
            bridge_s=inf if arrived else owner.bounds.bridge_s,
            hedge_s=owner.hedge_s,
            may_be_empty=bool(arrived),
        )
        async with aclosing(parts_of_first):
            async for part in parts_of_first:
                match part:
                    case str():
                        has_said = True
                        self._add(part)
                    case FunctionToolCall():
                        has_called = True
                        self._say(ChoiceDelta(role="assistant", tool_calls=[part]))
                    case Bridge():
                        self._add(phrases.moment)
                    case Answers():
                        owner.replied("first" if part.model is owner.models[0] else "another")
                    case Failed():
                        self.report(ModelFailure(part.model.name, part.end))
                    case End():
                        end = part
        if end.outcome == "long":
            self._add(phrases.more)
        elif end.outcome not in FAILURES or has_called:
            return
        elif has_said:
            # A result has words of its own, which are told only once.
            self._add(_in_words(outputs) or phrases.reply_cut)
        elif not (arrived and end.outcome == "empty"):
            self._answer_without_model(owner)

    async def _parts(self, model: Model, first_s: float) -> AsyncGenerator[Part]:
        """What *model* answers, whose first words may take so many seconds."""
        may_call = self._tool_choice != "none"
        # No second try: the caller would wait in silence.
        options = APIConnectOptions(max_retry=0, timeout=self._owner.bounds.silence_s)
        async with model.llm.chat(
            chat_ctx=for_model(self.chat_ctx.items),
            tools=self.tools,
            conn_options=options,
            tool_choice=self._tool_choice,
        ) as stream:
            bounds = replace(self._owner.bounds, first_s=first_s)
            tools = functions(self.tools)
            async with aclosing(parts(stream, bounds, tools, may_call=may_call)) as found:
                async for part in found:
                    yield part

    def _answer_without_model(self, owner: AgentLLM) -> None:
        """By the words of results, by templates and examples, or with an apology."""
        items = self.chat_ctx.items
        outputs = message_tags.arrived(items) or message_tags.unanswered(items)
        if words := _in_words(outputs):
            # A result has words of its own.
            owner.replied("tool")
            self._add(words)
            return
        turn = message_tags.last_user(items)
        dialog = _alone(owner, items)
        if (answered := message_tags.reply_to(turn)) is None and isinstance(
            dialog.move, NotUnderstood | None
        ):
            answered = message_tags.last_resort(turn)
            if answered is None:
                owner.replied("nobody")
                self._add(owner.agent.phrases.reply_failed)
                return
        owner.replied("templates")
        if answered is not None:
            self._add(answered)
            return
        away = owner.agent.phrases.model_away
        # By what was heard: a reply that is made ahead may be dropped.
        if not any(away in said(item) for item in items):
            self._add(away)
        delta = reply(owner.agent, dialog, last_answer(items))
        if delta.content:
            self._add(delta.content)
        else:
            self._say(delta)

    def _add(self, words: str) -> None:
        """Say *words* after what was said already."""
        self._say(say(f" {words}" if self._has_words else words))
        self._has_words = True

    def _say(self, delta: ChoiceDelta) -> None:
        self.send(ChatChunk(id=shortuuid(CALL_PREFIX), delta=delta))


def _name(remotes: Sequence[LLM[Any]], one: LLM[Any]) -> str:
    """What *one* is called in logs: its model's name, and its place if several share it."""
    same = [other for other in remotes if other.model == one.model]
    return one.model if len(same) == 1 else f"{one.model} {remotes.index(one) + 1}"


def _alone(owner: AgentLLM, items: list[ChatItem]) -> Dialog:
    """
    What templates and examples make of the caller's last turn, which no model answers.

    Of the turns before it that models answered nothing is left open: what they asked and did is not
    known here, so an old wish must not come back with a value that answers something else.
    """
    templates = owner.agent.templates
    *before, last = user_turns(items, templates.zone) or [Turn("")]
    asked = follow(templates, before)
    if asked.question and last_answer(items).rstrip().endswith(asked.question):
        return advance(templates, asked, last)
    known = follow(templates, before, model=True) if owner.templates else follow(templates, ())
    return advance(templates, known, last)


def _goes_on(agent: DialogAgent, items: list[ChatItem], turn: ChatMessage) -> bool:
    """Whether *turn* answers a model's "Shall I go on?"."""
    more = agent.phrases.more
    asked = bool(more) and last_answer(items).rstrip().endswith(more)
    return asked and yes_no.read(turn.text_content or "") in yes_no.ANSWERS


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
    return next((words for item in reversed(items) if (words := said(item))), "")


def said(item: ChatItem) -> str:
    """The agent's words in *item*, if it has any."""
    if item.type == "message" and item.role == "assistant":
        return item.text_content or ""
    return ""


def _in_words(outputs: Iterable[FunctionCallOutput]) -> str:
    return " ".join(dict.fromkeys(map(message_tags.spoken, outputs)))
