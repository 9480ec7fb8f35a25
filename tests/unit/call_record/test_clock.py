"""The machine's clocks."""

import time

import pytest

from call_record.clock import SystemClock


def test_deadlines_go_by_the_clock_that_counts_sleep() -> None:
    """On Linux that is CLOCK_BOOTTIME."""
    before_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before_s <= SystemClock().boot_s() <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_deadlines_without_a_boottime_clock_go_by_the_monotonic_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on macOS."""
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    before_s = time.clock_gettime(time.CLOCK_MONOTONIC)
    assert before_s <= SystemClock().boot_s() <= time.clock_gettime(time.CLOCK_MONOTONIC)
