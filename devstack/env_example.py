"""`python -m devstack.env_example`: `.env.example` from the settings classes, on stdout."""

import json
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from call_record.settings import RecordSettings
from devstack.services import SETTINGS
from service_base.settings import ENV_PREFIX, ServiceSettings
from service_base.sfu import SfuSettings

HEAD = """\
# Every setting, with its default. Copy this file to .env and take away the # where you want
# another value. An environment variable of the same name wins over .env.
# Written by `make env-example`.
"""
WIDTH = 98


def render(groups: Mapping[str, type[ServiceSettings]]) -> str:
    """The whole file: each field once, under the first title whose class has it."""
    parts = [HEAD]
    seen: set[str] = set()
    for title, group in groups.items():
        fields = {n: f for n, f in group.model_fields.items() if n not in seen}
        seen |= fields.keys()
        if fields:
            parts.append(f"\n# --- {title} ---\n")
            parts += [_entry(name, field) for name, field in fields.items()]
    return "".join(parts)


def _entry(name: str, field: FieldInfo) -> str:
    described = textwrap.fill(
        field.description or "", WIDTH, initial_indent="# ", subsequent_indent="# "
    )
    return f"\n{described}\n#{(ENV_PREFIX + name).upper()}={_text(_default(field))}\n"


def _default(field: FieldInfo) -> Any:
    default = field.get_default(call_default_factory=True, validated_data={})
    return None if default is PydanticUndefined else default


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case SecretStr():
            return value.get_secret_value()
        case dict() | list() | tuple():
            return json.dumps(value)
        case _:
            return str(value)


GROUPS: Mapping[str, type[ServiceSettings]] = {
    "every process": ServiceSettings,
    "who talks to the SFU": SfuSettings,
    "who uses the record of calls": RecordSettings,
    **SETTINGS,
}
"""By title; what the first three hold stands once, on top."""


if __name__ == "__main__":
    sys.stdout.write(render(GROUPS))
