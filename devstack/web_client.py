"""
The built web client: made with Node when its sources have changed, else left alone.

`python -m devstack.web_client SCRIPT`: run a script of `web/package.json`, such as `test`.
"""

import hashlib
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from devstack import toolchain
from devstack.step import exit_code, run

WEB = Path("web")
INSTALL_TIMEOUT_S = 600
BUILD_TIMEOUT_S = 300
MADE = ("node_modules", "dist")
"""What the steps themselves make inside the folder."""


def install(web: Path) -> None:
    """
    `npm ci`, unless the lock file is the one installed.

    Raises: StepError: there is no Node, or the registry does not answer.
    """
    stamp = web / "node_modules" / ".parley-installed"
    wanted = _digest(path for path in [web / "package.json", web / "package-lock.json"])
    if _read(stamp) == wanted:
        return
    run(
        "Installing the web client's packages",
        ["npm", "ci", "--no-audit", "--no-fund"],
        folder=web,
        log=Path(".cache/npm-ci.log"),
        remedy="It needs the npm registry; check the network and try again.",
        timeout_s=INSTALL_TIMEOUT_S,
        variables=toolchain.variables(toolchain.NODE),
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
        ["npm", "run", "build"],
        folder=web,
        log=Path(".cache/web-build.log"),
        remedy="Correct what it complains about and try again.",
        timeout_s=BUILD_TIMEOUT_S,
        variables=toolchain.variables(toolchain.NODE),
    )
    # Only now: the build may have written sources itself, such as the message types.
    stamp.write_text(sources())


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


def main(arguments: Sequence[str]) -> int:
    """Become `npm run`. Returns: as `exit_code` when there is no Node."""

    def become_npm() -> None:
        environment = {**os.environ, **toolchain.variables(toolchain.NODE)}
        os.chdir(WEB)
        os.execvpe("npm", ["npm", "run", *arguments], environment)  # noqa: S606, S607

    return exit_code(become_npm)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
