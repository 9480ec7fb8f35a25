"""Client actions: what the caller's page is asked to do, and what it reports."""

import secrets
from collections.abc import Callable

import structlog

from agent_worker.metrics import Metrics
from agent_worker.tools.journal import Journal
from voice_contract.actions import Action, ActionReport, ClientAction
from voice_contract.journal import ClientActionOutcome, ClientActionProposed

log = structlog.get_logger()

CALL_MAX = 50
"""Actions in one call."""


class ClientActions:
    """
    The actions of one call.

    Args: push: Sends an action to the caller's page.
    """

    def __init__(
        self, journal: Journal, metrics: Metrics, push: Callable[[ClientAction], None]
    ) -> None:
        self._journal = journal
        self._metrics = metrics
        self._push = push
        self._open: dict[str, str] = {}
        self._reported: set[str] = set()
        self._suggested = 0

    def suggest(self, action: Action) -> None:
        """Ask the page to do *action*; the page decides whether it does."""
        if self._suggested >= CALL_MAX:
            log.warning("action.not_suggested", action=action.action, reason="too many")
            return
        self._suggested += 1
        action_id = secrets.token_hex(8)
        self._open[action_id] = action.action
        self._journal.write(
            ClientActionProposed(
                action_id=action_id,
                action=action.action,
                arguments=action.model_dump(mode="json", exclude={"action"}),
            )
        )
        self._push(ClientAction(id=action_id, action=action))

    def report(self, report: ActionReport) -> bool:
        """Record an outcome from the page, once. Returns: whether its action was suggested here."""
        action = self._open.pop(report.id, None)
        if action is None:
            return report.id in self._reported
        self._reported.add(report.id)
        self._metrics.client_action(action, report.outcome)
        self._journal.write(
            ClientActionOutcome(action_id=report.id, outcome=report.outcome, detail=report.detail)
        )
        return True
