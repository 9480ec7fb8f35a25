"""What each fault cost, gathered over a run and printed as a table."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

MEASURED: "defaultdict[str, Line]" = defaultdict(lambda: Line())
"""By fault, in the order of the first run."""

SECTIONS: dict[str, list[str]] = {}
"""Other tables, by title."""


@dataclass
class Line:
    """The runs of one fault."""

    took_s: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def measured(fault: str, took_s: float, note: str = "") -> None:
    """A run of *fault* was over, for the caller, after *took_s*."""
    MEASURED[fault].took_s.append(took_s)
    if note:
        MEASURED[fault].notes.append(note)
    print(f"{fault}: {took_s:.2f} s {note}")


def quantile(values: list[float], share: float) -> float:
    """The smallest value that *share* of *values* do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def table() -> Iterator[str]:
    """The table, in Markdown."""
    yield "| fault | runs | p50 s | p95 s | longest s |"
    yield "|---|---|---|---|---|"
    for fault, line in MEASURED.items():
        took = line.took_s
        numbers = " | ".join(f"{quantile(took, share):.2f}" for share in (0.5, 0.95, 1.0))
        yield f"| {fault} | {len(took)} | {numbers} |"
