"""Settings."""

import pytest

from service_base.settings import SettingsError, load
from speech_server.settings import SpeechSettings


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefix and field name make the variable's name."""
    monkeypatch.setenv("PARLEY_SPEECH_PORT", "9999")
    assert load(SpeechSettings).speech_port == 9999


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARLEY_SPEECH_THREADS", "-1"),
        ("PARLEY_SPEECH_QUEUE", "-1"),
        ("PARLEY_SPEECH_MAX_AUDIO_S", "31"),
        ("PARLEY_SPEECH_TIMEOUT_S", "nan"),
    ],
)
def test_settings_out_of_bounds_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """No setting takes a bound away."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load(SpeechSettings)
