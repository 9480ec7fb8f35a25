"""Names of months, weekdays and parts of the day, as patterns."""

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
    r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|tues|weds|thurs?|tue"
    r"|(?-i:Mon|Wed|Fri|Sat|Sun))"
)
PART_OF_DAY = r"(?:morning|afternoon|evening|night)"


def month_of(said: str) -> int:
    """The number of the month that matched `MONTH`."""
    return next(n for n, name in enumerate(MONTHS, start=1) if name[:3] == said[:3].lower())


def weekday_of(said: str) -> int:
    """The number of the weekday that matched `WEEKDAY`; Monday is 0."""
    return next(n for n, name in enumerate(WEEKDAYS) if name[:3] == said[:3].lower())
