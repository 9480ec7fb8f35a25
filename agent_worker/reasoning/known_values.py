"""Values that are known before the caller says them, such as the name of one who has signed in."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue


@dataclass(frozen=True)
class KnownValues:
    """
    By slot: a value that need not be asked for, as the slot's type writes it.

    An agent's `open` yields it. What the caller says goes before it.
    """

    values: Mapping[str, JsonValue]
