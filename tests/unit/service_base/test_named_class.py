"""Classes that a setting names as `module:Class`."""

from pathlib import Path

import pytest

from service_base import named_class
from service_base.settings import SettingsError


def test_class_is_found_by_module_and_name() -> None:
    """Of any module that can be imported."""
    assert named_class.find("pathlib:Path", "PARLEY_X") is Path


@pytest.mark.parametrize(
    "code", ["raise ValueError('no key')", "def broken(:", "import nowhere_1", "exit(0)"]
)
def test_module_that_cannot_be_imported_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Whatever is wrong with it: the message names the setting, and is no traceback."""
    (tmp_path / "broken_connector.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingsError, match=r"^PARLEY_X: broken_connector:Crm cannot be loaded: "):
        named_class.find("broken_connector:Crm", "PARLEY_X")
