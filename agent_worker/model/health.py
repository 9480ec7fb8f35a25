"""Which models failed lately, as all calls of a worker know it."""

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

TRY_AGAIN_S = 10.0
"""A model that failed is left alone so long; then one request tries it again."""

State = Literal["up", "down", "probe"]


class Health:
    """
    A file for each model that failed, whose time says when it is to be tried again. Files, because
    calls are processes that may end at any moment.

    Args:
        folder: Of the worker; None: this call knows only what it saw itself.
        now_s: A clock that all processes of the machine share, in Unix time.
    """

    def __init__(self, folder: Path | None = None, now_s: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._now_s = now_s
        self._own: dict[str, float] = {}
        """When each is to be tried again, where there is no folder."""

    def state(self, name: str) -> State:
        """Whether to ask that model. `probe`: who is told so shall try it, and nobody else yet."""
        at_s = self._try_again_at_s(name)
        if at_s is None:
            return "up"
        if at_s > self._now_s():
            return "down"
        # Only one request of all calls tries it.
        self.failed(name)
        return "probe"

    def failed(self, name: str) -> None:
        """That model failed."""
        at_s = self._now_s() + TRY_AGAIN_S
        if self._folder is None:
            self._own[name] = at_s
            return
        with suppress(OSError):
            file = self._file(self._folder, name)
            file.touch()
            os.utime(file, (at_s, at_s))

    def worked(self, name: str) -> None:
        """That model answered."""
        if self._folder is None:
            self._own.pop(name, None)
            return
        with suppress(OSError):
            self._file(self._folder, name).unlink(missing_ok=True)

    def _try_again_at_s(self, name: str) -> float | None:
        if self._folder is None:
            return self._own.get(name)
        try:
            return self._file(self._folder, name).stat().st_mtime
        except OSError:
            return None

    @staticmethod
    def _file(folder: Path, name: str) -> Path:
        return folder / f"model-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
