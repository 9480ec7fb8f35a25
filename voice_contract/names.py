"""Names on the wire that are Parley's own. LiveKit's own names (`lk.*`) stay LiveKit's."""

MESSAGE_TOPIC = "parley.message"
"""Text stream topic, agent to caller: one `AgentMessage` as JSON a stream."""

HANG_UP_METHOD = "parley.hang_up"
"""RPC method of the agent: the caller ends the call. Empty payload, empty answer."""

CONFIRMATIONS_METHOD = "parley.confirmations"
"""
RPC method of the agent: its open questions. `CardsShown` or an empty payload; answers
`Confirmations`. A page that calls it shows cards.
"""

CONFIRM_METHOD = "parley.confirm"
"""RPC method of the agent: the caller's vote. `ConfirmationVote`; answers `ConfirmationResult`."""

ACTION_OUTCOME_METHOD = "parley.action_outcome"
"""RPC method of the agent: the outcome of a client action. `ActionReport`; answers nothing."""

CALLER_STATE_METHOD = "parley.caller_state"
"""RPC method of the agent: why the caller may be silent. `CallerState`; answers nothing."""

AGENT_IDENTITY_PREFIX = "agent-"


def agent_identity(call_id: str, attempt: int) -> str:
    """The agent's identity in the room: `agent-<call_id>-<attempt>`."""
    return f"{AGENT_IDENTITY_PREFIX}{call_id}-{attempt}"
