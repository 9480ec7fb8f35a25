"""Providers, built by settings."""

import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import APIError, inference
from livekit.agents.llm import ChatContext
from livekit.plugins import openai
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent_worker.agent import AgentDefinition
from agent_worker.settings import WorkerSettings
from agent_worker.voice.preflight import PreflightSTT
from agent_worker.voice.providers import build_llm, build_stt, build_tts
from service_base.settings import SettingsError, load
from tests.support.canned_service import listening
from tests.support.local_stack import free_ports

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


@pytest.mark.parametrize(("mode", "first"), [("model", False), ("templates-first", True)])
async def test_llm_with_a_server_is_openai_compatible(
    agent: AgentDefinition, mode: str, first: bool
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
    assert (llm.model, llm.templates, llm.bounds.silence_s) == ("small", first, 2.5)
    assert KEY not in repr(llm) + repr(vars(llm)) + repr(vars(llm.remote))
    await llm.aclose()


async def test_llm_fallbacks_are_asked_in_their_order(agent: AgentDefinition) -> None:
    """Each with its own address, key and options; two of one name are told apart."""
    server = {"base_url": "http://127.0.0.1:1/v1", "model": "small", "api_key": KEY}
    fallbacks = [
        server,
        {"plugin": "tests.unit.agent_worker.voice.plugins:EchoLLM"},
        {**server, "options": {"temperature": 0.5}},
    ]
    chosen = settings(
        llm_base_url="http://127.0.0.1:2/v1", llm_model="large", llm_fallbacks=fallbacks
    )
    llm = build_llm(chosen, agent)
    names = [one.name for one in llm.models]
    assert names[:2] == ["large", "small 2"] and names[3] == "small 4"
    assert KEY not in repr(chosen) + repr(llm) + repr([vars(one) for one in llm.remotes])
    await llm.aclose()


async def test_llm_fallbacks_without_a_first_model_are_told(agent: AgentDefinition) -> None:
    fallbacks = [{"base_url": "http://127.0.0.1:1/v1", "model": "small"}]
    with pytest.raises(SettingsError, match="PARLEY_LLM_FALLBACKS: there is no first model"):
        build_llm(settings(llm_fallbacks=fallbacks), agent)


@pytest.mark.parametrize(
    ("fallback", "problem"),
    [
        ({"model": "small"}, "base_url and model: both are needed"),
        ({"base_url": "http://127.0.0.1:1/v1", "model": "small", "colour": "red"}, "colour"),
        ({"plugin": "no plugin"}, "module:Class"),
    ],
)
def test_llm_fallback_that_is_no_model_is_told(fallback: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        settings(llm_fallbacks=[fallback])


async def test_llm_fallback_with_an_unknown_option_is_told(agent: AgentDefinition) -> None:
    """With the setting's name."""
    fallback = {"base_url": "http://127.0.0.1:1/v1", "model": "small", "options": {"colour": 1}}
    chosen = settings(llm_base_url="http://127.0.0.1:2/v1", llm_model="x", llm_fallbacks=[fallback])
    with pytest.raises(
        SettingsError, match="PARLEY_LLM_FALLBACKS: options: unknown for openai: colour"
    ):
        build_llm(chosen, agent)


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


Requests = dict[str, dict[str, Any]]


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, Requests]]:
    """A server of OpenAI's shapes: its base URL, and the last request of each path."""
    requests: Requests = {}

    async def answer(request: Request) -> Response:
        path = request.url.path.removeprefix("/v1")
        if path == "/audio/transcriptions":
            async with request.form() as form:
                requests[path] = dict(form)
            return JSONResponse({"text": "hello"})
        requests[path] = json.loads(await request.body())
        return JSONResponse({"error": {"message": "enough seen"}}, 400)

    (port,) = free_ports(1)
    app = Starlette(routes=[Route("/v1/{path:path}", answer, methods=["POST"])])
    async with listening(app, port):
        yield f"http://127.0.0.1:{port}/v1", requests


