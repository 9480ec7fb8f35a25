"""Providers, built by settings."""

import os
from typing import Any

import pytest
from livekit.agents import inference
from livekit.plugins import openai

from agent_worker.agent import AgentDefinition
from agent_worker.settings import WorkerSettings
from agent_worker.voice.preflight import PreflightSTT
from agent_worker.voice.providers import build_llm, build_stt, build_tts
from service_base.settings import SettingsError, load

KEY = "s3cret-key"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own settings stay outside."""
    for name in [name for name in os.environ if name.startswith("PARLEY_")]:
        monkeypatch.delenv(name)


def settings(**values: Any) -> WorkerSettings:
    return load(WorkerSettings, _env_file=None, **values)


def ignore(_: Exception) -> None:
    """No failure is expected."""


async def test_stt_by_default_is_the_local_server_with_preflights() -> None:
    """A recognizer of whole utterances is made a streaming one."""
    stt = build_stt(settings(stt_model="tiny", stt_api_key=KEY), ignore)
    assert isinstance(stt, PreflightSTT)
    assert stt.capabilities.streaming
    assert isinstance(stt.recognizer, openai.STT)
    assert stt.model == "tiny"
    assert KEY not in repr(stt) + repr(vars(stt.recognizer))
    await stt.aclose()


async def test_stt_plugin_that_streams_is_left_alone() -> None:
    """Who streams decides for itself."""
    plugin = "tests.unit.agent_worker.voice.plugins:StreamingSTT"
    stt = build_stt(settings(stt=plugin, stt_options={"name": "x"}), ignore)
    assert type(stt).__name__ == "StreamingSTT"
    assert stt.model == "x"


async def test_tts_by_default_is_the_local_server() -> None:
    """Model and voice are those of the settings."""
    tts = build_tts(settings(tts_model="small", tts_api_key=KEY))
    assert isinstance(tts, openai.TTS)
    assert tts.model == "small"
    assert KEY not in repr(tts) + repr(vars(tts))
    await tts.aclose()


async def test_tts_plugin_is_loaded_by_name() -> None:
    """Any class of LiveKit can take the place, with its arguments from the settings."""
    options = {"model": "cartesia/sonic", "api_key": "k" * 8, "api_secret": KEY}
    tts = build_tts(settings(tts="livekit.agents.inference:TTS", tts_options=options))
    assert isinstance(tts, inference.TTS)
    await tts.aclose()


async def test_llm_without_a_model_is_templates_alone(agent: AgentDefinition) -> None:
    """No address, no key, no remote."""
    llm = build_llm(settings(), agent)
    assert llm.remote is None
    assert llm.templates


@pytest.mark.parametrize(("mode", "templates"), [("model", False), ("templates-first", True)])
async def test_llm_with_a_server_is_openai_compatible(
    agent: AgentDefinition, mode: str, templates: bool
) -> None:
    """A base URL and a model name are enough."""
    llm = build_llm(
        settings(
            reasoning=mode,
            llm_base_url="http://127.0.0.1:1/v1",
            llm_model="small",
            llm_api_key=KEY,
            llm_timeout_s=2.5,
        ),
        agent,
    )
    assert isinstance(llm.remote, openai.LLM)
    assert (llm.model, llm.templates, llm.timeout_s) == ("small", templates, 2.5)
    assert KEY not in repr(llm) + repr(vars(llm)) + repr(vars(llm.remote))
    await llm.aclose()


@pytest.mark.parametrize(
    "values",
    [
        {"reasoning": "model"},
        {"reasoning": "templates-first"},
        {"llm_base_url": "http://127.0.0.1:1/v1"},
        {"reasoning": "model", "llm_model": "small"},
    ],
)
async def test_llm_that_is_wanted_and_not_set_is_told(
    agent: AgentDefinition, values: dict[str, Any]
) -> None:
    """Half a setting is told with what is missing, and why it is needed."""
    with pytest.raises(SettingsError) as caught:
        build_llm(settings(**values), agent)
    assert "PARLEY_LLM_BASE_URL and PARLEY_LLM_MODEL: both are needed" in str(caught.value)
    assert settings(**values).mode in str(caught.value)


async def test_llm_plugin_is_loaded_by_name(agent: AgentDefinition) -> None:
    """A model by class name needs no base URL."""
    plugin = "tests.unit.agent_worker.voice.plugins:EchoLLM"
    llm = build_llm(settings(llm=plugin), agent)
    assert type(llm.remote).__name__ == "EchoLLM"
    assert llm.templates


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("no_such_module:TTS", {}, "cannot be loaded: No module named"),
        ("livekit.agents:NoSuchClass", {}, "cannot be loaded: .*NoSuchClass"),
        ("livekit.plugins.openai:TTS", {"colour": "red"}, "cannot be loaded: .*colour"),
        ("collections:OrderedDict", {}, r"is not a LiveKit TTS\."),
        ("tests.unit.agent_worker.voice.plugins:EchoLLM", {}, r"is not a LiveKit TTS\."),
    ],
)
async def test_plugin_that_does_not_fit_is_told(
    name: str, options: dict[str, Any], reason: str
) -> None:
    """Module, class, arguments and kind: each mistake has the variable and a reason."""
    with pytest.raises(SettingsError, match=f"^PARLEY_TTS: {name} {reason}"):
        build_tts(settings(tts=name, tts_options=options))


async def test_plugin_error_does_not_show_its_options(agent: AgentDefinition) -> None:
    """A plugin's arguments may hold a key."""
    plugin = "tests.unit.agent_worker.voice.plugins:EchoLLM"
    with pytest.raises(SettingsError) as caught:
        build_llm(settings(llm=plugin, llm_options={"api_key": KEY}), agent)
    assert KEY not in str(caught.value)
