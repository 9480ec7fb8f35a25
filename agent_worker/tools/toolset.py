"""Gives an agent's tools to the session; every one of them leads into the gate."""

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog
from livekit.agents import RunContext
from livekit.agents.llm import RawFunctionTool, ToolError, ToolResult, Toolset, function_tool
from livekit.agents.llm import Tool as SessionTool

from agent_worker.livekit_compat import LateResultToolset
from agent_worker.reasoning import message_tags
from agent_worker.tools.gate import Gate
from agent_worker.tools.invocations import Invocation, Proposal
from agent_worker.tools.provenance import is_current, origin_of
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.tools.tool import Tool

log = structlog.get_logger()

RELEASE_S = 0.7
"""After this time the conversation goes on without the result."""
LOOK_S = 0.03


class Unguarded(RuntimeError):
    """A tool of the session does not lead into the gate."""


class GuardedToolset(LateResultToolset):
    """
    One raw function tool for each tool of the gate.

    They are raw, so that the gate gets the arguments as the model sent them. They belong to the
    session, not to an agent, so that a handoff to another agent cancels none.
    """

    def __init__(self, gate: Gate, delivery: ResultDelivery) -> None:
        self._gate = gate
        self._delivery = delivery
        self._phrases = gate.phrases
        self._guarded = [self._wrap(tool) for tool in gate.tools]
        super().__init__(id="guarded", tools=self._guarded, announce=message_tags.results_arrived)

    def check(self, tools: Iterable[SessionTool | Toolset]) -> None:
        """
        Check that every one of *tools* leads into the gate.

        Raises: Unguarded: one does not, so the session must not start.
        """
        for tool in tools:
            if isinstance(tool, Toolset):
                self.check(tool.tools)
            elif not any(tool is ours for ours in self._guarded):
                raise Unguarded(f"{getattr(tool, 'id', type(tool).__name__)} bypasses the gate")

    def _wrap(self, tool: Tool) -> RawFunctionTool[..., Any]:
        async def invoke(raw_arguments: dict[str, object], context: RunContext[Any]) -> object:
            try:
                return await self._invoke(tool, raw_arguments, context)
            except ToolError:
                raise
            except Exception as error:
                # The framework would put the text of any other exception into an event.
                log.error("gate.failed", tool=tool.name, error=type(error).__name__)
                raise ToolError(self._phrases.failed) from None

        return function_tool(invoke, raw_schema=tool.schema)

    async def _invoke(self, tool: Tool, raw: dict[str, object], context: RunContext[Any]) -> object:
        origin = origin_of(context.function_call)
        invocation = self._gate.propose(
            Proposal(
                name=tool.name,
                raw=raw,
                function_call_id=context.function_call.call_id,
                turn_id=origin.turn_id if origin else "",
                strict=origin is not None and origin.strict,
                current=origin is not None and is_current(origin, context.session.history),
                unsettled=lambda: _goes_on(context),
                offer=origin.offer if origin else "",
            )
        )
        with self._delivery.waiting(context.function_call.call_id, invocation):
            return await self._result(invocation, context)

    async def _result(self, invocation: Invocation, context: RunContext[Any]) -> object:
        assert invocation.task is not None
        await self._first(invocation, context)
        if not invocation.task.done() or context.speech_handle.interrupted:
            # Now the conversation goes on; the result is told in the next pause.
            self._delivery.released(context.function_call.call_id)
            await self._release(invocation, context)
            await self._gate.wait(invocation)
        outcome = invocation.outcome
        if outcome is None:
            return ToolResult(self._phrases.not_now, reply_required=False)
        if invocation.quiet:
            return ToolResult(message_tags.told(outcome.say), reply_required=False)
        if outcome.answer is None:
            raise ToolError(outcome.say)
        answer = outcome.answer
        return answer.model_dump_json(include={"say", "data"} if answer.data else {"say"})

    async def _first(self, invocation: Invocation, context: RunContext[Any]) -> None:
        """Wait until the invocation is done, asks, or has taken too long for the conversation."""
        assert invocation.task is not None
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + RELEASE_S
        asked = asyncio.ensure_future(invocation.asked.wait())
        try:
            while not (invocation.task.done() or asked.done() or context.speech_handle.interrupted):
                left_s = ends_s - loop.time()
                if left_s <= 0:
                    return
                waiting: set[asyncio.Future[Any]] = {invocation.task, asked}
                await asyncio.wait(
                    waiting, timeout=min(left_s, LOOK_S), return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            asked.cancel()

    async def _release(self, invocation: Invocation, context: RunContext[Any]) -> None:
        silent = context.speech_handle.interrupted
        words = self._phrases.one_moment
        if invocation.question is not None and invocation.is_asking:
            words = message_tags.question(invocation.question.wording)
        await context.update(words, template="{message}", silent=silent)


def _goes_on(context: RunContext[Any]) -> bool:
    return context.speech_handle.interrupted or context.session.user_state == "speaking"
