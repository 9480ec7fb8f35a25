"""`GET /api/page`: the page's words for the agent, from a file of the agent's author."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from service_base.settings import SettingsError
from token_service.responses import json_response
from voice_contract.page_words import PageWords


def read(file: Path | None) -> PageWords:
    """
    The words in *file*; None: those built into the page.

    Raises: SettingsError: it cannot be read, or is not what the page takes.
    """
    if file is None:
        return PageWords()
    try:
        return PageWords.model_validate_json(file.read_bytes())
    except OSError as error:
        raise SettingsError(
            f"PARLEY_TOKEN_PAGE_FILE: {file} cannot be read: {error.strerror}."
        ) from error
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, wrong["loc"])) or "the file"
        raise SettingsError(f"PARLEY_TOKEN_PAGE_FILE: {file}: {where}: {wrong['msg']}.") from error


def answer(words: PageWords) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that returns *words*."""

    async def page(_: Request) -> Response:
        return json_response(words)

    return page
