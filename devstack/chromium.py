"""The browser of the browser tests: Debian's Chromium, installed with apt if this user is root."""

import shutil
from pathlib import Path

from devstack import apt

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find() -> Path | None:
    """A Chromium or Chrome on PATH."""
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    return None


def get() -> None:
    """
    Install Chromium if there is none.

    Raises: StepError: it is missing and this user cannot install it, or apt failed.
    """
    if not find():
        log = Path(".cache/chromium.log")
        apt.install("chromium", needed_by="The browser tests", name="Chromium", log=log)
