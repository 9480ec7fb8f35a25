"""The SFU's key, read from its own file."""

from pathlib import Path

import pytest

from service_base.key_file import MIN_SECRET_CHARS
from service_base.settings import SettingsError, load
from service_base.sfu import SfuKey, SfuSettings, read_sfu_key

SECRET = "s3cret" * 8


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sfu-keys.yaml"


def test_read_sfu_key_takes_the_first(file: Path) -> None:
    """The first line signs; others are for tokens of yesterday."""
    file.write_text(f"new: {SECRET}\nold: {'x' * 40}\n")
    assert read_sfu_key(file) == SfuKey("new", SECRET)


def test_sfu_key_does_not_show_its_secret() -> None:
    """Not in a log line, not in a traceback."""
    assert SECRET not in repr(SfuKey("key", SECRET))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no line of the form"),
        ("just words", "has no line of the form"),
        ("[]", "has no line of the form"),
        (f"key: {SECRET}: oops", "is not YAML of the form"),
        (f"key: [{SECRET}]", "must both be text"),
        ("key: 12345678901234567890123456789012345", "must both be text"),
        (f"1: {SECRET}", "must both be text"),
        (f"key: {'s3cret' * 5}", f"shorter than {MIN_SECRET_CHARS} characters"),
    ],
)
def test_read_sfu_key_malformed_is_told_without_the_secret(
    file: Path, text: str, words: str
) -> None:
    """The file's name and what is wrong; never the line itself."""
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_sfu_key(file)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_read_sfu_key_missing_file_says_who_makes_it(file: Path) -> None:
    """The first thing that goes wrong when a process is started alone."""
    with pytest.raises(SettingsError, match=r"does not exist; `make run` makes it\.$"):
        read_sfu_key(file)


def test_read_sfu_key_of_bytes_or_a_folder_is_told(tmp_path: Path, file: Path) -> None:
    """Whatever lies at that path, there is a sentence for it."""
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="is not YAML"):
        read_sfu_key(file)
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        read_sfu_key(tmp_path)


def test_keys_file_follows_the_run_folder(tmp_path: Path, file: Path) -> None:
    """One setting moves everything that is made while running."""
    file.write_text(f"key: {SECRET}\n")
    settings = load(SfuSettings, run_dir=tmp_path, _env_file=None)
    assert settings.sfu_keys_file == file
    assert settings.sfu_key().api_key == "key"


def test_sfu_key_of_the_environment_wins_over_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For orchestrators that hand out secrets so; half of one is told."""
    file.write_text(f"of-the-file: {'x' * 40}\n")
    monkeypatch.setenv("PARLEY_SFU_API_KEY", "of-the-environment")
    with pytest.raises(SettingsError, match=r"PARLEY_SFU_API_SECRET: .* set both or neither"):
        load(SfuSettings, sfu_keys_file=file, _env_file=None)
    monkeypatch.setenv("PARLEY_SFU_API_SECRET", SECRET[:31])
    with pytest.raises(SettingsError, match="shorter than 32 characters") as caught:
        load(SfuSettings, sfu_keys_file=file, _env_file=None)
    assert SECRET[:31] not in str(caught.value)
    monkeypatch.setenv("PARLEY_SFU_API_SECRET", SECRET)
    settings = load(SfuSettings, sfu_keys_file=file, _env_file=None)
    assert settings.sfu_key() == SfuKey("of-the-environment", SECRET)
    assert SECRET not in repr(settings)
