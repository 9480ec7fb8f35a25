"""The example agents: what `make run` starts beside each, and sets for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devstack.service import Service
from examples.clinic.address import ClinicClientSettings
from examples.clinic.backend.settings import ClinicSettings
from examples.storefront.address import ShopClientSettings
from examples.storefront.backend.settings import StorefrontSettings
from service_base.settings import ServiceSettings

FOLDER = Path(__file__).parent.parent / "examples"
CONNECTORS = "examples.storefront.connectors"


@dataclass(frozen=True)
class Example:
    """
    An example in `examples/`, whose agent is `examples.NAME.agent`.

    Its backend reads `NAME_database_url`, its agent finds it by `NAME_url`.
    """

    name: str
    backend: Service
    agent_settings: type[ServiceSettings]
    question: str
    """To try first."""
    backend_values: Mapping[str, str] = field(default_factory=dict)
    """Settings of the backend, where nobody has chosen others."""
    agent_values: Mapping[str, str] = field(default_factory=dict)
    """The same, for the other processes while its agent answers the calls."""


EXAMPLES = (
    Example(
        "storefront",
        Service(
            "storefront", "storefront", StorefrontSettings, "storefront_port", "storefront_host"
        ),
        ShopClientSettings,
        question="what is the status of order seven",
        # So that who opens the page without signing in has orders to ask about.
        backend_values={"storefront_demo_customer": "true"},
        agent_values={
            "post_call_crm": f"{CONNECTORS}:StorefrontCrm",
            "post_call_tickets": f"{CONNECTORS}:StorefrontTickets",
        },
    ),
    Example(
        "clinic",
        Service("clinic", "clinic", ClinicSettings, "clinic_port", "clinic_host"),
        ClinicClientSettings,
        question="which times are free tomorrow",
        agent_values={"token_page_file": str(FOLDER / "clinic" / "page.json")},
    ),
)
