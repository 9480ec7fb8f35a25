"""A call of the shop's agent as far as its tools go: through the gate, with a willing caller."""

import asyncio
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from livekit.agents.llm import ToolError

from agent_worker.metrics import Metrics
from agent_worker.tools.confirmations import CallersPage
from agent_worker.tools.gate import Gate
from agent_worker.tools.invocations import Proposal
from agent_worker.tools.journal import AlwaysOurs, MemoryJournal
from agent_worker.tools.tool import Answer, Caller
from call_record.clock import SystemClock
from examples.storefront.agent import AGENT
from examples.storefront.agent.client import ShopClient
from voice_contract.confirmations import ConfirmationVote

CALL_ID = "call-1"
NOW = datetime(2026, 11, 18, 10, 15, tzinfo=UTC)
"""A Wednesday."""


@dataclass
class StoppedClock(SystemClock):
    """Stands still at *at* for people; deadlines pass."""

    at: datetime

    def now_ms(self) -> int:
        return int(self.at.timestamp() * 1000)


class ShopCall:
    """The gate with the shop's tools."""

    def __init__(self, shop: ShopClient) -> None:
        self.journal = MemoryJournal()
        self.questions: list[str] = []
        """What the caller was asked."""
        self.gate = Gate(
            caller=Caller("caller-1", CALL_ID),
            tools=AGENT.tools,
            resources=(shop,),
            journal=self.journal,
            lease=AlwaysOurs(),
            metrics=Metrics(None),
            secret=b"key of the call",
            page=CallersPage(has_cards=True),
            settle_s=0.0,
            clock=StoppedClock(NOW),
            time_zone="UTC",
        )
        self._questions = self.gate.questions
        self._turns = itertools.count(1)

    async def ask(self, name: str, **arguments: Any) -> Answer:
        """Propose a tool; a question is answered with yes. ToolError: it was not done."""
        turn = f"turn-{next(self._turns)}"
        invocation = self.gate.propose(
            Proposal(name, arguments, function_call_id=turn, turn_id=turn)
        )
        assert invocation.task is not None
        asked = asyncio.ensure_future(invocation.asked.wait())
        either: set[asyncio.Future[Any]] = {invocation.task, asked}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if invocation.question is not None:
            self.questions.append(invocation.question.title)
            vote = ConfirmationVote(
                id=invocation.question.id, digest=invocation.question.digest, approved=True
            )
            self._questions.vote(vote, "screen", "caller-1")
        outcome = await invocation.task
        if outcome.answer is None:
            raise ToolError(outcome.say)
        return outcome.answer
