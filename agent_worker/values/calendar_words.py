"""Names of months, weekdays and parts of the day, as patterns; when none of them suits."""

import re

from agent_worker.values.tokens import APOSTROPHE, before

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
WEEKDAY = (
    r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|tues|weds|thurs?|tue|mon|wed|fri"
    r"|(?-i:Sat|Sun)|(?:(?<=\bon )|(?<=\bthis )|(?<=\bnext )|(?<=\bfor )|(?<=\btil ))(?:sat|sun)\b"
    r"|sat(?=\s+(?:morning|afternoon|evening|night|\d)))"
)
PART_OF_DAY = r"(?:morning|afternoon|evening|night)"


def month_of(said: str) -> int:
    """The number of the month that matched `MONTH`."""
    return next(n for n, name in enumerate(MONTHS, start=1) if name[:3] == said[:3].lower())


def weekday_of(said: str) -> int:
    """The number of the weekday that matched `WEEKDAY`; Monday is 0."""
    return next(n for n, name in enumerate(WEEKDAYS) if name[:3] == said[:3].lower())


_CANNOT = rf"(?:ca|wo|could)n{APOSTROPHE}?t|can\s?not|could\s+not|(?:unable|not\s+able)\s+to"
_NEVER_THEN = re.compile(
    rf"\b(?:(?:{_CANNOT})\s+(?:make|do|come|attend|manage|be\s+(?:there|in)|get\s+(?:there|in))"
    rf"(?:\s+(?:it|in|by|over))?|do(?:n{APOSTROPHE}?t|\s+not)\s+think(?:\s+that)?"
    rf"|i(?:{APOSTROPHE}?m|\s+am)\s+(?:not\s+(?:free|available|around|there|here|in)"
    r"|busy|away|out|working|off))\s+(?:(?:on|at|the|this|next)\s+)*$",
    re.I,
)
_SUITS_NOT = re.compile(
    rf"\s+(?:(?:really|just|unfortunately)\s+)?(?:(?:(?:does|wo|is|would|ca)n{APOSTROPHE}?t"
    r"|(?:does|will|is|would|can)\s+not|cannot|never)\s+(?:(?:really|going\s+to|be|any)\s+)*"
    r"(?:works?|suits?|fits?|do|good|possible|convenient|great|ideal|ok|okay|any\s+good)\b"
    rf"|(?:is|would\s+be|will\s+be|is\s+going\s+to\s+be)\s+(?:too\s+\w+|no\s+good|no\s+use|bad"
    r"|difficult|tricky|hard|impossible)\b)",
    re.I,
)


def suits_not(text: str, start: int, end: int) -> bool:
    """Whether *text* says that the day or time which stands there does not suit the caller."""
    return bool(_NEVER_THEN.search(before(text, start)) or _SUITS_NOT.match(text, end))
