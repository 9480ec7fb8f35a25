"""The keys of the journals' chains. Each call remembers the key that it began with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from service_base import key_file
from service_base.settings import SettingsError

VARIABLE = "PARLEY_JOURNAL_KEYS_FILE"


class UnknownKey(LookupError):
    """A call was begun with a key that is not in the keys file."""


@dataclass(frozen=True)
class KeyRing:
    """All keys by id. To rotate, put a new one first and keep the old ones."""

    current: str
    """The id of the key for new calls."""
    keys: Mapping[str, bytes] = field(repr=False)

    def key(self, key_id: str) -> bytes:
        """
        The key of that id.

        Raises: UnknownKey.
        """
        try:
            return self.keys[key_id]
        except KeyError:
            raise UnknownKey(f"{VARIABLE}: there is no key {key_id!r}") from None


def read(file: Path) -> KeyRing:
    """
    The keys of a file.

    Raises: SettingsError: it is missing, malformed, or others may read it.
    """
    keys = key_file.read(file, VARIABLE, "`python -m call_record migrate` makes it")
    if file.stat().st_mode & 0o007:
        raise SettingsError(f"{VARIABLE}: others may read {file}; run `chmod 600 {file}`.")
    return KeyRing(next(iter(keys)), {key: secret.encode() for key, secret in keys.items()})


def ensure(file: Path) -> KeyRing:
    """
    The keys of a file, which is made if there is none.

    Raises: SettingsError: as `read`, or it cannot be made.
    """
    try:
        key_file.make(file, "journal-")
    except OSError as error:
        raise SettingsError(f"{VARIABLE}: {file} cannot be made: {error.strerror}.") from None
    return read(file)
