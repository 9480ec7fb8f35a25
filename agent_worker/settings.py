"""Settings of the agent worker."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from agent_worker.mistakes import problem
from agent_worker.waits import Waits
from call_record.settings import RecordSettings
from service_base.setting_text import AgentName, matching
from service_base.sfu import SfuSettings

Provider = Annotated[
    str,
    matching(r"openai|[A-Za-z_][\w.]*:[A-Za-z_]\w*", "openai, or a plugin as module:Class"),
]
LOCAL_SPEECH = "http://127.0.0.1:8082/v1"


class FallbackModel(BaseModel):
    """A model that is asked when the ones before it fail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plugin: Provider = "openai"
    base_url: str = ""
    model: str = ""
    api_key: SecretStr = SecretStr("local")
    options: dict[str, Any] = Field({}, repr=False)

    @model_validator(mode="after")
    def _check(self) -> "FallbackModel":
        if self.plugin == "openai" and not (self.base_url and self.model):
            raise ValueError("base_url and model: both are needed")
        return self


class WorkerSettings(SfuSettings, RecordSettings):
    """What the agent worker reads from the environment."""

    worker_host: str = Field("127.0.0.1", description="Address of the worker's health and metrics.")
    worker_port: int = Field(
        8081, ge=1, le=65535, description="Port of the worker's health and metrics."
    )
    worker_capacity: int = Field(
        0,
        ge=0,
        le=1000,
        description="How many calls this worker takes at the same time, at most; 0: five for two "
        "cores, which is what they serve with local speech beside it.",
    )
    worker_turn_budget_ms: int = Field(
        2000,
        ge=0,
        description="A worker whose callers wait longer for the agent's first sound than this "
        "time in milliseconds, by the median of the last turns, takes no new calls until it is "
        "faster again. Set it above what your model needs; 0: no limit.",
    )
    worker_reload: bool = Field(
        False,
        description="Load the agent anew for each call, so that an edit is live in the next one: "
        "for authors. Each call then loads its agent and learns its examples itself.",
    )
    worker_drain_s: int = Field(
        3600, ge=0, description="Time in seconds that calls have to finish after SIGTERM."
    )
    worker_migration_s: int = Field(
        30,
        ge=0,
        le=600,
        description="Time in seconds after the drain time to move the remaining calls to workers "
        "with free slots. Calls that remain after it are cut off.",
    )
    worker_call_memory_mb: int = Field(
        750,
        ge=300,
        description="Most memory of one call's process in MB, its part of what processes share "
        "included (with the example's agent 150 to 250). One that takes more is killed, and its "
        "call goes on with another agent.",
    )
    agent: str = Field(
        "examples.storefront.agent", description="Python package that holds the agent as AGENT."
    )
    agent_name: AgentName = Field(
        "parley", description="Name under which workers register; calls are dispatched to it."
    )

    stt: Provider = Field(
        "openai",
        description="Speech to text: openai (any such server) or a plugin's module:Class.",
    )
    stt_base_url: str = Field(LOCAL_SPEECH, description="Base URL of the speech-to-text server.")
    stt_model: str = Field("moonshine-tiny-en", description="Model name sent to speech to text.")
    stt_api_key: SecretStr = Field(SecretStr("local"), description="Key for speech to text.")
    stt_options: dict[str, Any] = Field(
        {},
        repr=False,
        description="More arguments of LiveKit's openai or the named plugin as a JSON object.",
    )
    stt_vocabulary_option: Annotated[
        str, matching(r"(?:[A-Za-z_]\w*)?", "the name of an argument")
    ] = Field(
        "",
        description="Argument of the named plugin that takes the agent's vocabulary as a list of "
        "phrases, such as keyterms_prompt; empty: none. LiveKit's openai gets it as its prompt.",
    )

    tts: Provider = Field(
        "openai",
        description="Text to speech: openai (any such server) or a plugin's module:Class.",
    )
    tts_base_url: str = Field(LOCAL_SPEECH, description="Base URL of the text-to-speech server.")
    tts_model: str = Field("piper", description="Model name sent to text to speech.")
    tts_voice: str = Field("joe", description="Voice name sent to text to speech.")
    tts_api_key: SecretStr = Field(SecretStr("local"), description="Key for text to speech.")
    tts_options: dict[str, Any] = Field(
        {},
        repr=False,
        description="More arguments of LiveKit's openai or the named plugin as a JSON object.",
    )

    reasoning: Literal["templates", "model", "templates-first"] | None = Field(
        None,
        description="Who answers: templates, model, or templates-first. Default: templates, or "
        "templates-first where a model is set.",
    )
    llm: Provider = Field(
        "openai",
        description="Model: openai (any such server) or a plugin's module:Class.",
    )
    llm_base_url: str = Field("", description="Base URL of the model's server; empty: no model.")
    llm_model: str = Field("", description="Model name sent to the model's server.")
    llm_api_key: SecretStr = Field(SecretStr("local"), description="Key for the model's server.")
    llm_timeout_s: float = Field(
        8.0,
        gt=0,
        le=60,
        description="Seconds that the caller may wait for words of a model, or for its call of a "
        "tool, at its beginning and between two words: reasoning does not count. Then the agent "
        "apologizes.",
    )
    llm_options: dict[str, Any] = Field(
        {},
        repr=False,
        description="More arguments of LiveKit's openai or the named plugin as a JSON object.",
    )

    llm_fallbacks: tuple[FallbackModel, ...] = Field(
        (),
        max_length=4,
        repr=False,
        description="Models that answer when the ones before them fail or are late, as a JSON list "
        'of objects such as {"base_url": "https://llm.example.com/v1", "model": "small", '
        '"api_key": "..."}; plugin and options as PARLEY_LLM and PARLEY_LLM_OPTIONS.',
    )
    llm_hedge_s: float = Field(
        1.0,
        ge=0,
        le=60,
        description="After so many seconds without words the next of several models is asked "
        "besides, and the first that answers counts; 0: it is asked instead, after its share of "
        "PARLEY_LLM_TIMEOUT_S.",
    )

    encoder_url: str = Field(
        "",
        description="Base URL of a server with OpenAI's endpoint for embeddings, such as the "
        "speech server's http://127.0.0.1:8082/v1: a second opinion on sentences that no template "
        "accepts. Empty: none. Not asked where a model answers them.",
    )
    encoder_model: str = Field("all-minilm-l6-v2", description="Model name sent to the encoder.")
    encoder_api_key: SecretStr = Field(SecretStr("local"), description="Key for the encoder.")

    call_max_s: int = Field(1800, ge=10, description="Longest call in seconds.")
    call_turns_max: int = Field(
        500,
        ge=1,
        description="Most turns of a caller in one call, spoken or typed; after the last one the "
        "agent says goodbye.",
    )
    waits: dict[str, float] = Field(
        {},
        description="How long the agent waits for the caller, as a JSON object of seconds that go "
        'before the agent\'s own, such as {"silence_s": 20}; docs/agents.md lists them.',
    )

    @field_validator("waits")
    @classmethod
    def _check_waits(cls, waits: dict[str, float]) -> dict[str, float]:
        try:
            Waits().with_settings(waits)
        except ValidationError as error:
            raise ValueError(problem(error)) from None
        return waits

    @property
    def mode(self) -> Literal["templates", "model", "templates-first"]:
        """Who answers, with the default filled in."""
        has_model = bool(self.llm_base_url) or self.llm != "openai"
        return self.reasoning or ("templates-first" if has_model else "templates")
