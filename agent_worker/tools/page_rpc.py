"""The RPC methods for the caller's page; any other participant is refused."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from livekit import rtc
from pydantic import BaseModel, ValidationError

from agent_worker.refusals import FORBIDDEN, MALFORMED
from agent_worker.tools.client_actions import ClientActions
from agent_worker.tools.confirmations import CallersPage, Questions
from agent_worker.tools.tool import Caller
from voice_contract.actions import ActionReport
from voice_contract.confirmations import CardsShown, ConfirmationVote
from voice_contract.names import ACTION_OUTCOME_METHOD, CONFIRM_METHOD, CONFIRMATIONS_METHOD

PAYLOAD_MAX_BYTES = 4_096
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
            shown = self.payload(request, CONFIRMATIONS_METHOD, CardsShown).shown
            self._questions.acknowledge(shown)
        self._page.has_cards = True
        return self._questions.listing().model_dump_json()

    async def confirm(self, request: rtc.RpcInvocationData) -> str:
        """The caller's vote. It is only recorded here: the caller's client does not wait long."""
        vote = self.payload(request, CONFIRM_METHOD, ConfirmationVote)
        return self._questions.vote(vote, "screen", request.caller_identity).model_dump_json()

    async def action_outcome(self, request: rtc.RpcInvocationData) -> str:
        """The outcome of a client action."""
        report = self.payload(request, ACTION_OUTCOME_METHOD, ActionReport)
        if not self._actions.report(report):
            raise rtc.RpcError(MALFORMED, "There is no such action.")
        return ""

    def _check_sender(self, request: rtc.RpcInvocationData, method: str) -> None:
        if request.caller_identity == self._caller.identity:
            return
        if method == CONFIRM_METHOD:
            self._questions.refuse("", request.caller_identity, "stranger")
        raise rtc.RpcError(FORBIDDEN, "Only the caller may do this.")

    def payload(self, request: rtc.RpcInvocationData, method: str, model: type[M]) -> M:
        """
        What the caller's page sends with *request*, a call of *method*.

        Raises: RpcError: somebody else sends it, or it is no *model*.
        """
        self._check_sender(request, method)
        try:
            if len(request.payload.encode()) > PAYLOAD_MAX_BYTES:
                raise ValueError("too large")
            return model.model_validate_json(request.payload)
        except (ValidationError, ValueError):
            raise rtc.RpcError(MALFORMED, "Malformed.") from None
