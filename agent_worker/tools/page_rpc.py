"""Where the caller's page comes in: RPC methods that serve nobody else."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from livekit import rtc
from pydantic import BaseModel, ValidationError

from agent_worker.tools.client_actions import ClientActions
from agent_worker.tools.gate import Gate
from voice_contract.actions import ActionReport
from voice_contract.confirmations import ConfirmationVote
from voice_contract.names import ACTION_OUTCOME_METHOD, CONFIRM_METHOD, CONFIRMATIONS_METHOD

log = structlog.get_logger()

PAYLOAD_MAX_BYTES = 4_096
FORBIDDEN = 1403
MALFORMED = 1400
Handler = Callable[[rtc.RpcInvocationData], Awaitable[str]]
M = TypeVar("M", bound=BaseModel)


class PageRpc:
    """Serves one caller's page."""

    def __init__(self, gate: Gate, actions: ClientActions) -> None:
        self._gate = gate
        self._actions = actions

    @property
    def methods(self) -> dict[str, Handler]:
        """RPC methods by name, to be registered in the room before the caller comes."""
        return {
            CONFIRMATIONS_METHOD: self.confirmations,
            CONFIRM_METHOD: self.confirm,
            ACTION_OUTCOME_METHOD: self.action_outcome,
        }

    async def confirmations(self, call: rtc.RpcInvocationData) -> str:
        """All open questions; who asks shows them."""
        self._check_sender(call, CONFIRMATIONS_METHOD)
        self._gate.guards.has_cards = True
        return self._gate.questions.listing().model_dump_json()

    async def confirm(self, call: rtc.RpcInvocationData) -> str:
        """
        The caller's vote. It is only recorded here, since the caller's client cancels what takes
        it too long.
        """
        self._check_sender(call, CONFIRM_METHOD)
        vote = self._payload(call, ConfirmationVote)
        return self._gate.questions.vote(vote, "screen", call.caller_identity).model_dump_json()

    async def action_outcome(self, call: rtc.RpcInvocationData) -> str:
        """What came of a client action."""
        self._check_sender(call, ACTION_OUTCOME_METHOD)
        if not self._actions.report(self._payload(call, ActionReport)):
            raise rtc.RpcError(MALFORMED, "There is no such action.")
        return ""

    def _check_sender(self, call: rtc.RpcInvocationData, method: str) -> None:
        if call.caller_identity == self._gate.caller.identity:
            return
        log.warning("rpc.refused", method=method, sender=call.caller_identity)
        if method == CONFIRM_METHOD:
            self._gate.questions.refuse("", call.caller_identity, "stranger")
        raise rtc.RpcError(FORBIDDEN, "Only the caller may do this.")

    def _payload(self, call: rtc.RpcInvocationData, model: type[M]) -> M:
        try:
            if len(call.payload.encode()) > PAYLOAD_MAX_BYTES:
                raise ValueError("too large")
            return model.model_validate_json(call.payload)
        except (ValidationError, ValueError):
            log.warning("rpc.malformed", bytes=len(call.payload))
            raise rtc.RpcError(MALFORMED, "Malformed.") from None
