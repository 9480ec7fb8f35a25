"""What happens in a gate, for the parts of a call around it."""

from agent_worker.tools.invocations import Invocation
from voice_contract.actions import Action
from voice_contract.confirmations import Confirmations


class GateEvents:
    """Called by the gate. Does nothing by itself: override what you need."""

    def questions_changed(self, questions: Confirmations) -> None:
        """A question was opened or decided; *questions* are those that are open now."""

    def action_suggested(self, action: Action) -> None:
        """A tool suggests *action* to the caller's page."""

    def settled(self, invocation: Invocation) -> None:
        """*invocation* has its outcome, or a late outcome has replaced "unknown"."""
