"""
Makes sure that the caller hears the result of every write.

A result counts as told once the caller has heard the agent's turn with it. If that turn was
interrupted, the agent tells the result again in the next pause.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import structlog
from livekit.agents import AgentSession
from livekit.agents.llm import ChatMessage, FunctionCallOutput

from agent_worker.livekit_compat import closing_errors, split_late
from agent_worker.reasoning import message_tags
from agent_worker.reasoning.message_tags import EXTRA
from agent_worker.tools.invocations import Invocation
from agent_worker.tools.phrases import GatePhrases

log = structlog.get_logger()

PAUSE_S = 1.0
"""How long the agent must have been silent before it tells a result again."""
TELLINGS_MAX = 2
"""How often a result is told again; a caller who always interrupts does not want to hear it."""
KEPT_MAX = 200


class ResultDelivery:
    """The results that the caller of one call has not heard yet."""

    def __init__(self, phrases: GatePhrases) -> None:
        self._phrases = phrases
        self._session: AgentSession[None] | None = None
        self._invocations: dict[str, Invocation] = {}
        """By the framework's function call id."""
        self._released: set[str] = set()
        self._waiting: dict[str, int] = {}
        self._untold: dict[str, Invocation] = {}
        self._unasked: list[Invocation] = []
        self._tellings: Counter[str] = Counter()
        self._saying: Invocation | None = None
        """Whose result is told again, or was last."""
        self._told: dict[str, tuple[str, ...]] = {}
        self._present = True
        self._stopped = False
        self._task: asyncio.Task[None] | None = None

    def follow(self, session: AgentSession[None]) -> None:
        """From now on, say in *session* what the caller has not heard."""
        self._session = session
        self._tell_again()

    def pause(self) -> None:
        """Tell nothing while the caller is away."""
        self._present = False

    def resume(self) -> None:
        """The caller is back."""
        self._present = True
        self._tell_again()

    def stop(self) -> None:
        """Tell nothing more."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

    @contextmanager
    def waiting(self, function_call_id: str, invocation: Invocation) -> Iterator[None]:
        """While the framework's function call of that id waits for the result of *invocation*."""
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
        """The conversation goes on before that function call has its result."""
        self._released.add(function_call_id)

    def settled(self, invocation: Invocation) -> None:
        """*invocation* has its outcome, or a late outcome has replaced "unknown"."""
        assert invocation.outcome is not None
        if invocation.quiet or invocation.outcome.kind in ("declined", "replaced", "ended"):
            return
        self._untold[invocation.id] = invocation
        while len(self._untold) > KEPT_MAX:
            del self._untold[next(iter(self._untold))]
        self._tell_again()

    def knows(self, invocation: Invocation) -> None:
        """The restored conversation has the result of *invocation*, under the invocation's id."""
        self._invocations[invocation.id] = invocation

    def ask_again(self, invocation: Invocation) -> None:
        """Ask the open question of *invocation* again: the agent before this one asked it."""
        self._unasked.append(invocation)
        self._tell_again()

    def results_in(self, outputs: Iterable[FunctionCallOutput]) -> dict[str, str]:
        """The invocations whose results are among *outputs*: the words of each, by its id."""
        found: dict[str, str] = {}
        for output in outputs:
            function_call_id, late = split_late(output.call_id)
            invocation = self._invocations.get(function_call_id)
            if invocation is not None and (late or function_call_id not in self._released):
                found[invocation.id] = _plain(message_tags.spoken(output))
        return found

    def told_by(self, message: ChatMessage) -> tuple[str, ...]:
        """The invocations whose results the caller heard in the agent's turn *message*."""
        if message.id not in self._told:
            mark = message.extra.get(EXTRA)
            meant = mark.get("tells", {}) if isinstance(mark, dict) else {}
            said = _plain(message.text_content or "")
            told: dict[str, str | None] = {}
            for invocation_id, invocation in sorted(
                self._untold.items(), key=lambda one: one[1] is not self._saying
            ):
                words = meant.get(invocation_id)
                # Several may have the same result: saying it once tells one of them.
                if words is None and None in told.values():
                    continue
                if self._is_told(invocation, said, words, message.interrupted):
                    told[invocation_id] = words
            self._told[message.id] = tuple(told)
            while len(self._told) > KEPT_MAX:
                del self._told[next(iter(self._told))]
        return self._told[message.id]

    def _is_told(
        self, invocation: Invocation, said: str, meant: str | None, interrupted: bool
    ) -> bool:
        """
        Whether *said* told the outcome that *invocation* has now.

        Args: meant: The words that the model was to tell of it. While they were said, an unknown
            outcome may have become known; and other results may have the same words.
        """
        words = _words(invocation)
        if meant is not None:
            return meant == words and (not interrupted or words in said)
        return said == _plain(self._phrase(invocation))

    def turn_ended(self, message: ChatMessage) -> None:
        """Note what was told in *message*, a turn of the caller or the agent."""
        if message.role == "assistant":
            for invocation_id in self.told_by(message):
                if invocation := self._untold.pop(invocation_id, None):
                    invocation.told = True
        self._tell_again()

    def _tell_again(self) -> None:
        if self._session is None or self._next() is None:
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._tell(self._session))

    def _next(self) -> Invocation | None:
        """The next open question or result of a write that the agent is not about to tell."""
        if not self._present or self._stopped:
            return None
        self._unasked = [invocation for invocation in self._unasked if _is_unheard(invocation)]
        untold = (one for one in self._untold.values() if one.writes and not one.told)
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
                self._saying = invocation
                await session.say(self._phrase(invocation))
        except closing_errors():
            log.info("result.not_told", reason="the session is closing")

    def _phrase(self, invocation: Invocation) -> str:
        if _is_unheard(invocation):
            assert invocation.question is not None
            return invocation.question.wording
        phrase = self._phrases.late if invocation.late else self._phrases.again
        return phrase.format(words=_words(invocation))


def _is_unheard(invocation: Invocation) -> bool:
    question = invocation.question
    return question is not None and invocation.is_asking and not question.heard


def _words(invocation: Invocation) -> str:
    assert invocation.outcome is not None
    return _plain(invocation.outcome.say)


def _plain(text: str) -> str:
    return " ".join(text.split())
