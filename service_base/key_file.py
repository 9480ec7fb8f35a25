"""Files of secret keys: YAML, one `key: secret` a line, the first one signs; the SFU's format."""

import os
import secrets
import tempfile
from pathlib import Path

import yaml

from service_base.settings import SettingsError

MIN_SECRET_CHARS = 32
"""HMAC-SHA256 wants a key as long as its digest; the SFU refuses shorter ones."""


def read(file: Path, variable: str, remedy: str = "`make run` makes it") -> dict[str, str]:
    """
    Secrets by key, in the file's order; at least one.

    Args: variable: the setting that names the file, for messages. remedy: what makes the file.
    Raises: SettingsError: the file is missing, unreadable, malformed, or a secret is short; no
        secret is ever in the message.
    """
    where = f"{variable}: {file}"
    try:
        keys = yaml.safe_load(file.read_text())
    except FileNotFoundError:
        raise SettingsError(f"{where} does not exist; {remedy}.") from None
    except OSError as error:
        raise SettingsError(f"{where} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        # The parser's own message quotes the line, and with it the secret.
        raise SettingsError(f"{where} is not YAML of the form `key: secret`.") from None
    if not isinstance(keys, dict) or not keys:
        raise SettingsError(f"{where} has no line of the form `key: secret`.")
    for key, secret in keys.items():
        if not isinstance(key, str) or not key or not isinstance(secret, str):
            raise SettingsError(f"{where}: key and secret must both be text; quote them.")
        if len(secret) < MIN_SECRET_CHARS:
            raise SettingsError(
                f"{where}: the secret is shorter than {MIN_SECRET_CHARS} characters."
            )
    return keys


def make(file: Path, prefix: str) -> None:
    """
    Make the file with one new key, mode 600; one that is there stays.

    Whole or not at all, and never over another start's file.

    Raises: OSError.
    """
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    key = {f"{prefix}{secrets.token_hex(6)}": secrets.token_urlsafe(48)}
    # Its mode is 600 from the first byte on.
    descriptor, part = tempfile.mkstemp(dir=file.parent)
    try:
        with open(descriptor, "w") as opened:
            yaml.safe_dump(key, opened)
        os.link(part, file)
    except FileExistsError:
        pass
    finally:
        os.unlink(part)
