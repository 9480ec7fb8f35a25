"""The single call path: every tool call of every model goes through `ToolRunner.call`."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from livekit.agents.llm import ToolError
from pydantic import BaseModel, ValidationError

from agent_worker.metrics import Metrics
from agent_worker.tools.tool import Answer, Caller, IdempotencyKey, Tool, ToolRefused

log = structlog.get_logger()

FAILED = "That did not work just now. Please try again in a moment."
TOO_SLOW = "That is taking too long. Please try again in a moment."
UNKNOWN = "I could not confirm whether that was done. Please check before you try it again."


class ToolRunner:
    """
    Runs the tools of one call.

    Args:
        caller: Who is calling; effects get the keys `call_id:n`.
        resources: What the agent opened for the call; injected into tools by type.
    """

    def __init__(self, *, caller: Caller, resources: Iterable[object], metrics: Metrics) -> None:
        self._call_id = caller.call_id
        self._metrics = metrics
        self._resources = [caller, *resources]
        self._effects = 0
        self._running: set[asyncio.Task[Answer]] = set()

    async def call(self, tool: Tool, raw_arguments: Mapping[str, Any]) -> Answer:
        """
        Check *raw_arguments*, fill in what the server knows, run *tool* for its time.

        Raises: ToolError: it was not done; the message can be spoken. Nothing else is raised,
            because the framework would show the text of any other exception to the model.
        """
        started = time.monotonic()
        outcome = "failed"
        try:
            answer = await self._run(tool, self._parse(tool, raw_arguments))
            outcome = "done"
        except ToolRefused as refusal:
            outcome = "refused"
            raise ToolError(str(refusal)) from refusal
        except TimeoutError as error:
            outcome = "unknown" if tool.effect == "write" else "timeout"
            raise ToolError(UNKNOWN if tool.effect == "write" else TOO_SLOW) from error
        except Exception as error:
            log.warning("tool.failed", tool=tool.name, exc_info=error)
            raise ToolError(FAILED) from error
        finally:
            duration_s = time.monotonic() - started
            self._metrics.tool_call(tool.name, outcome, duration_s)
            log.info(
                "tool.finished",
                tool=tool.name,
                effect=tool.effect,
                outcome=outcome,
                duration_ms=round(duration_s * 1000),
            )
        return answer

    @property
    def is_busy(self) -> bool:
        """Whether a tool is running."""
        return bool(self._running)

    async def aclose(self) -> None:
        """Wait for writes that are still on their way, each within its own time."""
        if self._running:
            await asyncio.wait(self._running, timeout=10)

    async def _run(self, tool: Tool, arguments: BaseModel) -> Answer:
        injected = {name: self._inject(kind) for name, kind in tool.injected.items()}
        task = asyncio.ensure_future(tool.run(**dict(arguments), **injected))
        self._running.add(task)
        task.add_done_callback(self._forget)
        done, _ = await asyncio.wait({task}, timeout=tool.timeout_s)
        if done:
            return task.result()
        # A read may be given up. A write goes on: stopping it midway is worse than not knowing.
        if tool.effect == "read":
            task.cancel()
        raise TimeoutError

    def _forget(self, task: asyncio.Task[Answer]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen, or the event loop would report it as never retrieved

    def _inject(self, kind: type) -> object:
        if kind is IdempotencyKey:
            self._effects += 1
            return IdempotencyKey(f"{self._call_id}:{self._effects}")
        return next(item for item in self._resources if isinstance(item, kind))

    @staticmethod
    def _parse(tool: Tool, raw_arguments: Mapping[str, Any]) -> BaseModel:
        try:
            return tool.arguments.model_validate(dict(raw_arguments))
        except ValidationError as error:
            # Pydantic's own text quotes the input and links to its site.
            places = {".".join(map(str, item["loc"])) for item in error.errors()}
            raise ToolRefused(
                f"I did not get the {' and the '.join(sorted(places)).replace('_', ' ')} right."
            ) from None
