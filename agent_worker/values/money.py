"""Amounts of money, to the cent: "twelve fifty", "$5", "five dollars and ten cents"."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import JsonValue

from agent_worker.values.corrections import without_lead
from agent_worker.values.digits import Group, read_group, read_runs, words
from agent_worker.values.kind import Kind
from agent_worker.values.tokens import APOSTROPHE, Token, tokens_of
from agent_worker.values.value import Found

GROUPS_MAX = 4
CENT = Decimal("0.01")
MAX = Decimal(10) ** 12


@dataclass(frozen=True)
class _Currency:
    symbol: str
    units: tuple[str, str]
    """One of them, and several."""
    cents: tuple[str, str]
    slang: str
    """A pattern for other words of the unit."""


CURRENCIES = {
    "USD": _Currency("$", ("dollar", "dollars"), ("cent", "cents"), r"bucks?|usd|us\s+dollars?"),
    "EUR": _Currency("\u20ac", ("euro", "euros"), ("cent", "cents"), r"eur"),
    "GBP": _Currency("\u00a3", ("pound", "pounds"), ("penny", "pence"), r"quid|gbp|p\b"),
}
_BY_SYMBOL = {one.symbol: name for name, one in CURRENCIES.items()}
_SYMBOL = re.compile(r"([$\u20ac\u00a3])\s?(\d[\d,]{0,14}(?:\.\d{1,2})?)(?![\d.]*\d)")
_COMMA = re.compile(r"\d{1,6},\d\d")
"""As it is written in Europe: "12,50"."""
_WITH_COMMA = re.compile(rf"(?<![\w.,:/$\u20ac\u00a3-])({_COMMA.pattern})(?![\w,/:]|\.\d)")
_DECIMAL = re.compile(r"(?<![\w.:/$\u20ac\u00a3-])(\d[\d,]{0,14}\.\d{1,2})(?![\w/:]|\.\d)")
_GLUED = re.compile(r"\d[.,]$")
_SAID_ANEW = re.compile(
    r"[\s,.]*(?:no|sorry|i\s+mean|i\s+meant|make\s+(?:it|that)|or\s+rather)[\s,]+", re.I
)
_NOTES = re.compile(r"\ba\s+(fiver|tenner)\b", re.I)
_SUM = r"(?:(?:the|my|its)\s+(?:money|price|amount|cost|costs|sum)\b)"
_SHARE = (
    rf"\b(?:half|(?:a|one|two)\s+(?:third|quarter)s?|three\s+quarters)(?=\s+of\b|\s+{_SUM})"
    rf"|\b(?:part|some|most|a\s+bit)(?=\s+of\s+{_SUM})"
    rf"|\b(?:{words(*range(1, 100))}|\d{{1,3}})\s*(?:%|percent\b|per\s+cent\b)"
    r"(?=\s+(?:of|back|off)\b|\s*(?:[.,;!?]|$))"
)
_A_HALF = re.compile(r"\s+and\s+a\s+half\b", re.I)
_NO_AMOUNT = re.compile(
    rf"\s*(?:am|pm|a\.m|p\.m|o{APOSTROPHE}?clock|%|percent|days?|weeks?|hours?|minutes?|in\s+the"
    r"|at\s+night|grand|k)(?!\w)",
    re.I,
)


@dataclass(frozen=True)
class MoneyKind(Kind[Decimal]):
    """
    An amount of money in one currency, to the cent.

    Args: currency: the ISO code of one of `CURRENCIES`.
    """

    currency: str = "USD"
    name: str = "money"
    type: ClassVar[type] = Decimal

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES:
            raise ValueError(f"currency: {self.currency} is none of {', '.join(CURRENCIES)}")

    @property
    def _own(self) -> _Currency:
        return CURRENCIES[self.currency]

    def readings(self, text: str, now: datetime) -> list[Found]:
        sure = [*self._written(text), *self._worded(text)]
        vague = self._vague.search(text)
        if vague and all(vague.start() < one.start <= vague.end() for one in sure):
            asked = f"How many {self._own.units[1]} is that?"
            return [Found(*vague.span(), Decimal(0), asked)]
        sure += [anew for one in sure if (anew := self._said_anew(text, one))]
        taken = [*sure]
        for one in self._bare(text):
            if all(one.end <= other.start or one.start >= other.end for other in taken):
                taken.append(one)
        found = sorted(sure, key=lambda one: one.start) + taken[len(sure) :]
        return [one for one in found if one.value < MAX]

    def answer(self, text: str, now: datetime) -> Found | None:
        found = [one for one in self.find(text, now) if self._is_worded(text, one)]
        if decided := self.decide(found or self.find(text, now), now):
            return decided
        tokens = tokens_of(text)
        runs = read_runs(tokens, text)
        if len(runs) != 1 or len(runs[0]) != 1:
            return None
        start, end = _span(tokens, runs[0][0])
        if _NO_AMOUNT.match(text, end):
            return None
        amount = Decimal(runs[0][0].digits)
        if amount >= MAX:
            return None
        if half := _A_HALF.match(text, end):
            return Found(start, half.end(), amount + Decimal("0.50"))
        return Found(start, end, amount.quantize(CENT))

    def go_on(self, value: Decimal, text: str, now: datetime) -> Decimal | None:
        cents = self._only_cents(text)
        if cents is None or value != value.to_integral_value():
            return None
        return (value + cents).quantize(CENT)

    def correct(self, value: Decimal, text: str, now: datetime) -> Decimal | None:
        cents = self._only_cents(without_lead(text))
        if cents is not None:
            changed = (value.to_integral_value(rounding="ROUND_DOWN") + cents).quantize(CENT)
            return changed if changed != value else None
        found = self.answer(text, now)
        return None if found is None or found.question or found.value == value else found.value

    def say(self, value: Decimal, now: datetime) -> str:
        whole, cents = divmod(int(value * 100), 100)
        parts = []
        if whole or not cents:
            parts.append(f"{whole} {self._own.units[whole != 1]}")
        if cents:
            parts.append(f"{cents} {self._own.cents[cents != 1]}")
        return " and ".join(parts)

    def to_json(self, value: Decimal) -> str:
        return str(value.quantize(CENT))

    def from_json(self, written: JsonValue) -> Decimal:
        if isinstance(written, bool) or not isinstance(written, str | int | float):
            raise ValueError("not an amount")
        try:
            amount = Decimal(str(written))
            if not 0 <= amount < MAX or amount != amount.quantize(CENT):
                raise ValueError("not an amount")
        except InvalidOperation:
            raise ValueError("not an amount") from None
        return amount.quantize(CENT)

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "string",
            "description": f'An amount in {self.currency} as "12.50", or in the words of the '
            f'caller: "twelve {self._own.units[1]} fifty".',
        }

    # -- reading

    @cached_property
    def _unit(self) -> re.Pattern[str]:
        every = "|".join(
            rf"(?P<{name}>{one.units[0]}s?|{one.slang})" for name, one in CURRENCIES.items()
        )
        return re.compile(rf"\s*(?:{every}|(?P<symbol>[$\u20ac\u00a3]))(?!\w)", re.I)

    @cached_property
    def _vague(self) -> re.Pattern[str]:
        """Amounts that depend on another one, or are none: "half of", "a few dollars"."""
        some = r"a\s+few|some|several|many|a\s+couple|half\s+a"
        scale = r"(?:(?:\s+of)?\s+(?:hundred|thousand|million))?(?:\s+of)?"
        units = "|".join((self._own.units[1], self._own.units[0], self._own.slang))
        wrong = rf"\d+\.\d{{3,}}\s*(?:{units})|(?:minus|negative)\s+(?=[\w$])"
        return re.compile(rf"{_SHARE}|\b(?:{some}){scale}\s+(?:{units})(?!\w)|\b(?:{wrong})", re.I)

    @cached_property
    def _cents(self) -> re.Pattern[str]:
        return re.compile(r"\s*(?:cents?|pennies|penny|pence|p)(?!\w)", re.I)

    def _found(self, start: int, end: int, amount: Decimal, currency: str) -> Found:
        amount = amount.quantize(CENT)
        if currency == self.currency:
            return Found(start, end, amount)
        return Found(start, end, amount, f"Do you mean {amount} {self._own.units[1]}?")

    def _written(self, text: str) -> list[Found]:
        """ "$5", "12.50 dollars", "a fiver"."""
        found = [
            self._found(*one.span(), _decimal(one[2]), _BY_SYMBOL[one[1]])
            for one in _SYMBOL.finditer(text)
        ]
        for one in (*_DECIMAL.finditer(text), *_WITH_COMMA.finditer(text)):
            unit = self._unit.match(text, one.end())
            if unit is not None:
                found.append(self._found(one.start(), unit.end(), _decimal(one[1]), _name(unit)))
        if self.currency != "USD":
            for one in _NOTES.finditer(text):
                amount = Decimal(5 if one[1].lower() == "fiver" else 10)
                found.append(self._found(*one.span(), amount, self.currency))
        return found

    def _worded(self, text: str) -> list[Found]:
        """ "five dollars", "five dollars and ten cents", "fifty cents"."""
        tokens = tokens_of(text)
        found: list[Found] = []
        at = 0
        while at < len(tokens):
            one = self._worded_at(text, tokens, at)
            if one is None:
                at += 1
                continue
            found.append(one)
            while at < len(tokens) and tokens[at].start < one.end:
                at += 1
        return found

    def _worded_at(self, text: str, tokens: list[Token], at: int) -> Found | None:
        groups = _groups(text, tokens, at)
        if not groups or _SYMBOL.match(text, max(0, tokens[at].start - 1)):
            return None
        start, end = tokens[at].start, tokens[groups[-1].end - 1].end
        if at >= 2 and tokens[at - 1].text in ".," and _GLUED.search(text[: tokens[at].start]):
            return None
        if cents := self._cents.match(text, end):
            amount = Decimal(groups[-1].digits) / 100
            if amount < 1 and len(groups) == 1:
                return self._found(start, cents.end(), amount, self.currency)
        half = _A_HALF.match(text, end)
        unit = self._unit.match(text, half.end() if half else end)
        if unit is None:
            return None
        asked = ""
        if len(groups) == 1:
            amount = Decimal(groups[0].digits) + (Decimal("0.5") if half else 0)
        elif (divided := _dollars_and_cents(groups)) is not None:
            amount = divided
            whole = "".join(one.digits for one in groups)
            asked = f"Do you mean {amount} {self._own.units[1]}, or {whole}?"
        else:
            return None
        found = self._found(start, unit.end(), amount, _name(unit))
        if asked:
            return Found(start, unit.end(), found.value, asked)
        return self._with_cents(text, tokens, found) if not half else found

    def _with_cents(self, text: str, tokens: list[Token], found: Found) -> Found:
        """With the "and ten cents", "ten cents" or "ten" that follows."""
        at = next((n for n, one in enumerate(tokens) if one.start >= found.end), len(tokens))
        joined = at < len(tokens) and tokens[at].text in ("and", ",")
        cents = read_group(tokens, at + joined)
        if cents is None or len(cents.digits) > 2:
            return found
        end = tokens[cents.end - 1].end
        word = self._cents.match(text, end)
        directly = not joined and len(cents.digits) == 2 and not _NO_AMOUNT.match(text, end)
        if word is None and not directly:
            return found
        amount = found.value + Decimal(cents.digits) / 100
        return Found(found.start, word.end() if word else end, amount, found.question)

    def _said_anew(self, text: str, found: Found) -> Found | None:
        """The "twelve" of "ten dollars, I mean twelve"."""
        slip = _SAID_ANEW.match(text, found.end)
        tokens = tokens_of(text)
        at = next((n for n, one in enumerate(tokens) if slip and one.start == slip.end()), None)
        if at is None or tokens[at].text in ("a", "one"):
            return None
        groups = _groups(text, tokens, at)
        if not groups:
            return None
        start, end = tokens[at].start, tokens[groups[-1].end - 1].end
        amount = _dollars_and_cents(groups) if len(groups) > 1 else Decimal(groups[0].digits)
        if amount is None or _NO_AMOUNT.match(text, end) or self._unit.match(text, end):
            return None
        return Found(start, end, amount.quantize(CENT))

    def _bare(self, text: str) -> list[Found]:
        """ "twelve fifty", "12.50": no word says that it is money."""
        found = [
            Found(*one.span(), _decimal(one[1]).quantize(CENT))
            for one in _DECIMAL.finditer(text)
            if not _NO_AMOUNT.match(text, one.end())
        ]
        tokens = tokens_of(text)
        for run in read_runs(tokens, text):
            amount = None if any(one.pause for one in run) else _dollars_and_cents(run)
            start, end = _span(tokens, run[0])[0], _span(tokens, run[-1])[1]
            if amount is not None and not _NO_AMOUNT.match(text, end):
                found.append(Found(start, end, amount.quantize(CENT)))
        return found

    def _is_worded(self, text: str, found: Found) -> bool:
        said = text[found.start : found.end]
        return any(
            self._unit.match(said, at) or self._cents.match(said, at) for at in range(len(said))
        )

    def _only_cents(self, text: str) -> Decimal | None:
        """ "and fifty cents", "fifty": nothing else."""
        said = re.sub(r"^\W*(?:and|with)\s+", "", text, flags=re.I)
        tokens = tokens_of(said)
        group = read_group(tokens, 0)
        if group is None or len(group.digits) > 2:
            return None
        end = tokens[group.end - 1].end
        word = self._cents.match(said, end)
        rest = said[word.end() if word else end :]
        if rest.strip(" .,!?") or (word is None and said == text):
            return None
        return Decimal(group.digits) / 100


def _decimal(written: str) -> Decimal:
    if _COMMA.fullmatch(written):
        written = written.replace(",", ".")
    return Decimal(written.replace(",", ""))


def _name(unit: re.Match[str]) -> str:
    """The currency that `_unit` matched."""
    if unit["symbol"]:
        return _BY_SYMBOL[unit["symbol"]]
    return next(name for name in CURRENCIES if unit[name])


def _span(tokens: list[Token], group: Group) -> tuple[int, int]:
    return tokens[group.first].start, tokens[group.end - 1].end


def _groups(text: str, tokens: list[Token], at: int) -> list[Group]:
    """The numbers that stand there one after the other; "a" is one before a unit."""
    groups: list[Group] = []
    while len(groups) < GROUPS_MAX and (group := read_group(tokens, at)) is not None:
        groups.append(group)
        at = group.end
    if not groups and tokens[at].text in ("a", "one"):
        return [Group("1", at, at + 1)]
    return groups


def _dollars_and_cents(groups: list[Group]) -> Decimal | None:
    """ "twelve fifty" or "five oh five": the last two digits, said apart, are cents."""
    if len(groups) == 2 and len(groups[1].digits) == 2 and not groups[1].digits.startswith("0"):
        whole, cents = groups[0].digits, groups[1].digits
    elif len(groups) == 3 and groups[1].oh and len(groups[2].digits) == 1:
        whole, cents = groups[0].digits, f"0{groups[2].digits}"
    else:
        return None
    # "Fifty fifty" is no amount.
    if groups[0].oh or len(whole) > 3 or whole == cents:
        return None
    return Decimal(f"{whole}.{cents}")


Money = Annotated[Decimal, MoneyKind()]
"""An amount of dollars, to the cent: a `decimal.Decimal`."""
