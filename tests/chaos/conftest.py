"""A fleet for all tests of this folder, whole again before each of them."""

from collections.abc import Iterator

import pytest

from tests.chaos import results
from tests.chaos.fleet import Fleet, running_fleet


@pytest.fixture(scope="session")
def shared_fleet(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Fleet]:
    """Started once."""
    with running_fleet(tmp_path_factory.mktemp("fleet"), postgres_url) as started:
        yield started


@pytest.fixture
def fleet(shared_fleet: Fleet) -> Fleet:
    """Everything runs and is ready."""
    shared_fleet.mend()
    return shared_fleet


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of all that was measured."""
    if results.MEASURED:
        terminalreporter.section("what the caller waited")
        for line in results.table():
            terminalreporter.write_line(line)
