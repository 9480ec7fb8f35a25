"""Builds the speech and model providers that the settings name."""

import inspect
import json
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, get_type_hints

import httpx2 as httpx
from livekit.agents import inference
from livekit.agents import stt as lk_stt
from livekit.agents import tts as lk_tts
from livekit.agents.llm import LLM
from livekit.plugins import openai
from openai import AsyncOpenAI
from pydantic import ConfigDict, PydanticUserError, SecretStr, TypeAdapter, ValidationError

from agent_worker.agent import AgentDefinition
from agent_worker.mistakes import problem
from agent_worker.model.health import Health
from agent_worker.model.reply import Bounds
from agent_worker.reasoning.embeddings import Embeddings
from agent_worker.reasoning.encoder import Encoder
from agent_worker.reasoning.llm import AgentLLM, Replied
from agent_worker.settings import FallbackModel, WorkerSettings
from agent_worker.voice.preflight import PAUSE_S, PreflightSTT
from service_base import named_class
from service_base.settings import SettingsError

# Read once for all calls, because reading it blocks the event loop for 50 ms.
_TLS = ssl.create_default_context()
FALLBACKS = "PARLEY_LLM_FALLBACKS"
_OURS = frozenset({"api_key", "base_url", "timeout", "max_retries", "vad"})
"""Arguments of LiveKit's openai plugin that are settings of their own, or that JSON cannot give."""


def build_stt(
    settings: WorkerSettings,
    on_failure: Callable[[Exception], None],
    vocabulary: Sequence[str] = (),
) -> lk_stt.STT[Any]:
    """
    The recognizer. One that cannot stream is wrapped, so that it transcribes ahead of time.

    Args: vocabulary: Words and names that callers say, for a recognizer that takes such a hint.
    Raises: SettingsError: the plugin cannot be loaded, or does not know one of its options.
    """
    hint: dict[str, Any] = {}
    if vocabulary and settings.stt == "openai":
        hint["prompt"] = ", ".join(vocabulary)
    elif vocabulary and settings.stt_vocabulary_option:
        hint[settings.stt_vocabulary_option] = list(vocabulary)
    # What an operator has chosen goes before what the agent says.
    options = {**hint, **settings.stt_options}
    recognizer: lk_stt.STT[Any] = (
        _openai(
            "PARLEY_STT",
            openai.STT,
            {"language": "en", **options},
            client=_client(settings.stt_base_url, settings.stt_api_key),
            model=settings.stt_model,
        )
        if settings.stt == "openai"
        else _plugin("PARLEY_STT", settings.stt, options, lk_stt.STT)
    )
    if recognizer.capabilities.streaming:
        return recognizer
    return PreflightSTT(recognizer, inference.VAD(min_silence_duration=PAUSE_S), on_failure)


def build_tts(settings: WorkerSettings, *, is_awaited: bool = True) -> lk_tts.TTS[Any]:
    """
    The voice.

    Args: is_awaited: False: nobody waits to hear it. It is said to the server in the HTTP header
        `Priority`, which ours heeds.
    Raises: SettingsError: the plugin cannot be loaded, or does not know one of its options.
    """
    voice: lk_tts.TTS[Any] = (
        _openai(
            "PARLEY_TTS",
            openai.TTS,
            {"response_format": "pcm", **settings.tts_options},
            client=_client(
                settings.tts_base_url,
                settings.tts_api_key,
                headers={} if is_awaited else {"Priority": "u=7"},
            ),
            model=settings.tts_model,
            voice=settings.tts_voice,
        )
        if settings.tts == "openai"
        else _plugin("PARLEY_TTS", settings.tts, settings.tts_options, lk_tts.TTS)
    )
    return voice


