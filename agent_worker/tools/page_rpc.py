"""The RPC methods for the caller's page; any other participant is refused."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from livekit import rtc
from pydantic import BaseModel, ValidationError

from agent_worker.tools.client_actions import ClientActions
from agent_worker.tools.confirmations import CallersPage, Questions
from agent_worker.tools.tool import Caller
from voice_contract.actions import ActionReport
from voice_contract.confirmations import CardsShown, ConfirmationVote
from voice_contract.names import ACTION_OUTCOME_METHOD, CONFIRM_METHOD, CONFIRMATIONS_METHOD

log = structlog.get_logger()

PAYLOAD_MAX_BYTES = 4_096
FORBIDDEN = 1403
MALFORMED = 1400
Handler = Callable[[rtc.RpcInvocationData], Awaitable[str]]
M = TypeVar("M", bound=BaseModel)


class PageRpc:
    """The methods for one caller's page."""

    def __init__(
        self, caller: Caller, page: CallersPage, questions: Questions, actions: ClientActions
    ) -> None:
        self._caller = caller
        self._page = page
        self._questions = questions
        self._actions = actions

    @property
    def methods(self) -> dict[str, Handler]:
        """RPC methods by name; register them in the room before the caller joins."""
        return {
            CONFIRMATIONS_METHOD: self.confirmations,
            CONFIRM_METHOD: self.confirm,
            ACTION_OUTCOME_METHOD: self.action_outcome,
        }

    async def confirmations(self, request: rtc.RpcInvocationData) -> str:
        """
        All open questions. A page that asks for them shows them as cards, and says which it shows.
        """
        self._check_sender(request, CONFIRMATIONS_METHOD)
        if request.payload:
            self._questions.acknowledge(self._payload(request, CardsShown).shown)
        self._page.has_cards = True
        return self._questions.listing().model_dump_json()

    async def confirm(self, request: rtc.RpcInvocationData) -> str:
        """The caller's vote. It is only recorded here: the caller's client does not wait long."""
        self._check_sender(request, CONFIRM_METHOD)
        vote = self._payload(request, ConfirmationVote)
        return self._questions.vote(vote, "screen", request.caller_identity).model_dump_json()

    async def action_outcome(self, request: rtc.RpcInvocationData) -> str:
        """The outcome of a client action."""
        self._check_sender(request, ACTION_OUTCOME_METHOD)
        if not self._actions.report(self._payload(request, ActionReport)):
            raise rtc.RpcError(MALFORMED, "There is no such action.")
        return ""

    def _check_sender(self, request: rtc.RpcInvocationData, method: str) -> None:
        if request.caller_identity == self._caller.identity:
            return
        log.warning("rpc.refused", method=method)
        if method == CONFIRM_METHOD:
            self._questions.refuse("", request.caller_identity, "stranger")
        raise rtc.RpcError(FORBIDDEN, "Only the caller may do this.")

    def _payload(self, request: rtc.RpcInvocationData, model: type[M]) -> M:
        try:
            if len(request.payload.encode()) > PAYLOAD_MAX_BYTES:
                raise ValueError("too large")
            return model.model_validate_json(request.payload)
        except (ValidationError, ValueError):
            log.warning("rpc.malformed", bytes=len(request.payload))
            raise rtc.RpcError(MALFORMED, "Malformed.") from None
