"""
`POST /v1/reset`: the demo data as on the first day. The route is there only with `--allow-reset`.

Rehearsals ask for it before each script.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.database import Database
from examples.backend_base.errors import RecordsUnavailable, Refusal
from service_base.settings import SettingsError


class NotADemonstration(Refusal):
    """These records are not only of the people of the demo data, so they are not erased."""

    code = "not-a-demonstration"


def reset_route(
    database: Database, strangers: Select[Any], start_over: Callable[[], Awaitable[None]]
) -> Route:
    """
    The route of a backend on *database*.

    Args:
        strangers: finds whoever does not belong to the demo data; with one of them, nothing is
            erased.
        start_over: erases all data and seeds it. Raises: SettingsError.
    """

    async def reset(_: Request) -> Response:
        async with database.reading() as session:
            if await session.scalar(strangers.limit(1)) is not None:
                raise NotADemonstration
        try:
            await start_over()
        except SettingsError:
            raise RecordsUnavailable from None
        return Response(status_code=204)

    return Route("/v1/reset", reset, methods=["POST"])
