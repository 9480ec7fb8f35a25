"""What a client may be told. Each `detail` is one sentence that can be said aloud."""

import structlog
from sqlalchemy import exc
from starlette.requests import Request
from starlette.responses import Response

from service_base.problems import EXCEPTION_HANDLERS, ServiceError

log = structlog.get_logger()


class NotFound(ServiceError):
    """There is no such thing."""

    status = 404
    code = "not-found"


class Refusal(ServiceError):
    """This cannot be done now."""

    status = 409
    code = "refused"


class RecordsUnavailable(ServiceError):
    """The records cannot be reached right now. Please try again in a moment."""

    status = 503
    code = "records-unavailable"
    retry_after_s = 1


DATABASE_DOWN = (exc.DBAPIError, exc.TimeoutError, OSError)
"""What the drivers raise when the database is locked, busy, broken or gone."""


async def _records_unavailable(request: Request, error: Exception) -> Response:
    log.error("database.failed", path=request.url.path, exc_info=error)
    return await EXCEPTION_HANDLERS[ServiceError](request, RecordsUnavailable())


BACKEND_HANDLERS = {**EXCEPTION_HANDLERS, **dict.fromkeys(DATABASE_DOWN, _records_unavailable)}
"""For `Starlette(exception_handlers=...)`."""