async def test_llm_options_reach_the_model_s_server(
    agent: AgentDefinition, server: tuple[str, Requests]
) -> None:
    """Temperature, longest answer and what only that server knows are in the request."""
    url, requests = server
    options = {"temperature": 0.2, "max_completion_tokens": 60, "extra_body": {"seed": 7}}
    chosen = settings(reasoning="model", llm_base_url=url, llm_model="small", llm_options=options)
    llm = build_llm(chosen, agent)
    assert isinstance(llm.remote, openai.LLM)
    context = ChatContext.empty()
    context.add_message(role="user", content="Hello?")
    with pytest.raises(APIError, match="enough seen"):
        async with llm.remote.chat(chat_ctx=context) as stream:
            async for _ in stream:
                pass
    body = requests["/chat/completions"]
    assert (body["model"], body["temperature"], body["max_completion_tokens"]) == ("small", 0.2, 60)
    assert body["seed"] == 7
    await llm.remote._client.close()


async def test_stt_options_reach_the_recognizer_s_server(server: tuple[str, Requests]) -> None:
    """The language too can be another."""
    url, requests = server
    options = {"language": "de", "prompt": "Zimmer"}
    stt = build_stt(settings(stt_base_url=url, stt_options=options), ignore)
    assert isinstance(stt, PreflightSTT) and isinstance(stt.recognizer, openai.STT)
    await stt.recognizer.recognize(rtc.AudioFrame(bytes(320), 16_000, 1, 160))
    form = requests["/audio/transcriptions"]
    assert (form["language"], form["prompt"]) == ("de", "Zimmer")
    await stt.recognizer._client.close()


@pytest.mark.parametrize(
    ("vocabulary", "options", "prompt"),
    [
        (("toothache", "Dr Lee"), {}, "toothache, Dr Lee"),
        (("toothache",), {"prompt": "Zimmer"}, "Zimmer"),
        ((), {}, None),
    ],
)
async def test_vocabulary_reaches_the_recognizer_s_server(
    server: tuple[str, Requests],
    vocabulary: tuple[str, ...],
    options: dict[str, Any],
    prompt: str | None,
) -> None:
    """As OpenAI's prompt; one that the operator has set goes before it."""
    url, requests = server
    stt = build_stt(settings(stt_base_url=url, stt_options=options), ignore, vocabulary)
    assert isinstance(stt, PreflightSTT) and isinstance(stt.recognizer, openai.STT)
    await stt.recognizer.recognize(rtc.AudioFrame(bytes(320), 16_000, 1, 160))
    assert requests["/audio/transcriptions"].get("prompt") == prompt
    await stt.recognizer._client.close()


async def test_vocabulary_reaches_a_plugin_by_the_argument_that_takes_it() -> None:
    """Which one that is, a setting says; without it the plugin gets none."""
    plugin = "tests.unit.agent_worker.voice.plugins:StreamingSTT"
    chosen = settings(stt=plugin, stt_options={"name": "x"}, stt_vocabulary_option="keyterms")
    assert vars(build_stt(chosen, ignore, ("toothache",)))["keyterms"] == ["toothache"]
    without = settings(stt=plugin, stt_options={"name": "x"})
    assert vars(build_stt(without, ignore, ("toothache",)))["keyterms"] == []
    wrong = settings(stt=plugin, stt_options={"name": "x"}, stt_vocabulary_option="hotwords")
    with pytest.raises(SettingsError, match="unexpected keyword argument 'hotwords'"):
        build_stt(wrong, ignore, ("toothache",))
    with pytest.raises(SettingsError, match="PARLEY_STT_VOCABULARY_OPTION"):
        settings(stt_vocabulary_option="a b")


async def test_tts_options_reach_the_voice_s_server(server: tuple[str, Requests]) -> None:
    """How fast it speaks is in the request; the format stays what it was."""
    url, requests = server
    tts = build_tts(settings(tts_base_url=url, tts_options={"speed": 1.5}))
    assert isinstance(tts, openai.TTS)
    with pytest.raises(APIError):
        async for _ in tts.synthesize("Hello."):
            pass
    body = requests["/audio/speech"]
    assert (body["speed"], body["response_format"]) == (1.5, "pcm")
    await tts._client.close()


