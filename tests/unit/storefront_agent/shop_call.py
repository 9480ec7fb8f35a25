"""A call of the shop's agent as far as its tools go: through the gate, with a willing caller."""

import asyncio
import itertools
from typing import Any

from livekit.agents.llm import ToolError

from agent_worker.metrics import Metrics
from agent_worker.tools.gate import Gate, Proposal
from agent_worker.tools.journal import AlwaysOurs, MemoryJournal
from agent_worker.tools.tool import Answer, Caller
from examples.storefront.agent import AGENT
from examples.storefront.agent.client import ShopClient
from voice_contract.confirmations import ConfirmationVote

CALL_ID = "call-1"


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
            settle_s=0.0,
        )
        self.gate.guards.has_cards = True
        self._turns = itertools.count(1)

    async def ask(self, name: str, **arguments: Any) -> Answer:
        """Call a tool; a question is answered with yes. ToolError: it was not done."""
        turn = f"turn-{next(self._turns)}"
        job = self.gate.propose(Proposal(name, arguments, function_call_id=turn, turn_id=turn))
        assert job.task is not None
        asked = asyncio.ensure_future(job.asked.wait())
        either: set[asyncio.Future[Any]] = {job.task, asked}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if job.question is not None:
            self.questions.append(job.question.title)
            vote = ConfirmationVote(id=job.question.id, digest=job.digest, approved=True)
            self.gate.questions.vote(vote, "screen", "caller-1")
        outcome = await job.task
        if outcome.answer is None:
            raise ToolError(outcome.say)
        return outcome.answer
