"""What the tests of the record share."""

import dataclasses

import pytest

from call_record.record import Record
from tests.support.calls import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """Turned by hand."""
    return FakeClock()


@pytest.fixture
def clocked(record: Record, clock: FakeClock) -> Record:
    """The record with that clock."""
    return dataclasses.replace(record, clock=clock)
