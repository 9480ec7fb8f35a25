"""Logs and counts a session's events."""

from typing import Any

import structlog
from livekit.agents import (
    AgentSession,
    AgentStateChangedEvent,
    APIStatusError,
    CloseEvent,
    ConversationItemAddedEvent,
    ErrorEvent,
)

from agent_worker.metrics import Metrics

log = structlog.get_logger()

TURN_PARTS = (
    "transcription_delay",
    "end_of_turn_delay",
    "on_user_turn_completed_delay",
    "llm_node_ttft",
    "tts_node_ttfb",
    "playback_latency",
    "e2e_latency",
)


def follow(session: AgentSession[Any], metrics: Metrics) -> None:
    """Log and count what happens in *session*, without what people say."""

    def on_turn(event: ConversationItemAddedEvent) -> None:
        item = event.item
        if item.type != "message" or item.role not in ("user", "assistant"):
            return
        speaker = "caller" if item.role == "user" else "agent"
        parts_s: dict[str, float] = {
            part: value
            for part, value in dict(item.metrics).items()
            if part in TURN_PARTS and isinstance(value, int | float)
        }
        metrics.turn(speaker, parts_s)
        log.info(
            "turn.completed",
            speaker=speaker,
            chars=len(item.text_content or ""),
            interrupted=item.interrupted,
            **{f"{part}_ms": round(value * 1000) for part, value in parts_s.items()},
        )

    def on_error(event: ErrorEvent) -> None:
        kind = str(getattr(event.error, "type", "unknown")).removesuffix("_error")
        error = event.error.error
        metrics.provider_error(kind, str(getattr(error, "cause", "error")))
        log.warning("provider.failed", provider=kind, error=_without_body(error))

    def on_agent_state(event: AgentStateChangedEvent) -> None:
        log.info("agent.state_changed", old=event.old_state, new=event.new_state)

    def on_close(event: CloseEvent) -> None:
        log.info("session.closed", reason=str(event.reason))

    session.on("conversation_item_added", on_turn)
    session.on("error", on_error)
    session.on("agent_state_changed", on_agent_state)
    session.on("close", on_close)


def _without_body(error: Exception) -> str:
    """What a provider's *error* is; its answer may repeat what people said."""
    if isinstance(error, APIStatusError):
        return f"HTTP {error.status_code}"
    return str(error)


def usage(session: AgentSession[Any]) -> dict[str, float]:
    """The amounts that the providers report, such as `stt_audio_duration`, summed over models."""
    amounts: dict[str, float] = {}
    for model in session.usage.model_usage:
        kind = model.type.removesuffix("_usage")
        for name, value in model.model_dump(exclude={"type"}).items():
            if isinstance(value, int | float) and value:
                amounts[f"{kind}_{name}"] = amounts.get(f"{kind}_{name}", 0) + value
    return amounts
