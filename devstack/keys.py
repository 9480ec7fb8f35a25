"""The SFU's key: made at the first start, kept in a file that only its owner can read."""

from pathlib import Path

from service_base import key_file
from service_base.settings import SettingsError
from service_base.sfu import read_sfu_key


def ensure(file: Path) -> None:
    """
    Make the keys file if there is none; else check that the SFU will accept it.

    Raises: SettingsError: it cannot be made, is malformed, or others may read it.
    """
    try:
        key_file.make(file, "API")
        others_may_read = file.stat().st_mode & 0o007
    except OSError as error:
        raise SettingsError(
            f"PARLEY_SFU_KEYS_FILE: {file} cannot be made or read: {error.strerror}."
        ) from None
    if others_may_read:
        raise SettingsError(
            f"PARLEY_SFU_KEYS_FILE: others may read {file}, so the SFU refuses it; "
            f"run `chmod 600 {file}`."
        )
    read_sfu_key(file)
