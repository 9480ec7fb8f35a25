"""The built web client: made with Node when its sources have changed, else left alone."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from devstack.step import StepError, run

NODE = "20.19"
INSTALL_TIMEOUT_S = 600
BUILD_TIMEOUT_S = 300
MADE = ("node_modules", "dist")
"""What the steps themselves make inside the folder."""


def install(web: Path) -> None:
    """
    `npm ci`, unless the lock file is the one installed.

    Raises: StepError: Node is missing or too old, or the registry does not answer.
    """
    stamp = web / "node_modules" / ".parley-installed"
    wanted = _digest(path for path in [web / "package.json", web / "package-lock.json"])
    if _read(stamp) == wanted:
        return
    npm = _npm()
    run(
        "Installing the web client's packages",
        [npm, "ci", "--no-audit", "--no-fund"],
        folder=web,
        log=Path(".cache/npm-ci.log"),
        remedy="It needs the npm registry; check the network and try again.",
        timeout_s=INSTALL_TIMEOUT_S,
    )
    stamp.write_text(wanted)


def build(web: Path, *, also: Iterable[Path] = ()) -> None:
    """
    `npm run build`, unless no source has changed since the last one.

    Args: also: folders outside *web* from which the build takes something.
    Raises: StepError: as `install`, or the sources do not build.
    """
    install(web)
    stamp = web / "node_modules" / ".parley-built"

    def sources() -> str:
        return _digest(path for folder in [web, *also] for path in _files(folder))

    if (web / "dist" / "index.html").is_file() and _read(stamp) == sources():
        return
    run(
        "Building the web client",
        [_npm(), "run", "build"],
        folder=web,
        log=Path(".cache/web-build.log"),
        remedy="Correct what it complains about and try again.",
        timeout_s=BUILD_TIMEOUT_S,
    )
    # Only now: the build may have written sources itself, such as the message types.
    stamp.write_text(sources())


def _npm() -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise StepError(
            f"The web client needs Node {NODE} or newer to be built, and there is none on your "
            "PATH: install it from https://nodejs.org."
        )
    said = subprocess.run(  # noqa: S603
        [node, "--version"], capture_output=True, text=True, timeout=10, check=False
    ).stdout
    version = re.match(r"v(\d+)\.(\d+)", said)
    least = tuple(map(int, NODE.split(".")))
    if version is None or (int(version[1]), int(version[2])) < least:
        raise StepError(
            f"The web client needs Node {NODE} or newer to be built, and yours is "
            f"{said.strip() or 'of no known version'}: install a newer one from "
            "https://nodejs.org."
        )
    return npm


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not {"__pycache__", *MADE}.intersection(path.relative_to(folder).parts)
    )


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _read(stamp: Path) -> str | None:
    try:
        return stamp.read_text()
    except FileNotFoundError:
        return None
