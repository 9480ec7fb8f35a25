"""All that a session needs to have an agent's tools, put together."""

from collections.abc import Callable, Iterable, Sequence

from livekit.agents import AgentSession

from agent_worker.metrics import Metrics
from agent_worker.tools.client_actions import ClientActions
from agent_worker.tools.gate import Gate
from agent_worker.tools.guarded_agent import GuardedAgent
from agent_worker.tools.guards import SETTLE_S
from agent_worker.tools.journal import Journal, Lease
from agent_worker.tools.page_rpc import PageRpc
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.restore import restore
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.tools.tool import Caller, Tool
from agent_worker.tools.toolset import GuardedToolset
from call_record.clock import Clock
from call_record.journal import Recorded
from voice_contract.actions import ClientAction
from voice_contract.confirmations import Confirmations

Push = Callable[[Confirmations | ClientAction], None]


class CallTools:
    """
    The gate of one call with what is around it.

    Args: push: Sends a message to the caller's page, and to nobody else.
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
    ) -> None:
        self.gate = Gate(
            caller=caller,
            tools=tools,
            resources=resources,
            journal=journal,
            lease=lease,
            metrics=metrics,
            phrases=phrases,
            call_max=call_max,
            clock=clock,
            settle_s=settle_s,
        )
        self.delivery = ResultDelivery(self.gate)
        self.toolset = GuardedToolset(self.gate, self.delivery)
        self.actions = ClientActions(journal, metrics, push)
        self.page_rpc = PageRpc(self.gate, self.actions)
        self.gate.act = self.actions.suggest
        self.gate.changed = lambda: push(self.gate.questions.listing())

    def restore(self, recorded: Iterable[Recorded]) -> None:
        """Go on where the agent before this one stopped; before `follow`, when the call is ours."""
        restore(self.gate, self.delivery, recorded)

    def follow(self, session: AgentSession[None], agent: GuardedAgent) -> None:
        """
        Begin to listen, when *session* has started with *agent*.

        Raises: Unguarded: one of their tools bypasses the gate.
        """
        self.toolset.check([*session.tools, *agent.tools])
        self.delivery.follow(session)

    def close(self) -> None:
        """The call is over: nothing new starts, nothing more is told."""
        self.delivery.stop()
        self.gate.close()

    def leave(self) -> None:
        """The call goes on with another agent: nothing new starts, nothing more is told."""
        self.delivery.stop()
        self.gate.leave()

    async def aclose(self) -> None:
        """Wait for writes that are on their way."""
        self.delivery.stop()
        await self.gate.aclose()
