"""Tells an author why a tool failed. In a call nobody hears it: an error may hold anything."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from agent_worker.mistakes import in_words, location_of, raised_at
from agent_worker.tools.tool import Answer, InWords, Rule, Tool, ToolRefused


class Witness:
    """Notes what the tools that it watches raise, their rules and their words too."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    def take(self) -> list[str]:
        """The notes since the last time."""
        notes, self._notes = self._notes, []
        return notes

    def watch(self, tool: Tool) -> Tool:
        """*tool*, watched."""
        guards = replace(
            tool.guards,
            policy=tuple(self._rule(tool, rule) for rule in tool.guards.policy),
            in_words={
                name: self._words(tool, words) for name, words in tool.guards.in_words.items()
            },
        )
        return replace(tool, guards=guards, run=self._run(tool))

    def _run(self, tool: Tool) -> Callable[..., Any]:
        async def run(*values: Any, **named: Any) -> Answer:
            with self._noting(tool.name, tool.source), self._timing(tool):
                answer = await tool.run(*values, **named)
            if not isinstance(answer, Answer):
                what = type(answer).__name__
                self._note(f"{tool.name} failed: it returned {what}, not an Answer ({tool.source})")
            return answer

        return run

    def _rule(self, tool: Tool, rule: Rule) -> Rule:
        async def check(**seen: Any) -> None:
            with self._noting(f"rule {rule.name} of {tool.name}", location_of(rule.check)):
                verdict = rule.check(**seen)
                if inspect.isawaitable(verdict):
                    await verdict

        return replace(rule, check=check)

    def _words(self, tool: Tool, words: InWords) -> InWords:
        def say(value: Any) -> str:
            with self._noting(f"in_words of {tool.name}", tool.source):
                return words(value)

        return say

    @contextmanager
    def _noting(self, what: str, source: str) -> Iterator[None]:
        try:
            yield
        except ToolRefused:
            raise
        except Exception as error:
            cause = f", from {in_words(error.__cause__)}" if error.__cause__ else ""
            where = raised_at(error) or source
            self._note(f"{what} failed: {in_words(error)}{cause} ({where})")
            raise

    @contextmanager
    def _timing(self, tool: Tool) -> Iterator[None]:
        limit_s = tool.guards.timeout_s
        late = f"{tool.name} failed: it took longer than its timeout_s of {limit_s:g} s"
        timer = asyncio.get_running_loop().call_later(limit_s, self._note, late)
        try:
            yield
        except asyncio.CancelledError:  # the gate stops a read then
            self._note(late)
            raise
        finally:
            timer.cancel()

    def _note(self, note: str) -> None:
        if note not in self._notes:  # as often as it was retried
            self._notes.append(note)
