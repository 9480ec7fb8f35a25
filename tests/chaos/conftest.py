"""A fleet for all tests of this folder, whole again before each of them."""

from collections.abc import Generator, Iterator

import pytest

from tests.chaos import results
from tests.chaos.fleet import Fleet, running_fleet
from tests.chaos.island import Island, made

LOG_LINES = 30
LOG_COLUMNS = 300


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


@pytest.fixture
def island() -> Iterator[Island]:
    """Where those are whose network is cut."""
    island = made()
    yield island
    island.remove()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows the end of every service's log."""
    report = yield
    fleet = getattr(item, "funcargs", {}).get("shared_fleet")
    if report.failed and isinstance(fleet, Fleet):
        for service in fleet.services:
            lines = [line[:LOG_COLUMNS] for line in service.text.splitlines()[-LOG_LINES:]]
            report.sections.append((service.log.name, "\n".join(lines)))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of all that was measured."""
    if results.MEASURED:
        terminalreporter.section("what the caller waited")
        for line in results.table():
            terminalreporter.write_line(line)
    for title, lines in results.SECTIONS.items():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)
