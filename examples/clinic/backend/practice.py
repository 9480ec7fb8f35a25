"""`GET /v1/practice`: where the clinic is, when it is open, whom it takes."""

from datetime import time

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.payloads import ClockTime, Day, answer
from examples.clinic.backend import schedule
from examples.clinic.backend.clinic import clinic_of

ADDRESS = "14 Maple Street, on the second floor, across from the library"
TAKES_NEW_PATIENTS = True


class DayAnswer(BaseModel):
    """A day of the week, 0 is Monday; both times are null when the clinic is closed."""

    weekday: int
    opens: ClockTime | None
    closes: ClockTime | None


class PracticeAnswer(BaseModel):
    """What everybody may know. `today`: on the clinic's own clock."""

    address: str
    takes_new_patients: bool
    today: Day
    week: list[DayAnswer]


async def show(request: Request) -> Response:
    """`GET /v1/practice`"""
    closed: tuple[time | None, time | None] = (None, None)
    hours = [schedule.HOURS.get(weekday, closed) for weekday in range(7)]
    return answer(
        PracticeAnswer(
            address=ADDRESS,
            takes_new_patients=TAKES_NEW_PATIENTS,
            today=clinic_of(request).now().date(),
            week=[DayAnswer(weekday=n, opens=o, closes=c) for n, (o, c) in enumerate(hours)],
        )
    )


ROUTES = [Route("/v1/practice", show)]
