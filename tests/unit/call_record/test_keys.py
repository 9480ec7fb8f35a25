"""The journals' keys."""

import stat
from pathlib import Path

import pytest

from call_record import keys
from call_record.keys import UnknownKey
from service_base.settings import SettingsError


def test_keys_are_made_once_private_and_hidden(tmp_path: Path) -> None:
    """The second start takes the same key; no repr shows it."""
    file = tmp_path / "run" / "keys.yaml"
    ring = keys.ensure(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert keys.ensure(file) == ring == keys.read(file)
    assert ring.key(ring.current).decode() not in repr(ring)


def test_keys_first_is_for_new_calls_and_others_are_kept(tmp_path: Path) -> None:
    """Rotation: a new line on top."""
    file = tmp_path / "keys.yaml"
    file.write_text(f"new: {'n' * 32}\nold: {'o' * 32}\n")
    file.chmod(0o600)
    ring = keys.read(file)
    assert ring.current == "new"
    assert ring.key("old") == b"o" * 32
    with pytest.raises(UnknownKey, match="there is no key 'older'"):
        ring.key("older")


def test_keys_missing_or_readable_by_others_are_refused(tmp_path: Path) -> None:
    """With the remedy."""
    file = tmp_path / "keys.yaml"
    with pytest.raises(SettingsError, match="migrate` makes it"):
        keys.read(file)
    keys.ensure(file)
    file.chmod(0o644)
    with pytest.raises(SettingsError, match=f"run `chmod 600 {file}`"):
        keys.ensure(file)
    (tmp_path / "plain").write_text("")
    with pytest.raises(SettingsError, match="cannot be made"):
        keys.ensure(tmp_path / "plain" / "keys.yaml")
