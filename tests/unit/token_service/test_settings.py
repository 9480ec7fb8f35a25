"""Settings that would let strangers in are refused before anything listens."""

from typing import Any

import pytest

from call_record.admission import Limits
from service_base.settings import SettingsError, load
from token_service.settings import TokenSettings


def loaded(**values: Any) -> TokenSettings:
    return load(TokenSettings, _env_file=None, **values)


@pytest.mark.parametrize("host", ["::", "192.168.1.2", "voice.example"])
def test_settings_without_sign_in_are_for_loopback_alone(host: str) -> None:
    """Unless somebody says that they want it so."""
    with pytest.raises(SettingsError, match="PARLEY_TOKEN_OPEN: everyone who reaches"):
        loaded(token_host=host)
    assert not loaded(token_host=host, token_open=True).is_for_loopback
    assert loaded(token_host="localhost").is_for_loopback
    assert not loaded(
        token_host=host, token_auth="api-key", token_api_keys_file="keys.yaml"
    ).is_for_loopback


def test_settings_of_oidc_are_complete() -> None:
    """A token of any audience would be any service's token."""
    given = {
        "token_oidc_issuer": "https://login.example",
        "token_oidc_audience": "parley",
        "token_oidc_jwks_url": "https://login.example/jwks",
    }
    loaded(token_auth="oidc", **given)
    for name in given:
        others = {key: value for key, value in given.items() if key != name}
        with pytest.raises(SettingsError, match=f"PARLEY_{name.upper()}: .* needs it"):
            loaded(token_auth="oidc", **others)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token_oidc_jwks_url", "http://login.example/jwks"),
        ("token_oidc_jwks_url", "file:///etc/passwd"),
        ("token_origins", "https://shop.example/"),
        ("token_origins", "shop.example"),
        ("token_origins", "https://a.example,*"),
        ("token_trusted_proxies", "*"),
        ("token_trusted_proxies", "10.0.0.1/8"),
        ("token_trusted_proxies", "proxy.example"),
        ("token_rate_redis_url", "http://redis.example"),
        ("token_rate_caller", 0),
        ("sfu_api_secret", "x" * 40),
    ],
)
def test_settings_that_say_nothing_safe_are_refused(name: str, value: object) -> None:
    """By name, with what is expected."""
    with pytest.raises(SettingsError, match=f"PARLEY_{name.upper()}: "):
        loaded(**{name: value})


def test_settings_lists_are_separated_by_commas() -> None:
    """Spaces do not matter."""
    settings = loaded(
        token_origins="https://a.example, http://b.example:8080",
        token_trusted_proxies="10.0.0.0/8,::1",
    )
    assert settings.origins == ["https://a.example", "http://b.example:8080"]
    assert settings.trusted_proxies == ["10.0.0.0/8", "::1"]


def test_settings_limits_of_zero_are_none() -> None:
    """No limit is an explicit choice."""
    none = loaded(
        token_calls_a_caller=0, token_minutes_a_day=0, token_calls_max=0, token_network_share=1
    )
    assert none.limits == Limits()
    assert loaded().limits == Limits(calls_a_caller=2, minutes_a_day=120, network_share=0.5)


def test_settings_secrets_are_not_shown() -> None:
    """Settings may end in a log line."""
    settings = loaded(
        token_rate_redis_url="redis://:hunter2@redis.example",
        database_url="postgresql+asyncpg://parley:hunter2@db.example/parley",
        sfu_api_key="API1",
        sfu_api_secret="hunter2" * 5,
    )
    assert "hunter2" not in repr(settings) + str(settings) + repr(settings.sfu_key())
