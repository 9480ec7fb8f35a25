"""Several models, of which the first that has something to say answers."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from livekit.agents.llm import LLM

from agent_worker.model.health import Health
from agent_worker.model.reply import DOWN, FAILURES, Bridge, End, Part

LEAST_S = 2.0
"""A model that is asked last has so long at least."""
HANGS_AFTER_S = 3.0
"""One that another has overtaken, and that said nothing for so long, is late."""
BRIDGE_LATER_S = 0.1
"""The words of a slow model go before the sign that it takes a moment."""
CLOSE_WITHIN_S = 1.0
"""A connection that does not close is left behind."""


@dataclass(frozen=True)
class Model:
    """A model that can be asked."""

    name: str
    llm: LLM[Any]


@dataclass(frozen=True)
class Answers:
    """The parts that follow are of that model."""

    model: Model


@dataclass(frozen=True)
class Failed:
    """A model failed: another is asked, or none is left, or its words were heard already."""

    model: Model
    end: End


Ask = Callable[[Model, float], AsyncGenerator[Part]]
"""Asks a model that has so many seconds for its first words; the parts of its reply."""


@dataclass(eq=False)
class _Attempt:
    model: Model
    began_s: float
    parts: "asyncio.Queue[tuple[_Attempt, Part]]"
    task: "asyncio.Task[None]" = field(init=False)

    def start(self, ask: Ask, first_s: float) -> None:
        self.task = asyncio.create_task(self._read(ask(self.model, first_s)))

    async def _read(self, reply: AsyncGenerator[Part]) -> None:
        try:
            async with aclosing(reply):
                async for part in reply:
                    await self.parts.put((self, part))
        except Exception as error:  # it could not even be asked
            await self.parts.put((self, End("failed", type(error).__name__)))


async def answer(
    models: Sequence[Model],
    ask: Ask,
    health: Health,
    *,
    silence_s: float,
    bridge_s: float,
    hedge_s: float,
    may_be_empty: bool = False,
) -> AsyncGenerator[Part | Answers | Failed]:
    """
    The parts of the reply of whichever of *models* answers first, after its `Answers`. Nothing of
    the others is heard or done. The last part is an `End`.

    Args:
        silence_s: How long the caller waits for the first words, whoever says them.
        bridge_s: After so long the caller is told that it takes a moment.
        hedge_s: After so long the next model is asked besides; 0: it is asked instead, when its
            share of *silence_s* is over.
        may_be_empty: Whether to say nothing is an answer.
    """
    states = {model.name: health.state(model.name) for model in models}
    waiting = deque(sorted(models, key=lambda one: states[one.name] == "down"))
    now = asyncio.get_running_loop().time
    began = next_at = now()
    bridge_at = began + bridge_s + BRIDGE_LATER_S
    found: asyncio.Queue[tuple[_Attempt, Part]] = asyncio.Queue(maxsize=64)
    running: list[_Attempt] = []
    winner: _Attempt | None = None
    bridged = False
    try:
        while True:
            if waiting and winner is None and (not running or now() >= next_at):
                if running and not hedge_s:
                    late = running.pop()
                    await _stop([late])
                    health.failed(late.model.name)
                    yield Failed(late.model, End("late"))
                attempt = _Attempt(waiting.popleft(), now(), found)
                attempt.start(ask, max(began + silence_s - now(), LEAST_S))
                running.append(attempt)
                next_at = now() + (hedge_s or silence_s / len(models))
            if winner is None and not bridged and now() >= bridge_at:
                bridged = True
                yield Bridge()
            wakes_at = [next_at] if waiting else []
            wakes_at += [] if bridged else [bridge_at]
            try:
                is_open = bool(wakes_at) and winner is None
                async with asyncio.timeout_at(min(wakes_at) if is_open else None):
                    attempt, part = await found.get()
            except TimeoutError:
                continue
            if attempt not in running:
                continue
            if winner is None:
                if isinstance(part, Bridge):
                    continue
                if isinstance(part, End) and _is_failure(part, may_be_empty):
                    running.remove(attempt)
                    if part.outcome in DOWN:
                        health.failed(attempt.model.name)
                    yield Failed(attempt.model, part)
                    if not running and not waiting:
                        yield part
                        return
                    continue
                winner = attempt
                health.worked(winner.model.name)
                losers = [one for one in running if one is not winner]
                running = [winner]
                await _stop(losers)
                for one in losers:
                    if now() - one.began_s >= HANGS_AFTER_S:
                        health.failed(one.model.name)
                        yield Failed(one.model, End("late"))
                yield Answers(winner.model)
            elif isinstance(part, End) and _is_failure(part, may_be_empty):
                yield Failed(attempt.model, part)
            yield part
            if isinstance(part, End):
                return
    finally:
        await _stop(running)


def _is_failure(end: End, may_be_empty: bool) -> bool:
    return end.outcome in FAILURES and not (may_be_empty and end.outcome == "empty")


async def _stop(attempts: Sequence[_Attempt]) -> None:
    for one in attempts:
        one.task.cancel()
    if attempts:
        await asyncio.wait([one.task for one in attempts], timeout=CLOSE_WITHIN_S)
