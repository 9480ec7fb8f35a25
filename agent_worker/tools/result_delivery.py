"""
Sees to it that the caller hears what became of an effect.

A result counts as told when the agent's turn with it was heard. One that was interrupted is told
again when there is a pause, so that nobody has to guess what happened.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import structlog
from livekit.agents import AgentSession, ConversationItemAddedEvent
from livekit.agents.llm import ChatMessage, FunctionCallOutput

from agent_worker.livekit_compat import closing_errors, split_late
from agent_worker.reasoning.message_tags import EXTRA
from agent_worker.tools.gate import Gate
from agent_worker.tools.invocations import Invocation

log = structlog.get_logger()

PAUSE_S = 1.0
"""The agent has been silent for so long: what is not told by now will not be by itself."""
TELLINGS_MAX = 2
"""So often a result is told again; who interrupts it every time does not want to hear it."""
KEPT_MAX = 200


class ResultDelivery:
    """Follows the invocations of *gate* and what is said in a session."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._session: AgentSession[None] | None = None
        self._invocations: dict[str, Invocation] = {}
        """By the framework's call id."""
        self._released: set[str] = set()
        self._waiting: dict[str, int] = {}
        self._untold: dict[str, Invocation] = {}
        self._unasked: list[Invocation] = []
        self._tellings: Counter[str] = Counter()
        self._told: dict[str, tuple[str, ...]] = {}
        self._present = True
        self._task: asyncio.Task[None] | None = None
        gate.settled = self.settled

    def follow(self, session: AgentSession[None]) -> None:
        """Listen to what is said in *session*, and say in it what was not told."""
        self._session = session
        session.on("conversation_item_added", self._on_item)
        self._tell_again()

    def pause(self) -> None:
        """Nobody hears the agent."""
        self._present = False

    def resume(self) -> None:
        """Somebody hears the agent again."""
        self._present = True
        self._tell_again()

    def stop(self) -> None:
        """Tell nothing more."""
        self._present = False
        if self._task is not None:
            self._task.cancel()

    @contextmanager
    def waiting(self, function_call_id: str, invocation: Invocation) -> Iterator[None]:
        """While the framework's call of that id waits for the result of *invocation*."""
        self._invocations[function_call_id] = invocation
        while len(self._invocations) > KEPT_MAX:
            gone = next(iter(self._invocations))
            del self._invocations[gone]
            self._released.discard(gone)
        self._waiting[invocation.id] = self._waiting.get(invocation.id, 0) + 1
        try:
            yield
        finally:
            self._waiting[invocation.id] -= 1
            if not self._waiting[invocation.id]:
                del self._waiting[invocation.id]
                self._tell_again()

    def released(self, function_call_id: str) -> None:
        """The conversation goes on before that call has its result."""
        self._released.add(function_call_id)

    def settled(self, invocation: Invocation) -> None:
        """*invocation* has an outcome, or another one than before."""
        assert invocation.outcome is not None
        if invocation.quiet or invocation.outcome.kind in ("declined", "ended"):
            return
        self._untold[invocation.id] = invocation
        while len(self._untold) > KEPT_MAX:
            del self._untold[next(iter(self._untold))]
        self._tell_again()

    def knows(self, invocation: Invocation) -> None:
        """The conversation so far has the result of *invocation*, under its own id."""
        self._invocations[invocation.id] = invocation

    def ask_again(self, invocation: Invocation) -> None:
        """The question of *invocation* is open from before: nobody has heard it from this agent."""
        self._unasked.append(invocation)
        self._tell_again()

    def results_in(self, outputs: Iterable[FunctionCallOutput]) -> list[str]:
        """Of which invocations *outputs* are the results."""
        found: list[str] = []
        for output in outputs:
            function_call_id, late = split_late(output.call_id)
            invocation = self._invocations.get(function_call_id)
            if invocation is not None and (late or function_call_id not in self._released):
                found.append(invocation.id)
        return list(dict.fromkeys(found))

    def told_by(self, message: ChatMessage) -> tuple[str, ...]:
        """The invocations whose results the caller heard in the agent's turn *message*."""
        if message.id not in self._told:
            mark = message.extra.get(EXTRA)
            meant = mark.get("tells", []) if isinstance(mark, dict) else []
            said = " ".join((message.text_content or "").split())
            self._told[message.id] = tuple(
                job_id
                for job_id, invocation in self._untold.items()
                if (job_id in meant and not message.interrupted) or _words(invocation) in said
            )
            while len(self._told) > KEPT_MAX:
                del self._told[next(iter(self._told))]
        return self._told[message.id]

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, ChatMessage):
            return
        if item.role == "user":
            self._gate.turn_began(item.id)
        elif item.role == "assistant":
            self._gate.said(item.text_content or "")
            for job_id in self.told_by(item):
                self._untold.pop(job_id, None)
        self._tell_again()

    def _tell_again(self) -> None:
        if self._session is None or self._next() is None:
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._tell(self._session))

    def _next(self) -> Invocation | None:
        """An effect, or an open question, that nobody is about to tell of."""
        if not self._present or self._gate.closing.is_set():
            return None
        self._unasked = [invocation for invocation in self._unasked if _is_unheard(invocation)]
        untold = (invocation for invocation in self._untold.values() if invocation.writes)
        return next(
            (
                invocation
                for invocation in (*self._unasked, *untold)
                if invocation.id not in self._waiting
                and self._tellings[invocation.id] < TELLINGS_MAX
            ),
            None,
        )

    async def _tell(self, session: AgentSession[None]) -> None:
        try:
            while self._next() is not None:
                await session.wait_for_idle()
                await asyncio.sleep(PAUSE_S)
                invocation = self._next()
                if invocation is None or session.current_speech or session.user_state == "speaking":
                    continue
                self._tellings[invocation.id] += 1
                await session.say(self._phrase(invocation))
        except closing_errors():
            log.info("result.not_told", reason="the session is closing")

    def _phrase(self, invocation: Invocation) -> str:
        if _is_unheard(invocation):
            assert invocation.question is not None
            return (
                invocation.question.title
                if self._gate.guards.has_cards
                else invocation.question.full
            )
        phrases = self._gate.phrases
        return (phrases.late if invocation.late else phrases.again).format(words=_words(invocation))


def _is_unheard(invocation: Invocation) -> bool:
    question = invocation.question
    return question is not None and not question.decided.done() and not question.heard


def _words(invocation: Invocation) -> str:
    assert invocation.outcome is not None
    return " ".join(invocation.outcome.say.split())
