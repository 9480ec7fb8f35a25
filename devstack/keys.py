"""
The SFU's key: made at the first start, kept in a file that only its owner can read.

`python -m devstack.keys` makes it, and that of the journals.
"""

from pathlib import Path

from call_record import keys as journal_keys
from call_record.settings import RecordSettings
from service_base import key_file
from service_base.settings import SettingsError, load_or_exit, or_exit
from service_base.sfu import SfuSettings, read_sfu_key


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


def main() -> None:
    """Make what is missing; exit with 2 and a sentence when that fails."""
    with or_exit():
        ensure(load_or_exit(SfuSettings).sfu_keys_file)
        journal_keys.ensure(load_or_exit(RecordSettings).journal_keys_file)


if __name__ == "__main__":
    main()
