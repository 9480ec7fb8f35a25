"""Finds livekit-server, the SFU: on PATH, or built earlier; or builds it."""

import re
import shutil
import subprocess
from pathlib import Path

from devstack import toolchain
from devstack.step import StepError, run

VERSION = "1.13.5"
MODULE = f"github.com/livekit/livekit-server/cmd/server@v{VERSION}"
BUILT = Path(__file__).parent.parent / ".cache" / "bin" / "livekit-server"
BUILD_TIMEOUT_S = 1800


def find(chosen: Path | None) -> Path | None:
    """
    Find the livekit-server to run: *chosen* whatever its version, else one of our version.

    Returns: None when there is none.
    """
    if chosen is not None:
        found = shutil.which(chosen)
        return Path(found) if found else None
    on_path = shutil.which("livekit-server")
    candidates = [Path(on_path)] if on_path else []
    for candidate in [*candidates, BUILT]:
        if version_of(candidate) == VERSION:
            return candidate
    return None


def version_of(program: Path) -> str | None:
    """What `program --version` says; None when it does not run."""
    try:
        answer = subprocess.run(  # noqa: S603
            [program, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"version (\S+)", answer.stdout)
    return match[1] if match else None


def get(chosen: Path | None) -> Path:
    """
    Find the livekit-server to run, or build it: 2 to 3 minutes on two cores.

    Raises: StepError: it was not found and could not be built.
    """
    found = find(chosen)
    if found:
        return found
    if chosen is not None:
        raise StepError(f"PARLEY_SFU_BINARY: {chosen} is not a program that can be run.")
    try:
        variables = toolchain.variables(toolchain.GO)
    except StepError as error:
        raise StepError(
            f"There is no livekit-server {VERSION} on your PATH, and no Go to build it.\n{error}"
        ) from None
    folder = BUILT.parent
    run(
        f"Building the SFU, livekit-server {VERSION}: 2 to 3 minutes, once",
        ["go", "install", MODULE],
        log=Path(".cache/livekit-server.log"),
        remedy="It needs Go's module proxy; check the network and try again.",
        timeout_s=BUILD_TIMEOUT_S,
        # Without cgo no C compiler is needed, and no half of one does harm.
        variables={**variables, "GOBIN": str(folder), "CGO_ENABLED": "0"},
    )
    # Go names it after its folder.
    (folder / "server").replace(BUILT)
    if version_of(BUILT) != VERSION:
        raise StepError(f"The SFU was built but {BUILT} does not run; delete it and try again.")
    toolchain.discard(toolchain.GO)
    return BUILT
