"""Settings: what is wrong is said before anything starts."""

import pytest

from examples.storefront.backend.settings import StorefrontSettings
from service_base.settings import SettingsError, load


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "sqlite:///shop.db",
        "mysql+aiomysql://localhost/shop",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "postgresql+asyncpg://user:hunter2@host",
    ],
)
def test_settings_with_a_wrong_database_url_name_the_variable_and_hide_the_value(url: str) -> None:
    """The URL may hold a password, so it is not repeated."""
    with pytest.raises(SettingsError, match=r"^PARLEY_STOREFRONT_DATABASE_URL: ") as caught:
        load(StorefrontSettings, storefront_database_url=url, _env_file=None)
    assert url not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["sqlite+aiosqlite:///a/shop.db", "postgresql+asyncpg://shop:secret@host/shop"]
)
def test_settings_with_a_database_url_keep_it_out_of_their_text(url: str) -> None:
    """Both databases are accepted; printing the settings shows no password."""
    settings = load(StorefrontSettings, storefront_database_url=url, _env_file=None)
    assert settings.storefront_database_url == url
    assert url not in repr(settings)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "Europe"])
def test_settings_with_an_unknown_time_zone_say_so(name: str) -> None:
    """Time zones have IANA names."""
    with pytest.raises(SettingsError, match=r"^PARLEY_STOREFRONT_TIMEZONE: expected the name"):
        load(StorefrontSettings, storefront_timezone=name, _env_file=None)


def test_settings_with_a_short_api_key_say_so() -> None:
    """A secret that can be guessed is none."""
    with pytest.raises(SettingsError, match=r"^PARLEY_STOREFRONT_API_KEY: .*at least 16"):
        load(StorefrontSettings, storefront_api_key="short", _env_file=None)
