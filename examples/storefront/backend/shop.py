"""The shop that every route works on: its database, its clock, its settings."""

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from starlette.requests import Request

from examples.backend_base.clock import Clock
from examples.backend_base.database import Database
from examples.storefront.backend.reads import Reads


@dataclass(frozen=True)
class Shop:
    """What lives as long as the process."""

    database: Database
    clock: Clock
    timezone: tzinfo
    demo_customer: bool
    reads: Reads = field(default_factory=Reads)

    def now(self) -> datetime:
        """The present on the shop's own clock, aware."""
        return self.clock().astimezone(self.timezone)

    def today(self) -> date:
        """The day that it is in the shop."""
        return self.now().date()


def shop_of(request: Request) -> Shop:
    """The shop of the application that serves *request*."""
    shop = request.app.state.shop
    assert isinstance(shop, Shop)
    return shop
