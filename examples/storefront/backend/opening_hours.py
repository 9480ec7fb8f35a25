"""`GET /v1/opening-hours`: when the shop is open."""

import calendar
from datetime import date, time

from pydantic import BaseModel
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.database import Session
from examples.backend_base.payloads import ClockTime, answer
from examples.storefront.backend.shop import shop_of
from examples.storefront.backend.tables import OpeningHours

WEEKDAYS = tuple(name.lower() for name in calendar.day_name)


class WeekdayAnswer(BaseModel):
    """One day of the week; both times are null when the shop stays closed."""

    weekday: str
    opens: ClockTime | None
    closes: ClockTime | None


class OpeningHoursAnswer(BaseModel):
    """The week from Monday on, and what the shop's own clock says."""

    timezone: str
    today: date
    local_time: ClockTime
    open_now: bool
    weekdays: list[WeekdayAnswer]


Week = dict[int, tuple[time, time]]
"""Opening and closing time by weekday, 0 is Monday; days without hours are missing."""


async def week(session: Session) -> Week:
    """The shop's opening hours."""
    rows = await session.scalars(select(OpeningHours))
    return {row.weekday: (row.opens, row.closes) for row in rows}


async def show(request: Request) -> Response:
    """`GET /v1/opening-hours`"""
    shop = shop_of(request)
    async with shop.database.reading() as session:
        hours = await week(session)
    now = shop.now()
    opens, closes = hours.get(now.weekday(), (None, None))
    days = [(name, *hours.get(number, (None, None))) for number, name in enumerate(WEEKDAYS)]
    return answer(
        OpeningHoursAnswer(
            timezone=str(shop.timezone),
            today=now.date(),
            local_time=now.time(),
            open_now=bool(opens and closes and opens <= now.time() < closes),
            weekdays=[WeekdayAnswer(weekday=d, opens=o, closes=c) for d, o, c in days],
        )
    )


ROUTES = [Route("/v1/opening-hours", show)]
