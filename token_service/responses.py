"""Responses of the API."""

from pydantic import BaseModel
from starlette.responses import Response


def json_response(model: BaseModel, *, status: int = 200) -> Response:
    """*model* as JSON that no cache may store."""
    return Response(
        model.model_dump_json(),
        status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
