"""`python -m devstack`: everything up, everything down, and what is said when it cannot start."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from devstack.examples import EXAMPLES
from devstack.services import SERVICES
from tests.support.local_stack import LocalStack

OTHERS = {example.backend.name for example in EXAMPLES} - {"storefront"}
STARTED = [service for service in SERVICES if service.name not in OTHERS]
"""The shop's agent answers by default."""


def processes_of(stack: LocalStack) -> list[str]:
    """Command lines of all live processes that were given this stack's run folder."""
    mark = f"PARLEY_RUN_DIR={stack.run_dir}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def held_ports(stack: LocalStack) -> list[int]:
    """The stack's ports on which someone listens."""
    found = []
    for name, number in stack.variables.items():
        if name.endswith("_PORT"):
            kind = socket.SOCK_DGRAM if "UDP" in name else socket.SOCK_STREAM
            with socket.socket(type=kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", int(number)))
                except OSError:
                    found.append(int(number))
    return found


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The whole stack, ready; the last test stops it."""
    stack = LocalStack.on_free_ports(tmp_path_factory.mktemp("stack"))
    stack.start()
    try:
        stack.wait_welcome()
        yield stack
    finally:
        stack.stop([signal.SIGKILL])


def test_stack_is_ready_and_every_part_says_so(own_stack: LocalStack) -> None:
    """One line when each starts, one when it is ready, the address, and 200 everywhere."""
    stack = own_stack
    width = max(len(service.label) for service in STARTED)
    for service in STARTED:
        assert f"{service.label:<{width}}  starting" in stack.output
        assert f"{service.label:<{width}}  ready after " in stack.output
        answer = httpx.get(stack.url(service.name) + service.ready_path)
        assert answer.status_code == 200, answer.text
    assert f'Open {stack.page_url} and press "Call now"' in stack.output


def test_stack_stopped_leaves_no_process_and_no_port(own_stack: LocalStack) -> None:
    """In order, without a kill, and with exit code 0."""
    stack = own_stack
    assert len(processes_of(stack)) > len(STARTED)
    assert len(held_ports(stack)) == 9
    assert stack.stop() == 0
    assert stack.output.rstrip().endswith("All stopped.")
    assert "killed" not in stack.output
    assert processes_of(stack) == []
    assert held_ports(stack) == []


def test_stack_with_a_taken_port_starts_nothing(tmp_path: Path) -> None:
    """One sentence with the remedy, exit code 2."""
    stack = LocalStack.on_free_ports(tmp_path)
    with socket.create_server(("127.0.0.1", stack.port("token-service"))):
        stack.start()
        assert stack.process is not None
        assert stack.process.wait(30) == 2
    assert stack.output.splitlines() == [
        f"PARLEY_TOKEN_PORT: the token service needs TCP port {stack.port('token-service')} on "
        "127.0.0.1, but it is taken; stop what uses it or set another port."
    ]
    assert processes_of(stack) == []


def test_stack_with_a_broken_env_file_starts_nothing(tmp_path: Path) -> None:
    """The line's number, not its text, exit code 2."""
    (tmp_path / ".env").write_text("PARLEY_LOGS=0\nPARLEY_LLM_API_KEY hunter2\n")
    stack = LocalStack.on_free_ports(tmp_path)
    stack.start()
    assert stack.process is not None
    assert stack.process.wait(30) == 2
    assert stack.output.splitlines() == [".env, line 2: this is not of the form NAME=value."]


def test_stack_ports_cover_every_port_a_test_can_move() -> None:
    """A service added later is moved by the tests too."""
    assert {service.port for service in SERVICES} <= {
        name.removeprefix("PARLEY_").lower() for name in LocalStack.on_free_ports(Path()).variables
    }
