"""Lets a tool control the call itself."""

from abc import ABC, abstractmethod
from typing import Literal

from agent_worker.tools.tool import Answer, tool

AgentEndReason = Literal["agent", "not-understood"]


class CallControl(ABC):
    """Injected into tools that control the call."""

    @abstractmethod
    def end_after_reply(self, reason: AgentEndReason) -> None:
        """End the call when the agent's next words have been heard."""


@tool(effect="read")
async def end_call(
    reason: AgentEndReason = "agent",
    say: str = "Thank you for calling. Goodbye.",
    *,
    call: CallControl,
) -> Answer:
    """End the call politely, when the caller says goodbye or needs nothing more."""
    call.end_after_reply(reason)
    return Answer(say=say)
