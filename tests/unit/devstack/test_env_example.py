"""`.env.example` and the settings classes."""

import json
import re
from pathlib import Path

from devstack.checks import env_file_problems
from devstack.env_example import GROUPS, render
from devstack.services import SETTINGS
from service_base.settings import ENV_PREFIX, load
from tests.support.local_stack import ROOT

FILE = ROOT / ".env.example"


def test_env_example_is_what_the_classes_say() -> None:
    """A changed setting changes the file: run `make env-example`."""
    assert FILE.read_text() == render(GROUPS)


def test_env_example_has_every_field_once() -> None:
    """No setting is left out, and shared ones stand once."""
    written = re.findall(r"^#(PARLEY_\w+)=", FILE.read_text(), re.MULTILINE)
    fields = {name for settings in SETTINGS.values() for name in settings.model_fields}
    assert sorted(written) == sorted((ENV_PREFIX + name).upper() for name in fields)


def test_env_example_copied_and_uncommented_is_a_valid_env_file(tmp_path: Path) -> None:
    """Who copies the file and takes away every # has the defaults."""
    lines = FILE.read_text().splitlines()
    settings = [line[1:] for line in lines if line.startswith("#PARLEY_")]
    env_file = tmp_path / ".env"
    env_file.write_text("\n".join(settings))
    assert env_file_problems(env_file) == []
    for settings_class in SETTINGS.values():
        uncommented = load(settings_class, _env_file=env_file)
        assert uncommented == load(settings_class, _env_file=None)


def test_settings_fields_all_have_a_description() -> None:
    """The file explains every setting in a sentence."""
    for settings in GROUPS.values():
        for name, field in settings.model_fields.items():
            assert field.description and field.description.endswith("."), name


def test_settings_tell_no_pattern_for_what_is_expected() -> None:
    """A person who set a wrong value reads words, not a regular expression."""
    for settings in GROUPS.values():
        for name, field in settings.model_json_schema()["properties"].items():
            assert '"pattern"' not in json.dumps(field), name
