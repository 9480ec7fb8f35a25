"""The clinic that every route works on: its database and its clock."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from starlette.requests import Request

from examples.backend_base.clock import Clock
from examples.backend_base.database import Database


@dataclass(frozen=True)
class Clinic:
    """What lives as long as the process."""

    database: Database
    clock: Clock
    timezone: tzinfo

    def now(self) -> datetime:
        """The present on the clinic's own clock, aware."""
        return self.clock().astimezone(self.timezone)


def clinic_of(request: Request) -> Clinic:
    """The clinic of the application that serves *request*."""
    clinic = request.app.state.clinic
    assert isinstance(clinic, Clinic)
    return clinic
