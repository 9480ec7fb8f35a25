"""Settings of the worker."""

from typing import Any

import pytest

from agent_worker.settings import WorkerSettings
from service_base.settings import SettingsError, load


def settings(**values: Any) -> WorkerSettings:
    return load(WorkerSettings, _env_file=None, **values)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own settings stay outside."""
    import os

    for name in [name for name in os.environ if name.startswith("PARLEY_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        ({}, "templates"),
        ({"llm_base_url": "http://127.0.0.1:1/v1"}, "templates-first"),
        ({"llm": "some.module:LLM"}, "templates-first"),
        ({"reasoning": "model", "llm_base_url": "http://127.0.0.1:1/v1"}, "model"),
        ({"reasoning": "templates", "llm_base_url": "http://127.0.0.1:1/v1"}, "templates"),
    ],
)
def test_mode_follows_from_whether_there_is_a_model(values: dict[str, Any], mode: str) -> None:
    """Without a word: templates, and templates first where a model is set; said: as said."""
    assert settings(**values).mode == mode


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stt", "whisper"),
        ("tts", "a b:C"),
        ("llm", ":LLM"),
        ("reasoning", "guess"),
        ("worker_capacity", "-1"),
        ("agent_name", "two words"),
        ("call_max_s", "1"),
        ("waits", '{"silence_s": 0.5}'),
        ("llm_timeout_s", "0"),
        ("stt_options", "{"),
        ("llm_options", "[1]"),
    ],
)
def test_wrong_value_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """A wrong setting is told by the variable that holds it."""
    variable = f"PARLEY_{name}".upper()
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"^{variable}: "):
        settings()


def test_options_are_read_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin's arguments are a JSON object in one variable."""
    monkeypatch.setenv("PARLEY_TTS_OPTIONS", '{"voice": "amy", "speed": 1.5}')
    assert settings().tts_options == {"voice": "amy", "speed": 1.5}


def test_keys_are_never_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings may end in a log line or a traceback; keys may not."""
    for part in ("STT", "TTS", "LLM"):
        monkeypatch.setenv(f"PARLEY_{part}_API_KEY", "s3cret-key")
        monkeypatch.setenv(f"PARLEY_{part}_OPTIONS", '{"api_key": "s3cret-key"}')
    chosen = settings()
    assert "s3cret" not in repr(chosen) + str(chosen)
    assert chosen.llm_api_key.get_secret_value() == "s3cret-key"
