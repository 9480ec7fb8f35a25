"""Names on the wire that are Parley's own. LiveKit's own names (`lk.*`) stay LiveKit's."""

MESSAGE_TOPIC = "parley.message"
"""Text stream topic, agent to caller: one `AgentMessage` as JSON a stream."""

HANG_UP_METHOD = "parley.hang_up"
"""RPC method of the agent: the caller ends the call. Empty payload, empty answer."""

AGENT_IDENTITY_PREFIX = "agent-"


def agent_identity(call_id: str, attempt: int) -> str:
    """The agent's identity in the room: `agent-<call_id>-<attempt>`."""
    return f"{AGENT_IDENTITY_PREFIX}{call_id}-{attempt}"
