"""
Makes what each container must know, in a folder of its own: a volume that no other container sees.

`python -m devstack.container_keys FOLDER`, the first thing that `docker compose up` runs. In
FOLDER/keys are the keys themselves, and the others get copies; passwords that are there stay.
"""

import argparse
import os
import secrets
import sys
from pathlib import Path

from call_record import keys as journal_keys
from call_record.users import PASSWORD_FILE
from devstack import keys as sfu_keys
from service_base.settings import SettingsError

SFU, JOURNAL = "sfu-keys.yaml", "journal-keys.yaml"
API = "api-keys.yaml"
"""Of the servers that name callers; only there if somebody wrote it."""
OWNER = "parley"
"""PostgreSQL's superuser, who makes tables and users."""
READS = {
    "sfu": (SFU,),
    "token-service": (SFU, JOURNAL),
    "agent-worker": (SFU, JOURNAL),
    "call-supervisor": (SFU, JOURNAL),
    "post-call": (JOURNAL,),
    "migrate": (JOURNAL,),
}
"""Which keys a container gets."""
USERS = {
    "token-service": "token_service",
    "agent-worker": "agent_worker",
    "call-supervisor": "call_supervisor",
    "post-call": "post_call",
    "migrate": OWNER,
}
"""As which user of PostgreSQL a container logs in."""
POSTGRES_PASSWORD = "password"  # noqa: S105 - a file's name


def make(folder: Path) -> None:
    """
    Make what is missing.

    Raises: SettingsError, OSError.
    """
    master = folder / "keys"
    sfu_keys.ensure(master / SFU)
    journal_keys.ensure(master / JOURNAL)
    for container, names in READS.items():
        for name in names:
            _write(folder / container / name, (master / name).read_text())
    if (master / API).exists():
        _write(folder / "token-service" / API, (master / API).read_text())
    for container, user in USERS.items():
        file = folder / container / PASSWORD_FILE
        if not file.exists():
            _write(file, f"*:*:*:{user}:{secrets.token_urlsafe(32)}\n")
    password = (folder / "migrate" / PASSWORD_FILE).read_text().strip().rpartition(":")[2]
    # PostgreSQL's container has another user, and nobody else mounts this folder.
    _write(folder / "postgres" / POSTGRES_PASSWORD, password, mode=0o444)


def _write(file: Path, words: str, mode: int = 0o600) -> None:
    """Whole or not at all."""
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(words)
    part.chmod(mode)
    os.rename(part, file)


def main() -> int:
    """Returns: the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devstack.container_keys")
    parser.add_argument("folder", type=Path)
    try:
        make(parser.parse_args().folder)
    except (OSError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
