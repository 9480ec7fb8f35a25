"""The processes' logs: files that stay small, shown on the terminal when asked for."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path

LOOK_EVERY_S = 0.2
MAX_BYTES = 64 * 1024 * 1024
"""A larger log is emptied: it is for the developer at the keyboard, not an archive."""


async def watch(logs: Sequence[Path], show: Callable[[str], None] | None) -> None:
    """
    Keep *logs* below `MAX_BYTES` until cancelled. The writers append, so emptying a file is safe.

    Args: show: takes each new line with its log's name in front; None: nothing is shown.
    """
    offsets = dict.fromkeys(logs, 0)
    width = max(len(log.stem) for log in logs)
    while True:
        for log in logs:
            if show is not None:
                for line in _new_lines(log, offsets):
                    show(f"{log.stem:<{width}} | {line}")
            if log.exists() and log.stat().st_size > MAX_BYTES:
                os.truncate(log, 0)
        await asyncio.sleep(LOOK_EVERY_S)


def _new_lines(log: Path, offsets: dict[Path, int]) -> list[str]:
    if not log.exists():
        return []
    with open(log, "rb") as opened:
        if os.fstat(opened.fileno()).st_size < offsets[log]:
            offsets[log] = 0
        opened.seek(offsets[log])
        text = opened.read(1024 * 1024)
    # A line still being written is shown when it is whole.
    whole = text[: text.rfind(b"\n") + 1]
    offsets[log] += len(whole)
    return whole.decode(errors="replace").splitlines()
