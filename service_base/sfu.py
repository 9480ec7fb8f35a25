"""The SFU's address and key, for every process that talks to it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from service_base import key_file
from service_base.setting_text import matching
from service_base.settings import RunDirSettings

SfuAddress = Annotated[
    str,
    matching(r"(wss?|https?)://\S+", "an address that starts with ws, wss, http or https and ://"),
]


@dataclass(frozen=True)
class SfuKey:
    """An API key of the SFU and the secret that signs its tokens."""

    api_key: str
    secret: str = field(repr=False)


class SfuSettings(RunDirSettings):
    """Settings of every process that talks to the SFU."""

    sfu_url: SfuAddress = Field(
        "ws://127.0.0.1:7880",
        description="Address of the SFU as our own processes reach it.",
    )
    sfu_keys_file: Path = Field(
        default_factory=lambda data: Path(data.get("run_dir", ".run")) / "sfu-keys.yaml",
        description="YAML file of the SFU's keys, one `key: secret` a line, mode 600.",
    )

    sfu_api_key: str = Field(
        "",
        description="The SFU's key, where it comes from the environment and not from that file.",
    )
    sfu_api_secret: SecretStr = Field(
        SecretStr(""), validate_default=True, description="The secret of PARLEY_SFU_API_KEY."
    )

    @field_validator("sfu_api_secret")
    @classmethod
    def _goes_with_the_key(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        secret = value.get_secret_value()
        if bool(secret) != bool(info.data.get("sfu_api_key")):
            raise ValueError("PARLEY_SFU_API_KEY and this one are set both or neither")
        if secret and len(secret) < key_file.MIN_SECRET_CHARS:
            raise ValueError(f"the secret is shorter than {key_file.MIN_SECRET_CHARS} characters")
        return value

    def sfu_key(self) -> SfuKey:
        """
        The key of the environment, else the first one of `sfu_keys_file`.

        Raises: SettingsError: the file is missing, unreadable, malformed, or its secret is short.
        """
        if self.sfu_api_key:
            return SfuKey(self.sfu_api_key, self.sfu_api_secret.get_secret_value())
        return read_sfu_key(self.sfu_keys_file)


def read_sfu_key(file: Path) -> SfuKey:
    """
    The first key of a keys file in the SFU's own format: a YAML mapping of key to secret.

    Raises: SettingsError: as `SfuSettings.sfu_key`; the secret is never in the message.
    """
    return SfuKey(*next(iter(key_file.read(file, "PARLEY_SFU_KEYS_FILE").items())))
