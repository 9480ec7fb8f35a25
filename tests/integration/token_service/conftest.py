"""The token service with a real SFU and a real database, once with each kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.applications import Starlette

from call_record import workers
from call_record.record import Record
from tests.support.local_stack import LocalStack
from tests.support.token_service import client
from token_service.app import build
from token_service.settings import TokenSettings


@pytest.fixture
def web_dir(tmp_path: Path) -> Path:
    """A built page, as small as can be."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Parley</title>")
    (folder / "assets" / "index-abc.js").write_text("1")
    return folder


@pytest.fixture
async def settings(
    sfu: LocalStack, record: Record, database_url: str, tmp_path: Path, web_dir: Path
) -> TokenSettings:
    """Settings for the SFU and the database of the tests; a worker with a hundred slots."""
    await workers.register(record, "worker", 100)
    return TokenSettings(
        _env_file=None,
        sfu_url=sfu.sfu_url,
        sfu_keys_file=sfu.keys_file,
        web_dir=web_dir,
        token_open=True,
        token_rate_caller=1_000,
        token_rate_address=1_000,
        database_url=database_url,
        journal_keys_file=tmp_path / "journal-keys.yaml",
    )


@pytest.fixture
def app(settings: TokenSettings) -> Starlette:
    """The application; `http` runs it."""
    return build(settings)


@pytest.fixture
async def http(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the token service, with cookies as a browser has them."""
    async with client(app) as connected:
        yield connected
