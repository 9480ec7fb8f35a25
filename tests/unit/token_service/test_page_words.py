"""The page's words for the agent, from a file."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from service_base.settings import SettingsError
from token_service import page_words
from voice_contract.page_words import PageWords

CLINIC = Path(__file__).parents[3] / "examples" / "clinic" / "page.json"


def test_words_of_the_example_are_served() -> None:
    """As they stand in its file; no cache keeps them when another agent is started."""
    app = Starlette(routes=[Route("/api/page", page_words.answer(page_words.read(CLINIC)))])
    response = TestClient(app).get("/api/page")
    assert response.json()["name"] == "Maple Street Clinic"
    assert "Book an appointment" in response.json()["suggestions"]
    assert response.headers["cache-control"] == "no-store"


def test_words_without_a_file_are_the_pages_own() -> None:
    """Nothing is set, so the page says what was built into it."""
    assert page_words.read(None) == PageWords()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"name": ""}', "name: String should have at least 1 character."),
        ('{"nmae": "House"}', "nmae: Extra inputs are not permitted."),
        ("{", "the file: Invalid JSON"),
    ],
)
def test_words_that_are_wrong_name_the_file_and_what_is_wrong(
    tmp_path: Path, text: str, problem: str
) -> None:
    """The service does not start with half a page."""
    file = tmp_path / "page.json"
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        page_words.read(file)
    assert str(raised.value).startswith(f"PARLEY_TOKEN_PAGE_FILE: {file}: {problem}")


def test_words_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(SettingsError, match=r"nowhere\.json cannot be read: No such file"):
        page_words.read(tmp_path / "nowhere.json")
