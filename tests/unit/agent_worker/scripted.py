"""A model that answers by script."""

from collections.abc import Callable
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents.llm import (
    LLM,
    ChatChunk,
    ChatContext,
    ChoiceDelta,
    Tool,
    ToolChoice,
)

from agent_worker.livekit_compat import ReplyStream

Script = list[ChoiceDelta | Exception]
"""What one answer consists of, in order."""


class ScriptedLLM(LLM[Any]):
    """Answers by *script*, which is given the conversation; remembers what it was asked."""

    def __init__(self, script: Callable[[ChatContext], Script]) -> None:
        super().__init__()
        self.script = script
        self.asked: list[ChatContext] = []
        self.options: list[APIConnectOptions] = []
        self.closed = False

    @property
    def model(self) -> str:
        return "scripted-1"

    @property
    def provider(self) -> str:
        return "script"

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
        self.asked.append(chat_ctx)
        self.options.append(conn_options)
        return _ScriptedStream(
            self, self.script, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options
        )

    async def aclose(self) -> None:
        self.closed = True
        await super().aclose()


class _ScriptedStream(ReplyStream):
    def __init__(self, llm: LLM[Any], script: Callable[[ChatContext], Script], **rest: Any) -> None:
        super().__init__(llm, **rest)
        self._script = script

    async def respond(self) -> None:
        for step in self._script(self.chat_ctx):
            if isinstance(step, Exception):
                raise step
            self.send(ChatChunk(id="scripted", delta=step))
