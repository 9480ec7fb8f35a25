"""What a text may say of a call: the numbers, dates and deeds that its journal holds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from text_to_num import alpha2digit

from post_call import money
from post_call.call_facts import CallFacts

_NUMBER = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_DEEDS = {
    participle: stem
    for stem, *participles in (
        ("approve", "approved"),
        ("book", "booked"),
        ("cancel", "cancelled", "canceled"),
        ("change", "changed"),
        ("charge", "charged"),
        ("close", "closed"),
        ("confirm", "confirmed"),
        ("create", "created"),
        ("delete", "deleted"),
        ("deliver", "delivered"),
        ("exchange", "exchanged"),
        ("mail", "mailed", "emailed"),
        ("move", "moved"),
        ("open", "opened"),
        ("order", "ordered"),
        ("pay", "paid"),
        ("refund", "refunded"),
        ("remove", "removed"),
        ("repair", "repaired", "fixed"),
        ("replace", "replaced"),
        ("reschedule", "rescheduled"),
        ("reserve", "reserved"),
        ("return", "returned"),
        ("schedule", "scheduled"),
        ("send", "sent"),
        ("ship", "shipped"),
        ("transfer", "transferred"),
        ("update", "updated"),
    )
    for participle in participles
}
"""What may have been done, as it is said afterwards, and by what a tool's name says it."""
_ISO_DAY = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_MONTH_DAY = re.compile(
    rf"\b(?:({'|'.join(_MONTHS)}) (?:the )?(\d{{1,2}})|(\d{{1,2}}) (?:of )?({'|'.join(_MONTHS)}))\b"
)


@dataclass(frozen=True)
class Evidence:
    """What the journal holds, in a form that a text can be held against."""

    numbers: frozenset[Decimal]
    deeds: frozenset[str]
    day: date
    """Of the call, UTC."""

    def supports(self, text: str) -> bool:
        """Whether each number in *text*, and each deed that it says was done, is in the journal."""
        return numbers_in(text) <= self.numbers and _done(text) <= self.deeds

    def supported(self, text: str) -> tuple[str, int]:
        """The sentences of *text* that the journal supports, and how many others there were."""
        sentences = [one for one in _SENTENCE.split(text.strip()) if one]
        kept = [one for one in sentences if self.supports(one)]
        return " ".join(kept), len(sentences) - len(kept)


def evidence(facts: CallFacts) -> Evidence:
    """What the journal of a call holds."""
    numbers: set[Decimal] = set()
    deeds: set[str] = set()
    for text in facts.texts():
        numbers |= numbers_in(text, spoken=True)
        deeds |= _done(text)
    for tool in facts.finished:
        deeds |= set(_DEEDS.values()) & set(tool.tool.lower().split("_"))
    day = datetime.fromtimestamp(facts.call.admitted_at_ms / 1000, UTC).date()
    return Evidence(frozenset(numbers), frozenset(deeds), day)


def numbers_in(text: str, *, spoken: bool = False) -> set[Decimal]:
    """
    The numbers in *text*.

    Args: spoken: also those in words, up to the smallest.
    """
    words = text.replace("-", " ")
    found = {*_numbers(text), *_numbers(alpha2digit(words, "en"))}
    if spoken:
        digits = alpha2digit(words.lower(), "en", threshold=0)
        # Also the parts of an amount: "five dollars and twenty cents" bears out "five dollars".
        found |= {*_numbers(digits), *_NUMBER.findall(digits)}
    return {Decimal(one.replace(",", "")) for one in found}


def _numbers(text: str) -> list[str]:
    return _NUMBER.findall(money.plain(text))


def dates_in(texts: Iterable[str], today: date) -> set[date]:
    """The days that are named in *texts*, said on the day *today*; a weekday is the next one."""
    found: set[date] = set()
    for text in texts:
        lowered = text.lower()
        found |= {
            day for y, m, d in _ISO_DAY.findall(text) if (day := _day(int(y), int(m), int(d)))
        }
        words = set(re.findall(r"[a-z]+", lowered))
        if "today" in words:
            found.add(today)
        if "tomorrow" in words:
            found.add(today + timedelta(days=1))
        for index, name in enumerate(_WEEKDAYS):
            if name in words:
                found.add(today + timedelta(days=(index - today.weekday() - 1) % 7 + 1))
        digits = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", alpha2digit(lowered, "en", threshold=0))
        for month, day_after, day_before, month_after in _MONTH_DAY.findall(digits):
            number = _MONTHS.index(month or month_after) + 1
            for year in (today.year, today.year + 1):
                said = _day(year, number, int(day_after or day_before))
                if said and said >= today:
                    found.add(said)
                    break
    return found


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _done(text: str) -> set[str]:
    """What *text* says was done."""
    return {_DEEDS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in _DEEDS}
