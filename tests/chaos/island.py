"""A network namespace: a machine of its own that can be cut off, while what runs in it goes on."""

import os
import secrets
import shutil
import subprocess

import pytest

from tests.chaos.altered_sfu import INTERFACE
from tests.chaos.fleet import Fleet


class Island:
    """The namespace. `here` is this machine's address on the link, `there` its own."""

    def __init__(self) -> None:
        self.name = f"parley-{secrets.token_hex(3)}"
        net = f"10.213.{secrets.randbelow(250)}"
        self.here, self.there = f"{net}.1", f"{net}.2"
        self.near, self._far = f"v{self.name[7:]}n", f"v{self.name[7:]}f"

    @property
    def prefix(self) -> tuple[str, ...]:
        """What runs a command on it."""
        return ("ip", "netns", "exec", self.name)

    def make(self) -> None:
        """A link between this machine and the island."""
        run("netns", "add", self.name)
        run("link", "add", self.near, "type", "veth", "peer", "name", self._far)
        run("link", "set", self._far, "netns", self.name)
        run("addr", "add", f"{self.here}/30", "dev", self.near)
        run("link", "set", self.near, "up")
        self._inside("addr", "add", f"{self.there}/30", "dev", self._far)
        self._inside("link", "set", "lo", "up")
        self.cut(False)

    def cut(self, cut: bool = True) -> None:
        """Cut the link, or mend it."""
        self._inside("link", "set", self._far, "down" if cut else "up")

    def remove(self) -> None:
        """Take it away."""
        run("netns", "del", self.name)

    def _inside(self, *command: str) -> None:
        run("netns", "exec", self.name, "ip", *command)


def run(*command: str) -> None:
    """The `ip` command."""
    subprocess.run(["ip", *command], check=True, capture_output=True, timeout=10)


def made() -> Island:
    """A namespace with a link; the test is skipped where there can be none."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the ip command")
    island = Island()
    try:
        island.make()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespace can be made here: {error.stderr.decode()}")
    return island


def open_media(fleet: Fleet, island: Island) -> None:
    """Have the SFU's media on the link, for who is on the island and who is not."""
    fleet.sfu.module = "tests.chaos.altered_sfu"
    fleet.sfu.environment = {
        **fleet.sfu.environment,
        "PARLEY_SFU_NODE_IP": island.here,
        INTERFACE: island.near,
    }
