"""Call-backs: a person of the clinic calls somebody, patient or not."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.database import Session
from examples.backend_base.effects import Done
from examples.clinic.backend.clinic import Clinic
from examples.clinic.backend.patients import Who
from examples.clinic.backend.tables import Callback
from examples.clinic.backend.writing import perform


class CallbackRequest(Who):
    topic: Literal["question", "prescription"] = "question"
    text: str = Field("", max_length=200)


class CallbackAnswer(BaseModel):
    """A promise to call back."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    phone_number: str
    topic: str
    text: str


async def create(request: Request) -> Response:
    """`POST /v1/callbacks`"""

    async def effect(clinic: Clinic, session: Session, wish: CallbackRequest) -> Done:
        promised = Callback(**wish.model_dump(), at=clinic.clock())
        session.add(promised)
        await session.flush()
        told = CallbackAnswer.model_validate(promised)
        return Done("callback.requested", f"callback:{promised.id}", told, 201)

    return await perform(request, CallbackRequest, effect)


ROUTES = [Route("/v1/callbacks", create, methods=["POST"])]
