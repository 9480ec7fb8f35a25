"""
Values that callers say: found in their own words, settled when said, and said back.

`Day` and the like are types for the parameters of tools. Where a kind has settings, annotate
with the kind itself: `Annotated[int, NumberKind(after=("room",))]`.
"""

from agent_worker.values.day import Day, DayKind
from agent_worker.values.email import Email, EmailKind
from agent_worker.values.identifier import Identifier, IdentifierKind
from agent_worker.values.money import Money, MoneyKind
from agent_worker.values.number import Number, NumberKind
from agent_worker.values.one_of import OneOf
from agent_worker.values.phone_number import PhoneNumber, PhoneNumberKind
from agent_worker.values.spelled_name import SpelledName, SpelledNameKind
from agent_worker.values.text import Text, TextKind
from agent_worker.values.time_of_day import TimeOfDay, TimeOfDayKind
from agent_worker.values.value import Found, ValueKind

__all__ = [
    "Day",
    "DayKind",
    "Email",
    "EmailKind",
    "Found",
    "Identifier",
    "IdentifierKind",
    "Money",
    "MoneyKind",
    "Number",
    "NumberKind",
    "OneOf",
    "PhoneNumber",
    "PhoneNumberKind",
    "SpelledName",
    "SpelledNameKind",
    "Text",
    "TextKind",
    "TimeOfDay",
    "TimeOfDayKind",
    "ValueKind",
]
