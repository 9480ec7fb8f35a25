"""Builds LiveKit's session, tuned for low latency: see docs/performance.md."""

from collections.abc import Callable, Iterable

from livekit.agents import AgentSession, APIConnectOptions
from livekit.agents.llm import Toolset

from agent_worker.agent import AgentDefinition
from agent_worker.livekit_compat import connect_options
from agent_worker.model.health import Health
from agent_worker.reasoning.encoder import Encoder
from agent_worker.reasoning.known_numbers import KnownNumbers
from agent_worker.reasoning.llm import Replied
from agent_worker.settings import WorkerSettings
from agent_worker.voice.clauses import by_clause, plain
from agent_worker.voice.noise_gate import CallerVAD
from agent_worker.voice.providers import build_llm, build_stt, build_tts
from agent_worker.voice.turn_detector import GrammarTurnDetector
from agent_worker.waits import Waits


def build_session(
    settings: WorkerSettings,
    agent: AgentDefinition,
    waits: Waits,
    toolset: Toolset,
    on_stt_failure: Callable[[Exception], None],
    *,
    numbers: Iterable[KnownNumbers] = (),
    asked: Callable[[], Iterable[str]] = tuple,
    encoder: Encoder | None = None,
    health: Health | None = None,
    replied: Callable[[Replied], None] = lambda _: None,
) -> AgentSession[None]:
    """
    A session of *agent* whose only tools are those in *toolset*.

    Args:
        numbers: Tell whether a number that the caller says is whole.
        asked: The words of each question that waits for a yes or a no.
        encoder: Has opinions for the agent's templates.
        health: Which models failed lately.
        replied: Told who has answered what went to the models.
    Raises: SettingsError: a provider cannot be made.
    """
    llm = build_llm(settings, agent, encoder, health=health, replied=replied)
    return AgentSession(
        stt=build_stt(settings, on_stt_failure, agent.vocabulary),
        tts=by_clause(build_tts(settings)),
        llm=llm,
        vad=CallerVAD(min_silence_duration=waits.pause_s),
        tools=[toolset],
        tts_text_transforms=[plain],
        turn_handling={
            "turn_detection": GrammarTurnDetector(
                agent.templates,
                waits,
                numbers=numbers,
                asked=asked,
                has_model=llm.remote is not None,
                encoder=encoder,
            ),
            "endpointing": {"min_delay": waits.complete_s, "max_delay": waits.may_go_on_s},
            "interruption": {
                "mode": "vad",
                "min_duration": waits.interruption_s,
                "false_interruption_timeout": waits.resume_s,
            },
            "preemptive_generation": {"enabled": True, "preemptive_tts": True},
        },
        conn_options=connect_options(
            stt=APIConnectOptions(max_retry=1, timeout=5, retry_interval=0.2),
            llm=APIConnectOptions(max_retry=0, timeout=10),
            tts=APIConnectOptions(max_retry=1, timeout=5, retry_interval=0.2),
            # The framework would silently close the session. Ours announces errors and goes on.
            errors_max=10_000,
        ),
        user_away_timeout=waits.silence_s,
        transcription_timeout=waits.unheard_s,
        aec_warmup_duration=waits.echo_s,
    )
