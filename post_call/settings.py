"""Settings of the post-call service."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr

from call_record.settings import RecordSettings
from service_base.database_url import DatabaseUrl
from service_base.setting_text import HttpAddress, OptionalHttpAddress, matching
from service_base.settings import SettingsError

NONE = "none"
REQUEST_TRACKER = "request-tracker"
CONNECTOR = r"[A-Za-z_][A-Za-z0-9_.]{0,200}:[A-Za-z_][A-Za-z0-9_]{0,100}"
CONNECTOR_EXPECTED = "or a connector as module:Class"
Crm = Annotated[str, matching(f"{NONE}|{CONNECTOR}", f"{NONE}, {CONNECTOR_EXPECTED}")]
Tickets = Annotated[
    str,
    matching(
        f"{NONE}|{REQUEST_TRACKER}|{CONNECTOR}", f"{NONE}, {REQUEST_TRACKER}, {CONNECTOR_EXPECTED}"
    ),
]
ExecutorName = Annotated[
    str,
    matching(r"[A-Za-z0-9_.-]{0,100}", "100 letters, digits, underscores, dots, hyphens at most"),
]
QueueName = Annotated[str, matching(r"[^'\\\n]{1,100}", "1 to 100 characters without ' and \\")]
EndpointName = Annotated[
    str,
    matching(r"[A-Za-z0-9_-]{1,60}", "names of 1 to 60 letters, digits, underscores or hyphens"),
]
EndpointUrl = Annotated[HttpAddress, Field(max_length=2_000)]


def _beside_the_record(data: dict[str, Any]) -> str:
    """Where several hosts share the calls, they must share the work."""
    record = str(data.get("database_url", ""))
    if record.startswith("postgresql"):
        return record
    return f"sqlite+aiosqlite:///{data.get('run_dir', Path('.run'))}/post-call.db"


class PostCallSettings(RecordSettings):
    """What the post-call service reads from the environment."""

    post_call_host: str = Field(
        "127.0.0.1", description="Address of the post-call service's health and metrics."
    )
    post_call_port: int = Field(
        8085, ge=1, le=65535, description="Port of the post-call service's health and metrics."
    )
    post_call_database_url: DatabaseUrl = Field(
        default_factory=_beside_the_record,
        repr=False,
        description="Database of the work under way after calls, of ids alone: an SQLite file, or "
        "PostgreSQL, where it has the schema post_call; empty: as the calls are kept.",
    )
    post_call_executor_id: ExecutorName = Field(
        "",
        description="Name of this post-call process, the same after a restart and no other's; "
        "empty: the host's name and the first free number on it.",
    )
    post_call_concurrency: int = Field(
        500, ge=1, le=10_000, description="Calls that this process works on at the same time."
    )
    post_call_parallel: int = Field(
        8, ge=1, le=100, description="Requests at a time to each system that hears of calls."
    )
    post_call_tries: int = Field(
        12, ge=1, le=100, description="Tries of a step before it is parked for a person to look at."
    )
    post_call_backoff_s: float = Field(
        1.0, gt=0, le=60, description="Seconds before the second try; doubled for each one after."
    )
    post_call_backoff_max_s: float = Field(
        300.0, gt=0, le=3600, description="Longest wait in seconds between two tries."
    )
    post_call_timeout_s: float = Field(
        10.0, gt=0, le=120, description="Seconds that another system has to answer in one try."
    )
    post_call_crm: Crm = Field(
        NONE,
        description="Where calls are logged with their callers: a connector as module:Class, or "
        "none. It is sent names, identities and summaries.",
    )
    post_call_tickets: Tickets = Field(
        NONE,
        description="Where a ticket is opened when a call leaves something to do: request-tracker, "
        "a connector as module:Class, or none.",
    )
    post_call_rt_url: OptionalHttpAddress = Field(
        "",
        description="Address of Request Tracker 5, for its tickets.",
    )
    post_call_rt_queue: QueueName = Field(
        "General",
        description="Queue in Request Tracker that gets the tickets.",
    )
    post_call_rt_token: SecretStr | None = Field(
        None, description="Authentication token for Request Tracker."
    )
    post_call_rt_token_file: Path | None = Field(
        None, description="File that holds the token for Request Tracker, instead."
    )
    post_call_webhooks: dict[EndpointName, EndpointUrl] = Field(
        default_factory=dict,
        max_length=20,
        description="Endpoints that are told of every call, as a JSON object of name and address.",
    )
    post_call_webhook_keys_file: Path = Field(
        default_factory=lambda data: Path(data.get("run_dir", ".run")) / "webhook-keys.yaml",
        description="YAML file of the keys that sign webhooks, one `name: whsec_...` a line for "
        "each endpoint, mode 600.",
    )
    post_call_llm_base_url: OptionalHttpAddress = Field(
        "",
        description="Base URL of a model's server that writes summaries; empty: no model, they "
        "are put together from the call's record.",
    )
    post_call_llm_model: str = Field("", description="Model name sent to that server.")
    post_call_llm_api_key: SecretStr | None = Field(None, description="Key for that server.")
    post_call_llm_api_key_file: Path | None = Field(
        None, description="File that holds the key for that server, instead."
    )
    post_call_llm_timeout_s: float = Field(
        30.0, gt=0, le=600, description="Seconds that the model has to answer in one try."
    )
    post_call_llm_tries: int = Field(
        2, ge=1, le=10, description="Tries of the model before the call's record has to do."
    )

    def rt_token(self) -> str:
        """Raises: SettingsError: there is none."""
        token = _secret(self.post_call_rt_token, self.post_call_rt_token_file, "RT_TOKEN")
        if not token:
            raise SettingsError("PARLEY_POST_CALL_RT_TOKEN: Request Tracker needs a token.")
        return token

    def llm_api_key(self) -> str:
        """Empty: none. Raises: SettingsError: its file cannot be read."""
        return _secret(self.post_call_llm_api_key, self.post_call_llm_api_key_file, "LLM_API_KEY")


def _secret(value: SecretStr | None, file: Path | None, name: str) -> str:
    if value is not None:
        return value.get_secret_value()
    if file is None:
        return ""
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"PARLEY_POST_CALL_{name}_FILE: {file} cannot be read.") from None
