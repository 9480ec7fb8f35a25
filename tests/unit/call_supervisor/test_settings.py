"""The supervisor's settings."""

import pytest

from call_supervisor.settings import SupervisorSettings
from service_base.settings import SettingsError, load


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_supervisor_listens_on_loopback(host: str) -> None:
    """Where nobody else gets."""
    assert load(SupervisorSettings, supervisor_host=host, _env_file=None).supervisor_host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "parley.example"])  # noqa: S104
def test_supervisor_elsewhere_must_be_allowed(host: str) -> None:
    """Its webhooks, health and metrics are for no caller."""
    with pytest.raises(SettingsError, match="PARLEY_SUPERVISOR_EXPOSED"):
        load(SupervisorSettings, supervisor_host=host, _env_file=None)
    exposed = load(
        SupervisorSettings, supervisor_host=host, supervisor_exposed=True, _env_file=None
    )
    assert exposed.supervisor_host == host
