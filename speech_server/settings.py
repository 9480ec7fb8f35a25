"""Settings of the speech server."""

from pydantic import Field

from service_base.settings import ServiceSettings


class SpeechSettings(ServiceSettings):
    """What the speech server reads from the environment."""

    speech_host: str = Field("127.0.0.1", description="Address that the speech server listens on.")
    speech_port: int = Field(8082, ge=1, le=65535, description="Port of the speech server.")
    speech_threads: int = Field(
        0,
        ge=0,
        le=64,
        description="Threads of each model; 0: one for each core, eight at most. Transcriptions"
        " use one thread each, the synthesis of a clause two.",
    )
    speech_queue: int = Field(
        16,
        ge=0,
        le=1000,
        description="Requests of each kind that may wait for a model; further ones are refused.",
    )
    speech_timeout_s: float = Field(
        60, gt=0, le=600, description="Time limit of a request, in seconds."
    )
    speech_max_upload_bytes: int = Field(
        8 * 1024 * 1024, ge=1024, description="Largest request body of a transcription, in bytes."
    )
    speech_max_audio_s: float = Field(
        30,
        gt=0,
        le=30,
        description="Longest audio to transcribe, in seconds; the model supports up to 30.",
    )
    speech_max_characters: int = Field(
        4096, ge=1, le=100_000, description="Longest text to speak, in characters."
    )
    speech_encoder: bool = Field(
        False,
        description="Whether the speech server also encodes sentences as vectors, with 180 MB "
        "more memory; needs what `make encoder` installs.",
    )
    speech_cache_bytes: int = Field(
        16 * 1024 * 1024,
        ge=0,
        description="Size of the cache of spoken clauses, in bytes; 0: no cache.",
    )
