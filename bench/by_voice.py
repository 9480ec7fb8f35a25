"""What callers say, by voice: each line a call of its own over the real SFU."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from agent_worker.agent import AgentDefinition
from agent_worker.loading import open_resources
from agent_worker.rehearsal.ledger import effects_of
from agent_worker.tools import tool
from bench.conversation import Conversation, Reply
from call_record import journal
from call_record.record import Record
from call_record.timeline import Timeline, fold
from devstack.ask import speak
from devstack.caller import Caller, joined
from devstack.examples import EXAMPLES
from devstack.step import StepError
from tests.support.call_steps import speech_url
from tests.support.local_stack import LocalStack, running_stack

SETTLES_S = 2.0
"""Without an entry in the journal after an answer has begun, nothing more comes of a turn."""
HEARD_S = 8.0
"""The same where no turn has come of what was said."""
ANSWERED_S = 20.0
"""The same where no answer to a turn has come."""
ENDS_S = 60.0
"""After which no longer is waited for a greeting, an answer or its end."""
LOOK_S = 0.2


@contextmanager
def agents_stack(agent: str) -> Iterator[LocalStack]:
    """A stack of its own, with default settings, whose calls are answered by that agent."""
    with tempfile.TemporaryDirectory(prefix="parley-bench-", dir=".") as name:
        with running_stack(Path(name).absolute(), PARLEY_AGENT=agent) as stack:
            for example in EXAMPLES:
                # For what the agent's `open_rehearsal` opens in this process.
                address = stack.url(example.backend.name)
                os.environ[f"PARLEY_{example.name.upper()}_URL"] = address
            yield stack


@asynccontextmanager
async def calling(stack: LocalStack, agent: AgentDefinition) -> AsyncIterator["ByVoice"]:
    """
    A call, greeted; the backend is as `open_rehearsal` makes it.

    Raises: StepError: the agent did not greet. AgentError: as `open_resources`.
    """
    async with stack.record() as record, joined(stack.page_url) as caller:
        room = caller.room
        known = tool.Caller(room.local_participant.identity, room.name)
        async with open_resources(agent, known, rehearses=True) as resources:
            conversation = ByVoice(stack, agent, record, caller, resources)
            await conversation.heard_out()
            yield conversation


class ByVoice(Conversation):
    """
    A call of *caller*, judged by its journal.

    Args: resources: what `open_rehearsal` has yielded for this call.
    """

    def __init__(
        self,
        stack: LocalStack,
        agent: AgentDefinition,
        record: Record,
        caller: Caller,
        resources: Sequence[object],
    ) -> None:
        super().__init__()
        self._speech_url = speech_url(stack)
        self._zone = agent.templates.zone
        self._greeting = agent.greeting
        self._record = record
        self._caller = caller
        self._resources = resources
        self._seen = Timeline()

    @property
    def asks(self) -> bool:
        return any(one.decision is None for one in self._seen.confirmations)

    def now(self) -> datetime:
        return datetime.now(UTC).astimezone(self._zone)

    async def say(self, text: str, speed: float = 1.0) -> Reply | None:
        # A yes counts only when the question was heard to its end.
        await self.heard_out()
        if self._caller.left.is_set():
            return None
        before = max(self._seen.kinds, default=0)
        await self._caller.say(await speak(self._speech_url, text, speed))
        await self._settle(before)
        seen = self._seen
        turns = [one.text for one in seen.caller_turns if one.seq > before]
        said = self._said(before)
        if not turns and not said:
            return None
        self.heard += turns
        proposals = (one for invocation in seen.invocations for one in invocation.proposals)
        new = sorted((one for one in proposals if one.seq > before), key=lambda one: one.seq)
        return Reply(" ".join(said), [(one.entry.tool, one.entry.arguments) for one in new])

    async def effects(self) -> list[str]:
        entries = [one.entry for one in await self._recorded() if one.entry is not None]
        return await effects_of(self._resources, entries)

    async def heard_out(self) -> None:
        """
        Wait until the agent has greeted, and said all that it has begun to say.

        Raises: StepError: it does not greet.
        """
        deadline = time.monotonic() + ENDS_S
        while time.monotonic() < deadline and not self._caller.left.is_set():
            await self._look()
            if self._greeting in self._said() and all(one.ended for one in self._seen.agent_turns):
                return
            await asyncio.sleep(LOOK_S)
        if self._greeting not in self._said():
            raise StepError(f"The agent did not greet within {ENDS_S:g} s.")

    async def _settle(self, before: int) -> None:
        """Wait until nothing more comes of what was said past that entry of the journal."""
        last, changed_at = before, time.monotonic()
        deadline = changed_at + ENDS_S
        while (now := time.monotonic()) < deadline:
            await self._look()
            if self._caller.left.is_set():
                return
            if (newest := max(self._seen.kinds, default=0)) > last:
                last, changed_at = newest, now
            if now - changed_at >= self._patience_s(before):
                return
            await asyncio.sleep(LOOK_S)

    def _patience_s(self, before: int) -> float:
        heard = [one.seq for one in self._seen.caller_turns if one.seq > before]
        if self._said(max(heard, default=before)):
            return SETTLES_S
        return ANSWERED_S if heard else HEARD_S

    def _said(self, after: int = 0) -> list[str]:
        """What the agent has begun to say past that entry of the journal."""
        started = (one.started for one in self._seen.agent_turns)
        return [one.entry.planned.strip() for one in started if one and one.seq > after]

    async def _look(self) -> None:
        self._seen = fold(await self._recorded())

    async def _recorded(self) -> list[journal.Recorded]:
        return await journal.read(self._record, self._caller.room.name)
