"""Settings that are wrong are told in a sentence, before anything starts."""

from pathlib import Path
from typing import Any

import pytest

from call_record import keys
from examples.storefront.connectors import StorefrontCrm
from post_call.app import build
from post_call.connectors.loading import load as load_connector
from post_call.executor_id import ExecutorId
from post_call.settings import PostCallSettings
from service_base.settings import SettingsError, load
from tests.unit.post_call.conftest import SECRET

NOBODY = ExecutorId("a", -1)


def settings(tmp_path: Path, **chosen: Any) -> PostCallSettings:
    return load(PostCallSettings, _env_file=None, run_dir=tmp_path, **chosen)


@pytest.mark.parametrize(
    ("chosen", "problem"),
    [
        ({"post_call_tickets": "request-tracker"}, "RT_TOKEN: Request Tracker needs a token"),
        (
            {"post_call_tickets": "request-tracker", "post_call_rt_token": "t"},
            "RT_URL: Request Tracker needs its address",
        ),
        (
            {"post_call_tickets": "request-tracker", "post_call_rt_token_file": "/nowhere"},
            "RT_TOKEN_FILE: /nowhere cannot be read",
        ),
        ({"post_call_crm": "nowhere:Crm"}, r"CRM: nowhere:Crm cannot be loaded: No module"),
        ({"post_call_crm": "json:Crm"}, r"CRM: json:Crm cannot be loaded: module 'json' has no"),
        ({"post_call_crm": "json:loads"}, "CRM: json:loads has no method connect"),
        (
            {"post_call_tickets": "examples.storefront.connectors:StorefrontCrm"},
            "TICKETS: examples.storefront.connectors:StorefrontCrm is not of the protocol Tickets",
        ),
        ({"post_call_llm_api_key_file": "/nowhere"}, "LLM_API_KEY_FILE: /nowhere cannot be read"),
        ({"post_call_webhooks": {"a": "http://x"}}, "WEBHOOK_KEYS_FILE: .* does not exist"),
    ],
)
def test_credential_that_is_missing_is_a_sentence(
    tmp_path: Path, chosen: dict[str, Any], problem: str
) -> None:
    """It names the variable."""
    with pytest.raises(SettingsError, match=f"PARLEY_POST_CALL_{problem}"):
        build(settings(tmp_path, **chosen), NOBODY)


def test_no_system_hears_of_calls_unless_it_is_set(tmp_path: Path) -> None:
    """Whoever calls a clinic must not become a customer of a shop."""
    chosen = settings(tmp_path)
    assert (chosen.post_call_crm, chosen.post_call_tickets) == ("none", "none")
    assert (chosen.post_call_webhooks, chosen.post_call_llm_base_url) == ({}, "")


@pytest.mark.parametrize("name", ["storefront", "a.b", ":C", "a:b:c", "none:", "a b:C", "../a:C"])
def test_connector_that_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    """It is `module:Class`, or one of the words."""
    expected = "^PARLEY_POST_CALL_CRM: expected none, or a connector as module:Class$"
    with pytest.raises(SettingsError, match=expected):
        settings(tmp_path, post_call_crm=name)


def test_connector_that_cannot_connect_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its author's `connect` raises."""
    code = "class Crm:\n    @classmethod\n    def connect(cls, timeout_s): return 1 / 0\n"
    (tmp_path / "own_crm.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingsError, match=r"CRM: own_crm:Crm cannot be connected: division"):
        build(settings(tmp_path, post_call_crm="own_crm:Crm"), NOBODY)


async def test_connector_of_ones_own_is_loaded_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From settings of its own; what is wrong with those is a sentence too."""
    name = "examples.storefront.connectors:StorefrontCrm"
    monkeypatch.setenv("PARLEY_STOREFRONT_URL", "http://127.0.0.1:1")
    crm = load_connector(StorefrontCrm, name, "PARLEY_POST_CALL_CRM", 1.0)
    assert crm.name == "storefront-crm"
    await crm.aclose()
    monkeypatch.setenv("PARLEY_STOREFRONT_URL", "the shop")
    with pytest.raises(SettingsError, match="PARLEY_STOREFRONT_URL"):
        build(settings(tmp_path, post_call_crm=name), NOBODY)


def test_endpoint_without_a_key_of_its_own_is_a_sentence(tmp_path: Path) -> None:
    """Without the keys that are there."""
    keys.ensure(tmp_path / "journal-keys.yaml")
    file = tmp_path / "webhook-keys.yaml"
    file.write_text(f"a: {SECRET}\n")
    urls = {"a": "http://127.0.0.1/a"}
    build(settings(tmp_path, post_call_webhooks=urls), NOBODY)
    with pytest.raises(SettingsError, match="there is no line `b: whsec_") as caught:
        build(settings(tmp_path, post_call_webhooks={**urls, "b": "http://x"}), NOBODY)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "webhooks", [{"a b": "http://x"}, {"a": "ftp://x"}, {str(n): "http://x" for n in range(21)}]
)
def test_webhooks_that_are_no_names_and_addresses_are_refused(
    tmp_path: Path, webhooks: dict[str, str]
) -> None:
    """Names become parts of keys."""
    with pytest.raises(SettingsError, match="PARLEY_POST_CALL_WEBHOOKS"):
        settings(tmp_path, post_call_webhooks=webhooks)


def test_secret_of_a_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    """The environment wins."""
    file = tmp_path / "token"
    file.write_text("secret\n")
    assert settings(tmp_path, post_call_rt_token_file=file).rt_token() == "secret"
    both = settings(tmp_path, post_call_rt_token_file=file, post_call_rt_token="other")
    assert both.rt_token() == "other"
    assert "other" not in repr(both)


def test_work_is_kept_beside_the_calls(tmp_path: Path) -> None:
    """Hosts that share the calls share the work."""
    postgres = "postgresql+asyncpg://parley@db/parley"
    assert settings(tmp_path, database_url=postgres).post_call_database_url == postgres
    own = f"sqlite+aiosqlite:///{tmp_path}/post-call.db"
    assert settings(tmp_path).post_call_database_url == own
