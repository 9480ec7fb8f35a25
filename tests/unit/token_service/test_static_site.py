"""The page, as it is served."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.testclient import TestClient

from service_base.problems import EXCEPTION_HANDLERS
from token_service.static_site import SecurityHeaders, StaticSite


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A built page, as small as can be."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Parley</title>")
    (tmp_path / "assets" / "index-abc.js").write_text("1")
    return tmp_path


@pytest.fixture
def page(folder: Path) -> TestClient:
    """A browser."""
    headers = Middleware(SecurityHeaders, rtc_url="wss://sfu.example:7880")
    routes = [Mount("/", StaticSite(folder))]
    return TestClient(Starlette(False, routes, [headers], EXCEPTION_HANDLERS))


def test_page_is_served_under_a_strict_policy(page: TestClient) -> None:
    """Scripts and styles from here alone; connections to the SFU and nowhere else."""
    response = page.get("/")
    policy = dict(
        part.split(" ", 1) for part in response.headers["content-security-policy"].split("; ")
    )
    assert response.status_code == 200
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self' wss://sfu.example:7880 https://sfu.example:7880"
    assert "unsafe" not in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"


def test_page_assets_are_cached_and_the_page_is_not(page: TestClient) -> None:
    """A new version is seen at the next load; unchanged parts are not fetched again."""
    assert page.get("/").headers["cache-control"] == "no-cache"
    assert "immutable" in page.get("/assets/index-abc.js").headers["cache-control"]
    missing = page.get("/assets/gone.js")
    assert missing.status_code == 404
    assert "immutable" not in missing.headers["cache-control"]


def test_page_that_is_not_built_says_how_to_build_it(page: TestClient, folder: Path) -> None:
    """What to run, instead of an empty page."""
    (folder / "index.html").unlink()
    answer = page.get("/")
    assert (answer.status_code, "make" in answer.text) == (503, True)
