"""Installs Debian packages that tests need, if this user is root."""

import os
import shutil
from pathlib import Path

from devstack.step import StepError, run

INSTALL_TIMEOUT_S = 600


def install(*packages: str, needed_by: str, name: str, log: Path, **variables: str) -> None:
    """
    Install Debian packages.

    Args: needed_by: such as "The browser tests". name: the program's, as people know it.
        variables: for the package's own scripts.
    Raises: StepError: this user cannot install it, or apt failed.
    """
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        command_line = f"sudo apt-get install {' '.join(packages)}"
        raise StepError(f"{needed_by} need {name}: install it (on Debian: `{command_line}`).")
    for what, command in (
        ("Reading the package lists", [apt, "update"]),
        (f"Installing {name}", [apt, "install", "-y", "--no-install-recommends", *packages]),
    ):
        run(
            what,
            command,
            log=log,
            remedy="It needs Debian's package mirror; check the network and try again.",
            timeout_s=INSTALL_TIMEOUT_S,
            variables={"DEBIAN_FRONTEND": "noninteractive", **variables},
        )
