"""Who a caller is: by name and telephone number together, or by the sign-in."""

import re

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.database import Session
from examples.backend_base.errors import NotFound
from examples.backend_base.payloads import Payload, answer
from examples.clinic.backend.clinic import clinic_of
from examples.clinic.backend.tables import Patient

IDENTITY_HEADER = "X-Patient-Identity"


class PatientUnknown(NotFound):
    """I find no appointment under that name and telephone number."""

    code = "patient-not-found"


class Who(Payload):
    """What tells a patient from all others. Knowing one of both is not enough."""

    name: str = Field(min_length=1, max_length=100)
    phone_number: str = Field(pattern=r"^\+?\d{7,15}$")


class PatientAnswer(BaseModel):
    """A patient who has signed in."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    phone_number: str
    email: str | None


def name_key(name: str) -> str:
    """*name* as it is compared: "anne-marie oneill" is "Anne-Marie O'Neill"."""
    return re.sub(r"[\W_]", "", name.casefold())


async def find(session: Session, who: Who) -> Patient | None:
    """The patient of that name and number."""
    return await session.scalar(
        select(Patient).where(
            Patient.name_key == name_key(who.name), Patient.phone_number == who.phone_number
        )
    )


async def me(request: Request) -> Response:
    """`GET /v1/me`: who has signed in so."""
    async with clinic_of(request).database.reading() as session:
        identity = request.headers.get(IDENTITY_HEADER, "")
        patient = await session.scalar(select(Patient).where(Patient.identity == identity))
        if patient is None:
            raise PatientUnknown
        return answer(PatientAnswer.model_validate(patient))


ROUTES = [Route("/v1/me", me)]
