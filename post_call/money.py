"""Amounts of money as data and people give them; no currency is preferred."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Currency:
    """How a currency is written and said, in English. Words are regular expressions."""

    signs: tuple[str, ...]
    words: str
    minor: tuple[str, ...] = ()
    """Its hundredth parts."""


CURRENCIES = (
    Currency(("$", "USD", "AUD", "CAD", "NZD", "SGD"), "dollars?", ("cent", "cents")),
    Currency(("€", "EUR"), "euros?", ("cent", "cents")),
    Currency(("£", "GBP"), "pounds?", ("penny", "pence")),
    Currency(("CHF",), "francs?", ("rappen", "centime", "centimes")),
    Currency(("kr", "SEK", "NOK", "DKK"), "kron[aeo]r?", ("öre", "øre")),
    Currency(("zł", "PLN"), "zlot(?:y|ys|ych)", ("grosz", "groszy")),
    Currency(("₹", "INR"), "rupees?", ("paisa", "paise")),
    Currency(("R$", "BRL"), "rea(?:l|is)", ("centavo", "centavos")),
    Currency(("¥", "JPY", "CNY"), "yen|yuan"),
)
"""To know another one, add a line."""

MINOR_UNITS = frozenset({"minor", *(word for one in CURRENCIES for word in one.minor)})
"""A field whose name ends so holds hundredth parts: `total_cents`, `amount_minor`."""
_SIGN = "|".join(re.escape(sign) for one in CURRENCIES for sign in one.signs)
_WORD = "|".join(one.words for one in CURRENCIES)
_MINOR = "|".join(sorted(MINOR_UNITS, key=len, reverse=True))
_PARTS = re.compile(
    rf"(?<![\d.,])(\d+) ({_WORD})(?:,| and)? (\d{{1,2}}) (?:{_MINOR})\b", re.IGNORECASE
)
_WHOLE = r"\d{1,3}(?:\.\d{3})+|\d+"
_COMMA = re.compile(
    rf"(?:(?<!\w)(?:{_SIGN}) ?({_WHOLE}),(\d\d)(?!\d)"
    rf"|(?<![\d.,])({_WHOLE}),(\d\d) ?(?:(?:{_SIGN})(?!\w)|(?:{_WORD})\b))",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """*text* with each amount as one number: `5 dollars and 20 cents` and `€ 5,20` become 5.20."""
    text = _PARTS.sub(lambda found: f"{found[1]}.{int(found[3]):02} {found[2]}", text)
    return _COMMA.sub(_with_a_point, text)


def said(name: str, value: object) -> Iterator[str]:
    """How people say the *value* of a field of that *name*, if it counts hundredth parts."""
    if (
        name.rpartition("_")[2].lower() in MINOR_UNITS
        and isinstance(value, int)
        and not isinstance(value, bool)
    ):
        yield f"{Decimal(value) / 100:.2f}"


def _with_a_point(found: re.Match[str]) -> str:
    whole, part = found[1] or found[3], found[2] or found[4]
    return f"{whole.replace('.', '')}.{part} "
