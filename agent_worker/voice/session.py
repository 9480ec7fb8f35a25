"""Builds LiveKit's session, tuned for low latency: see docs/performance.md."""

from collections.abc import Callable

from livekit.agents import AgentSession, APIConnectOptions, inference
from livekit.agents.llm import Toolset

from agent_worker.agent import AgentDefinition
from agent_worker.livekit_compat import connect_options
from agent_worker.settings import WorkerSettings
from agent_worker.voice.providers import build_llm, build_stt, build_tts
from agent_worker.voice.reprompts import TRANSCRIPTION_TIMEOUT_S
from agent_worker.voice.turn_detector import GrammarTurnDetector

VAD_SILENCE_S = 0.15


def build_session(
    settings: WorkerSettings,
    agent: AgentDefinition,
    toolset: Toolset,
    on_stt_failure: Callable[[Exception], None],
) -> AgentSession[None]:
    """
    A session of *agent* whose only tools are those in *toolset*.

    Raises: SettingsError: a provider cannot be made.
    """
    return AgentSession(
        stt=build_stt(settings, on_stt_failure),
        tts=build_tts(settings),
        llm=build_llm(settings, agent),
        vad=inference.VAD(min_silence_duration=VAD_SILENCE_S),
        tools=[toolset],
        turn_handling={
            "turn_detection": GrammarTurnDetector(agent.templates),
            "endpointing": {"min_delay": 0.25, "max_delay": 1.3},
            "interruption": {"mode": "vad", "min_duration": 0.3},
            "preemptive_generation": {"enabled": True, "preemptive_tts": True},
        },
        conn_options=connect_options(
            stt=APIConnectOptions(max_retry=1, timeout=5, retry_interval=0.2),
            llm=APIConnectOptions(max_retry=0, timeout=10),
            tts=APIConnectOptions(max_retry=1, timeout=5, retry_interval=0.2),
            # The framework would silently close the session. Ours announces errors and goes on.
            errors_max=10_000,
        ),
        user_away_timeout=settings.silence_s,
        transcription_timeout=TRANSCRIPTION_TIMEOUT_S,
        aec_warmup_duration=1.0,
    )
