"""The SFU's key file."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devstack import keys
from service_base.settings import SettingsError
from service_base.sfu import SfuKey, read_sfu_key


def test_keys_made_at_first_start_are_long_private_and_kept(tmp_path: Path) -> None:
    """The second start takes the same key: tokens and workers stay valid."""
    file = tmp_path / "run" / "keys.yaml"
    keys.ensure(file)
    first = read_sfu_key(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(first.secret) >= 32
    assert first.secret not in repr(first)
    keys.ensure(file)
    assert read_sfu_key(file) == first
    assert list(file.parent.iterdir()) == [file]


def test_keys_of_two_installations_differ(tmp_path: Path) -> None:
    """No secret is known to anybody who has the code."""
    for name in ("a", "b"):
        keys.ensure(tmp_path / name)
    assert read_sfu_key(tmp_path / "a") != read_sfu_key(tmp_path / "b")


def test_keys_made_by_two_starts_at_once_are_one(tmp_path: Path) -> None:
    """Whoever is second takes the first one's."""
    file = tmp_path / "keys.yaml"

    def start(_: int) -> SfuKey:
        keys.ensure(file)
        return read_sfu_key(file)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(8)))) == 1


def test_keys_others_may_read_are_refused_with_the_remedy(tmp_path: Path) -> None:
    """The SFU would refuse them too, less clearly."""
    file = tmp_path / "keys.yaml"
    keys.ensure(file)
    file.chmod(0o644)
    with pytest.raises(SettingsError, match=f"run `chmod 600 {file}`"):
        keys.ensure(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no line of the form"),
        ("just text", "has no line of the form"),
        ("key: [", "is not YAML"),
        ("key: 12345", "must both be text"),
        ("key: hunter2hunter2", "shorter than 32"),
    ],
)
def test_keys_malformed_are_refused_without_showing_them(
    tmp_path: Path, text: str, message: str
) -> None:
    """The sentence names the file and not the secret."""
    file = tmp_path / "keys.yaml"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(SettingsError, match=message) as raised:
        keys.ensure(file)
    assert str(file) in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_keys_file_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    """A run folder that is a file is no traceback."""
    (tmp_path / "run").write_text("")
    with pytest.raises(SettingsError, match=r"PARLEY_SFU_KEYS_FILE: .* cannot be made"):
        keys.ensure(tmp_path / "run" / "keys.yaml")


def test_keys_file_missing_is_said_by_who_only_reads_it(tmp_path: Path) -> None:
    """A service started alone says what makes the file."""
    with pytest.raises(SettingsError, match="does not exist; `make run` makes it"):
        read_sfu_key(tmp_path / "keys.yaml")