async def test_voice_that_nobody_waits_for_says_so_to_its_server() -> None:
    """So that it serves callers first."""
    for is_awaited, said in ((True, None), (False, "u=7")):
        tts = build_tts(settings(), is_awaited=is_awaited)
        assert isinstance(tts, openai.TTS)
        assert tts._client.default_headers.get("Priority") == said
        await tts._client.close()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"colour": "red", "top_k": 1}, r"unknown for openai: colour, top_k\. Known are "),
        ({"base_url": "http://127.0.0.1:1"}, "unknown for openai: base_url"),
        ({"model": "large"}, "unknown for openai: model"),
        ({"_strict_tool_schema": False}, "unknown for openai: _strict_tool_schema"),
    ],
)
async def test_options_that_openai_does_not_know_are_told(
    agent: AgentDefinition, options: dict[str, Any], reason: str
) -> None:
    """Before the first call, with what can be set; what has a setting of its own is none of it."""
    url = "http://127.0.0.1:1/v1"
    with pytest.raises(SettingsError, match=f"^PARLEY_STT_OPTIONS: {reason}"):
        build_stt(settings(stt_options=options), ignore)
    with pytest.raises(SettingsError, match=f"^PARLEY_TTS_OPTIONS: {reason}"):
        build_tts(settings(tts_options=options))
    with pytest.raises(SettingsError, match=f"^PARLEY_LLM_OPTIONS: {reason}"):
        build_llm(settings(llm_base_url=url, llm_model="small", llm_options=options), agent)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"temperature": "hot"}, "temperature: .*should be a valid number"),
        ({"temperature": None}, "temperature: .*should be a valid number"),
        ({"max_completion_tokens": 2.5}, "max_completion_tokens: .*should be a valid integer"),
        ({"parallel_tool_calls": "no"}, "parallel_tool_calls: .*should be a valid boolean"),
        ({"reasoning_effort": "much"}, "reasoning_effort: .*should be 'none', "),
        ({"extra_headers": {"X": 3}}, "extra_headers: .*X: should be a valid string"),
        ({"extra_body": [KEY]}, "extra_body: .*should be an object"),
    ],
)
@pytest.mark.parametrize(
    "values", [{}, {"llm_base_url": "http://127.0.0.1:1/v1", "llm_model": "x"}]
)
async def test_llm_options_of_another_type_are_told(
    agent: AgentDefinition, options: dict[str, Any], problem: str, values: dict[str, Any]
) -> None:
    """Before the first call, also while no model is set; without the value, which may be a key."""
    with pytest.raises(SettingsError, match=f"^PARLEY_LLM_OPTIONS: {problem}") as caught:
        build_llm(settings(**values, llm_options=options), agent)
    assert KEY not in str(caught.value)


async def test_llm_options_that_openai_does_not_know_are_told_without_a_model(
    agent: AgentDefinition,
) -> None:
    """Who sets a model later shall not find the mistake then."""
    with pytest.raises(SettingsError, match=r"^PARLEY_LLM_OPTIONS: unknown for openai: colour"):
        build_llm(settings(llm_options={"colour": "red"}), agent)


async def test_speech_options_of_another_type_are_told() -> None:
    """Of the built-in provider and of a plugin that says what it takes."""
    with pytest.raises(SettingsError, match=r"^PARLEY_STT_OPTIONS: language: .*valid string"):
        build_stt(settings(stt_options={"language": 3}), ignore)
    with pytest.raises(SettingsError, match=r"^PARLEY_TTS_OPTIONS: speed: .*valid number"):
        build_tts(settings(tts_options={"speed": "fast"}))
    plugin = "tests.unit.agent_worker.voice.plugins:StreamingSTT"
    with pytest.raises(SettingsError, match=r"^PARLEY_STT_OPTIONS: name: should be a valid string"):
        build_stt(settings(stt=plugin, stt_options={"name": 3}), ignore)
    unreadable = "tests.unit.agent_worker.voice.plugins:UnreadableSTT"
    build_stt(settings(stt=unreadable, stt_options={"name": "x", "odd": 3}), ignore)


async def test_options_that_openai_refuses_are_told() -> None:
    """Also what the plugin itself checks is told before the first call."""
    with pytest.raises(
        SettingsError, match=r"^PARLEY_STT_OPTIONS: openai refuses them: .*keywords"
    ):
        build_stt(settings(stt_options={"keywords": ["bell"]}), ignore)
