"""A line of a table of times."""

from dataclasses import dataclass

HEADER = f"{'':<52}{'p50 ms':>9}{'p99 ms':>9}{'a second':>11}"
"""Above rows that begin with a database's name in 12 columns."""


@dataclass(frozen=True)
class Row:
    """What was done how often, and how long each took."""

    what: str
    times_s: list[float]
    a_second: float

    def __str__(self) -> str:
        ordered = sorted(self.times_s)
        p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
        return f"{self.what:<40}{p50:>9.2f}{p99:>9.2f}{self.a_second:>11.0f}"
