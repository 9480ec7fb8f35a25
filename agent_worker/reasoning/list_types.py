"""The `type` of a list in a templates' file, and its options."""

import dataclasses
from datetime import time
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from agent_worker import values
from agent_worker.values import ValueKind

TYPES: dict[str, type[ValueKind]] = {
    "day": values.DayKind,
    "email": values.EmailKind,
    "identifier": values.IdentifierKind,
    "money": values.MoneyKind,
    "name": values.SpelledNameKind,
    "number": values.NumberKind,
    "one_of": values.OneOf,
    "phone_number": values.PhoneNumberKind,
    "text": values.TextKind,
    "time": values.TimeOfDayKind,
}
_WRITTEN = {"minimum": "from", "maximum": "to", "choices": "values"}
"""How a file says it, where a kind says it otherwise."""


def _hour(written: object) -> object:
    return written.zfill(5) if isinstance(written, str) else written


_Hour = Annotated[time, BeforeValidator(_hour)]


def make(written: dict[str, Any]) -> ValueKind:
    """
    The kind of value that a list with a `type` has.

    Raises: ValueError: there is no such type, or an option is wrong.
    """
    options = dict(written)
    name = options.pop("type")
    if name not in TYPES:
        raise ValueError(f"type: there is no {name!r}; there are {', '.join(TYPES)}")
    kind = TYPES[name]
    model = _options(kind)
    given = model.model_validate(options)
    return kind(**{field: getattr(given, field) for field in model.model_fields})


def _options(kind: type[ValueKind]) -> type[BaseModel]:
    """What may be written beside the type: the settings of its class."""
    assert dataclasses.is_dataclass(kind)
    hints = get_type_hints(kind)
    fields: dict[str, Any] = {}
    for one in dataclasses.fields(kind):
        if one.name == "name":
            continue
        hint = hints[one.name]
        if hint == tuple[time, time] | None:
            hint = tuple[_Hour, _Hour] | None
        default = ... if one.default is dataclasses.MISSING else one.default
        fields[one.name] = (Annotated[hint, Field(alias=_WRITTEN.get(one.name, one.name))], default)
    return create_model("options", __config__=ConfigDict(extra="forbid"), **fields)
