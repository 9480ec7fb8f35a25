"""Settings: what is wrong is said in plain words, and values are never shown."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, SecretStr, field_validator

from service_base.settings import (
    ServiceSettings,
    SettingsError,
    load,
    load_or_exit,
    or_exit,
    unknown_variables,
)

SECRET = "s3cret-value"


class Example(ServiceSettings):
    """Settings of no service."""

    port: int = Field(8080, ge=1, le=65535, description="A port.")
    key: SecretStr = Field(SecretStr("long enough"), min_length=8, description="A key.")
    options: dict[str, Any] = Field({}, description="A JSON object.")
    even: int = Field(2, description="An even number.")

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value


class Needy(ServiceSettings):
    """Settings with one that has no default."""

    host: str = Field(description="A host.")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder without `.env`, an environment without settings."""
    for name in [name for name in os.environ if name.upper().startswith("PARLEY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_load_without_anything_takes_the_defaults() -> None:
    """A clean clone needs no settings."""
    assert load(Example).port == 8080


def test_load_environment_wins_over_file(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is for habits, the environment for this time; an override for this call."""
    (nowhere / ".env").write_text("PARLEY_PORT=1000\nPARLEY_EVEN=4\nOTHER=1\n")
    assert (load(Example).port, load(Example).even) == (1000, 4)
    monkeypatch.setenv("PARLEY_PORT", "2000")
    assert load(Example).port == 2000
    assert load(Example, port=3000).port == 3000


def test_load_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of `.env.example` without a value changes nothing."""
    monkeypatch.setenv("PARLEY_PORT", "")
    assert load(Example).port == 8080


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PARLEY_PORT", SECRET, "Input should be a valid integer"),
        ("PARLEY_PORT", "70000", "Input should be less than or equal to 65535"),
        ("PARLEY_KEY", "s3cret", "at least 8"),
        ("PARLEY_EVEN", "7777777", "must be even"),
        ("PARLEY_OPTIONS", '{"a": s3cret-value}', "not valid JSON"),
        ("PARLEY_OPTIONS", '["s3cret-value"]', "Input should be a valid dictionary"),
        ("PARLEY_LOG_LEVEL", SECRET, "Input should be 'DEBUG', 'INFO'"),
    ],
)
def test_load_wrong_value_is_told_by_name_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    """The variable and what was expected; not what was there."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load(Example)
    message = str(caught.value)
    assert message.startswith(f"{variable}: ")
    assert words in message
    assert value not in message
    assert "s3cret" not in message
    assert "pydantic" not in message


def test_load_several_wrong_values_are_all_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line each, so that one start shows them all."""
    monkeypatch.setenv("PARLEY_PORT", "x")
    monkeypatch.setenv("PARLEY_EVEN", "3")
    with pytest.raises(SettingsError) as caught:
        load(Example)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["PARLEY_PORT", "PARLEY_EVEN"]


def test_load_missing_value_is_told() -> None:
    """A setting without a default."""
    with pytest.raises(SettingsError, match=r"^PARLEY_HOST: Field required$"):
        load(Needy)


def test_load_file_that_is_not_text_is_told(nowhere: Path) -> None:
    """A `.env` of the wrong kind is not a traceback."""
    (nowhere / ".env").write_bytes(b"PARLEY_PORT=\xff\xfe\n")
    with pytest.raises(SettingsError, match=r"^\.env cannot be read: "):
        load(Example)


def test_load_or_exit_prints_plain_lines_and_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a person sees who started a process with a wrong setting."""
    monkeypatch.setenv("PARLEY_PORT", SECRET)
    with pytest.raises(SystemExit) as caught:
        load_or_exit(Example)
    assert caught.value.code == 2
    printed = capsys.readouterr().err.splitlines()
    assert printed[0].startswith("Bad setting: PARLEY_PORT: Input should be a valid integer")
    assert printed[1] == "See .env.example for every setting and its meaning."
    assert len(printed) == 2


def test_or_exit_lets_other_errors_through() -> None:
    """A defect is not dressed up as a setting."""
    with pytest.raises(ZeroDivisionError), or_exit():
        raise ZeroDivisionError


def test_repr_does_not_show_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings may end in a log line."""
    monkeypatch.setenv("PARLEY_KEY", SECRET)
    assert SECRET not in repr(load(Example)) + str(load(Example))


def test_unknown_variables_finds_typing_errors(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the environment and in the file; others' variables are not ours to judge."""
    monkeypatch.setenv("PARLEY_PROT", "1")
    monkeypatch.setenv("parley_even", "2")
    monkeypatch.setenv("PORT", "1")
    file = nowhere / "settings.env"
    file.write_text("PARLEY_KYE=a\nPARLEY_PORT=1\nPARLEY_HOST=x\n")
    assert unknown_variables([Example, Needy], file) == ["PARLEY_KYE", "PARLEY_PROT"]
    assert unknown_variables([Example], nowhere / "none.env") == ["PARLEY_PROT"]
