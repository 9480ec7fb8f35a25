"""What the tests of the supervisor share."""

import dataclasses

import pytest

from call_record.record import Record
from tests.support.calls import FakeClock
from tests.unit.call_supervisor.world import World


@pytest.fixture
def clock() -> FakeClock:
    """Turned by hand."""
    return FakeClock()


@pytest.fixture
def world(record: Record, clock: FakeClock) -> World:
    """A world around an empty record, on both databases."""
    return World(dataclasses.replace(record, clock=clock), clock)
