"""Puts an agent's tools together for one call: the gate and the parts around it."""

from collections.abc import Callable, Iterable, Sequence

from livekit.agents import AgentSession, ConversationItemAddedEvent
from livekit.agents.llm import ChatMessage

from agent_worker.metrics import Metrics
from agent_worker.tools.client_actions import ClientActions
from agent_worker.tools.confirmations import CallersPage
from agent_worker.tools.events import GateEvents
from agent_worker.tools.gate import Gate
from agent_worker.tools.guarded_agent import GuardedAgent
from agent_worker.tools.guards import SETTLE_S
from agent_worker.tools.invocations import Invocation
from agent_worker.tools.journal import Journal, Lease
from agent_worker.tools.page_rpc import PageRpc
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.restore import restore
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.tools.tool import Caller, Tool
from agent_worker.tools.toolset import GuardedToolset
from call_record.clock import Clock
from call_record.journal import Recorded
from voice_contract.actions import Action, ClientAction
from voice_contract.confirmations import Confirmations

Push = Callable[[Confirmations | ClientAction], None]


class CallTools:
    """
    The gate of one call and the parts around it.

    Args:
        push: Sends a message to the caller's page, and to no one else.
        secret: The key of the call's journal; idempotency keys are derived from it.
        time_zone: In which the caller says "tomorrow": an IANA name; empty: the machine's.
    """

    def __init__(
        self,
        *,
        caller: Caller,
        tools: Sequence[Tool],
        resources: Iterable[object],
        journal: Journal,
        lease: Lease,
        metrics: Metrics,
        push: Push = lambda _: None,
        phrases: GatePhrases | None = None,
        call_max: int | None = None,
        clock: Clock | None = None,
        settle_s: float = SETTLE_S,
        secret: bytes,
        time_zone: str = "",
    ) -> None:
        phrases = phrases or GatePhrases()
        self._journal = journal
        self.page = CallersPage()
        self.actions = ClientActions(journal, metrics, push)
        self.delivery = ResultDelivery(phrases)
        self.gate = Gate(
            caller=caller,
            tools=tools,
            resources=resources,
            journal=journal,
            lease=lease,
            metrics=metrics,
            page=self.page,
            events=_Events(push, self.actions, self.delivery),
            phrases=phrases,
            call_max=call_max,
            clock=clock,
            settle_s=settle_s,
            secret=secret,
            time_zone=time_zone,
        )
        self.questions = self.gate.questions
        self.toolset = GuardedToolset(self.gate, self.delivery)
        self.page_rpc = PageRpc(caller, self.page, self.questions, self.actions)

    def restore(self, recorded: Iterable[Recorded]) -> None:
        """Continue where the agent before this one stopped; after the claim, before `follow`."""
        restore(self.gate, self.delivery, self._journal, recorded)

    def follow(self, session: AgentSession[None], agent: GuardedAgent) -> None:
        """
        Follow what is said in *session*, which has started with *agent*.

        Raises: Unguarded: one of their tools bypasses the gate.
        """
        self.toolset.check([*session.tools, *agent.tools])
        session.on("conversation_item_added", self._on_item)
        self.gate.floor.follow(session)
        self.delivery.follow(session)

    def page_gone(self) -> None:
        """The caller's page is gone: what it showed, and whether it can, is no longer known."""
        self.questions.forget_page()

    def close(self) -> None:
        """The call is over: nothing new starts, nothing more is told."""
        self.delivery.stop()
        self.gate.close()

    def leave(self) -> None:
        """The call goes on with another agent: nothing new starts, nothing more is told."""
        self.delivery.stop()
        self.gate.leave()

    async def aclose(self) -> None:
        """Wait for writes that are under way."""
        await self.gate.aclose()

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        message = event.item
        if not isinstance(message, ChatMessage):
            return
        if message.role == "user":
            self.gate.turn_began(message.id)
        elif message.role == "assistant":
            self.gate.said(message.text_content or "", interrupted=message.interrupted)
        self.delivery.turn_ended(message)


class _Events(GateEvents):
    """Takes what happens in the gate to the caller's page and to the delivery of results."""

    def __init__(self, push: Push, actions: ClientActions, delivery: ResultDelivery) -> None:
        self._push = push
        self._actions = actions
        self._delivery = delivery

    def questions_changed(self, questions: Confirmations) -> None:
        self._push(questions)

    def action_suggested(self, action: Action) -> None:
        self._actions.suggest(action)

    def settled(self, invocation: Invocation) -> None:
        self._delivery.settled(invocation)
