"""A tool's arguments: validated strictly, in one canonical form, with a digest."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

from jsonschema import Draft202012Validator
from pydantic import BaseModel, JsonValue, ValidationError

from agent_worker.values.kind import QUESTION, Kind
from call_record.hash_chain import frame

ARGUMENTS_MAX_BYTES = 8_192
DIGITS_MAX = 30

Values = dict[str, JsonValue]
"""Arguments in canonical form: what is shown, hashed, stored and run."""


class WrongArguments(ValueError):
    """Arguments are not valid. The message can be spoken; it never quotes them."""


class Arguments(ABC):
    """What a model may set when it proposes a tool."""

    schema: dict[str, Any]
    """As JSON Schema."""
    names: frozenset[str]
    required: frozenset[str]
    kinds: Mapping[str, Kind[Any]] = {}
    """By argument: its kind of value, if it has one of `agent_worker.values`."""

    @abstractmethod
    def canonical(self, raw: Mapping[str, Any], *, now: datetime | None = None) -> Values:
        """
        *raw* validated, with defaults filled in.

        Args: now: When it was proposed, in the caller's time zone: then a value of
            `agent_worker.values` may be in the words of the caller, such as "tomorrow".
        Raises: WrongArguments: it is not valid, or its words leave a question open, which is then
            the message.
        """

    @abstractmethod
    def bind(self, values: Values) -> dict[str, Any]:
        """
        *values* as the tool's function takes them.

        Raises: WrongArguments: they are not canonical for this version of the tool.
        """


class ModelArguments(Arguments):
    """Arguments that are the parameters of a Python function."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model
        self.schema = model.model_json_schema()
        for part in (self.schema, *self.schema.get("properties", {}).values()):
            part.pop("title", None)
        self.names = frozenset(model.model_fields)
        self.required = frozenset(
            name for name, one in model.model_fields.items() if one.is_required()
        )
        found = {
            name: _kind_in((*one.metadata, one.annotation))
            for name, one in model.model_fields.items()
        }
        self.kinds = {name: kind for name, kind in found.items() if kind is not None}

    def canonical(self, raw: Mapping[str, Any], *, now: datetime | None = None) -> Values:
        valid = self._validate(raw, now)
        values: Values = _in_one_form(valid.model_dump(), valid.model_dump(mode="json"))
        return values

    def bind(self, values: Values) -> dict[str, Any]:
        return dict(self._validate(values))

    def _validate(self, raw: Mapping[str, Any], now: datetime | None = None) -> BaseModel:
        try:
            # Validated as JSON: strict mode then still accepts a date that is written as text.
            return self._model.model_validate_json(dump(raw), strict=True, context={"now": now})
        except ValidationError as error:
            wrong = error.errors()
            if all(item["type"] == QUESTION for item in wrong):
                raise WrongArguments(wrong[0]["msg"]) from None
            # Pydantic's own message quotes the input and links to its site.
            raise _wrong(str(item["loc"][0]) for item in wrong if item["loc"]) from None


class SchemaArguments(Arguments):
    """Arguments that a JSON Schema describes, without its *hidden* properties."""

    def __init__(self, schema: Mapping[str, Any], hidden: frozenset[str] = frozenset()) -> None:
        properties = {
            name: one for name, one in schema.get("properties", {}).items() if name not in hidden
        }
        required = [name for name in schema.get("required", []) if name not in hidden]
        # Many servers leave it out, but a property that they do not describe must not be sent.
        self.schema = {
            **{key: one for key, one in schema.items() if key != "title"},
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }
        Draft202012Validator.check_schema(self.schema)
        self._validator = Draft202012Validator(self.schema)
        self._defaults = {
            name: one["default"]
            for name, one in properties.items()
            if isinstance(one, dict) and "default" in one
        }
        self.names = frozenset(properties)
        self.required = frozenset(required)

    def canonical(self, raw: Mapping[str, Any], *, now: datetime | None = None) -> Values:
        values: Values = json.loads(dump({**self._defaults, **raw}))
        wrong: set[str] = set()
        for error in self._validator.iter_errors(values):
            if error.validator == "additionalProperties" and not error.path:
                wrong |= values.keys() - self.names
            elif error.validator == "required" and not error.path:
                wrong |= self.required - values.keys()
            else:
                wrong.add(str(error.path[0]) if error.path else "arguments")
        if wrong:
            raise _wrong(wrong)
        return values

    def bind(self, values: Values) -> dict[str, Any]:
        return self.canonical(values)


def _kind_in(parts: Iterable[object]) -> Kind[Any] | None:
    """The kind of value in an annotation and what it is made of: `Day`, `Day | None`."""
    for part in parts:
        found = part if isinstance(part, Kind) else _kind_in(get_args(part))
        if found is not None:
            return found
    return None


def dump(values: object) -> str:
    """
    *values* as JSON in its one canonical form: keys sorted, no spaces.

    Raises: WrongArguments: they cannot be JSON, or are too long.
    """
    try:
        text = json.dumps(
            values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError):
        raise WrongArguments("I did not get that right.") from None
    if size > ARGUMENTS_MAX_BYTES:
        raise WrongArguments("That is too long.")
    return text


def digest(tenant: str | None, call_id: str, tool: str, means: JsonValue) -> str:
    """SHA-256, in hex, of what an invocation of *tool* would do and for which call."""
    whose = "" if tenant is None else f"={tenant}"
    # Of what it means, not of how a model writes it: 10.0 is 10.
    meant = json.loads(dump(means), parse_float=_number)
    return hashlib.sha256(frame(whose, call_id, tool, dump(meant))).hexdigest()


def _in_one_form(value: object, as_json: Any) -> Any:
    """*as_json*, in which the exact numbers of *value* are 10, not 10.00 or 1E+1."""
    match value, as_json:
        case Decimal(), str():
            return _exact(value)
        case dict(), dict():
            inner = zip(value.values(), as_json.items(), strict=True)
            return {name: _in_one_form(one, other) for one, (name, other) in inner}
        case list() | tuple(), list():
            return [_in_one_form(*both) for both in zip(value, as_json, strict=True)]
        case _:
            return as_json


def _exact(value: Decimal) -> str:
    if not value:
        return "0"
    # Nobody means more digits than these, and writing them out could fill the memory.
    if abs(value.adjusted()) > DIGITS_MAX:
        return str(value)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() else value


def is_strict(text: str) -> bool:
    """
    Whether *text* is one complete JSON object in which no name occurs twice.

    The framework repairs what is not, and would run a function call that the model never finished.
    """
    if len(text.encode(errors="replace")) > ARGUMENTS_MAX_BYTES:
        return False
    try:
        return isinstance(
            json.loads(text or "{}", object_pairs_hook=_unique, parse_constant=_no_constant), dict
        )
    except (ValueError, RecursionError):
        return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _wrong(wrong: Iterable[str]) -> WrongArguments:
    names = " and the ".join(sorted({one[:60] for one in wrong})[:5]).replace("_", " ")
    return WrongArguments(f"I did not get the {names or 'arguments'} right.")