def build_llm(
    settings: WorkerSettings,
    agent: AgentDefinition,
    encoder: Encoder | None = None,
    *,
    health: Health | None = None,
    replied: Callable[[Replied], None] = lambda _: None,
) -> AgentLLM:
    """
    The model of the session: the agent's templates, remote models, or both.

    Args:
        health: Which models failed lately.
        replied: Told who has answered what went to the models.
    Raises: SettingsError: a model is wanted and none is set, a plugin cannot be loaded, or it does
        not know one of its options.
    """
    if settings.llm == "openai":
        # Also while no model is set: it may be set later, by who does not look for old mistakes.
        _check_openai("PARLEY_LLM", openai.LLM, settings.llm_options, {"client", "model"})
    if settings.mode == "templates":
        if settings.llm_fallbacks and not settings.llm_base_url:
            raise SettingsError(f"{FALLBACKS}: there is no first model, PARLEY_LLM_BASE_URL.")
        return AgentLLM(agent, encoder=encoder)
    if settings.llm == "openai" and not (settings.llm_base_url and settings.llm_model):
        raise SettingsError(
            f"PARLEY_LLM_BASE_URL and PARLEY_LLM_MODEL: both are needed for "
            f"PARLEY_REASONING={settings.mode}."
        )
    first = FallbackModel.model_construct(
        plugin=settings.llm,
        base_url=settings.llm_base_url,
        model=settings.llm_model,
        api_key=settings.llm_api_key,
        options=settings.llm_options,
    )
    return AgentLLM(
        agent,
        _model("PARLEY_LLM", first),
        *(_model(FALLBACKS, one) for one in settings.llm_fallbacks),
        templates=settings.mode == "templates-first",
        bounds=Bounds(
            first_s=settings.llm_timeout_s,
            silence_s=settings.llm_timeout_s,
            bridge_s=agent.waits.with_settings(settings.waits).moment_s,
            words_max=agent.reply_words_max,
        ),
        hedge_s=settings.llm_hedge_s,
        health=health,
        replied=replied,
    )


def _model(variable: str, chosen: FallbackModel) -> LLM[Any]:
    if chosen.plugin != "openai":
        found: LLM[Any] = _plugin(variable, chosen.plugin, chosen.options, LLM)
        return found
    made: LLM[Any] = _openai(
        variable,
        openai.LLM,
        chosen.options,
        client=_client(chosen.base_url, chosen.api_key),
        model=chosen.model,
    )
    return made


def build_embeddings(settings: WorkerSettings) -> Embeddings | None:
    """The sentence encoder; None: there is none, or a model answers what it would be asked."""
    if not settings.encoder_url or settings.mode != "templates":
        return None
    client = _client(settings.encoder_url, settings.encoder_api_key)
    return Embeddings(client, settings.encoder_model)


def _client(
    base_url: str, api_key: SecretStr, headers: Mapping[str, str] | None = None
) -> AsyncOpenAI:
    http = httpx.AsyncClient(verify=_TLS, timeout=httpx.Timeout(60, connect=3))
    return AsyncOpenAI(
        base_url=base_url,
        api_key=api_key.get_secret_value(),
        max_retries=0,
        http_client=http,
        default_headers=headers,
    )


def _openai(variable: str, plugin: Callable[..., Any], options: dict[str, Any], **own: Any) -> Any:
    """An object of LiveKit's openai plugin: *own* by settings of their own, *options* beside."""
    _check_openai(variable, plugin, options, own.keys())
    try:
        return plugin(**own, **options)
    except Exception as error:
        raise SettingsError(f"{_options(variable)}: openai refuses them: {error}") from error


def _check_openai(
    variable: str, plugin: Callable[..., Any], options: dict[str, Any], own: Collection[str]
) -> None:
    parameters = {name for name in inspect.signature(plugin).parameters if name[0] != "_"}
    known = parameters - _OURS - set(own)
    if unknown := sorted(options.keys() - known):
        raise SettingsError(
            f"{_options(variable)}: unknown for openai: {', '.join(unknown)}. "
            f"Known are {', '.join(sorted(known))}."
        )
    _check_types(variable, plugin, options)


def _options(variable: str) -> str:
    """Where the options of what *variable* names are set."""
    return f"{variable}: options" if variable == FALLBACKS else f"{variable}_OPTIONS"


def _check_types(variable: str, plugin: Any, options: dict[str, Any]) -> None:
    """Check *options* against the annotations of *plugin*, as far as they can be read."""
    try:
        kinds = get_type_hints(plugin.__init__)
    except Exception:  # an annotation may name what is imported for type checkers alone
        return
    for name in options.keys() & kinds.keys():
        with suppress(PydanticUserError):  # a type that pydantic does not know
            adapter = TypeAdapter(kinds[name], config=ConfigDict(arbitrary_types_allowed=True))
            try:
                # As JSON: strict mode then still takes a list for a tuple.
                adapter.validate_json(json.dumps(options[name]), strict=True)
            except ValidationError as error:
                raise SettingsError(f"{_options(variable)}: {name}: {problem(error)}") from None


def _plugin(variable: str, name: str, options: dict[str, Any], base: type[Any]) -> Any:
    plugin_class = named_class.find(name, variable)
    _check_types(variable, plugin_class, options)
    try:
        plugin = plugin_class(**options)
    except Exception as error:
        raise SettingsError(f"{variable}: {name} cannot be loaded: {error}") from error
    if not isinstance(plugin, base):
        raise SettingsError(f"{variable}: {name} is not a LiveKit {base.__name__}.")
    return plugin
