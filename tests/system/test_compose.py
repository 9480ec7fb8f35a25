"""The containers: built, started, called, stopped, taken down. `make test-compose` runs them."""

import asyncio
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest
import yaml

from devstack import services
from devstack.ask import recognize, speak
from devstack.caller import Caller, joined
from service_base.settings import ENV_PREFIX
from tests.support.local_stack import ROOT, free_ports

NO_ENGINE = (
    "There is no Docker engine with Compose on this machine: "
    "install Docker, start it, and run `make test-compose` again."
)
QUESTION = "What is the status of my order number seven?"
TRIES = 3
BUILD_TIMEOUT_S = 900
START_TIMEOUT_S = 120
IN_CONTAINER = re.compile(
    r".*_(host|port|dir|file)|(storefront_|post_call_)?database_url|sfu_api_(key|secret)"
)
"""Settings that are the image's own: where it listens, where it keeps its files."""

in_containers = [
    pytest.mark.compose,
    pytest.mark.timeout(BUILD_TIMEOUT_S + 2 * START_TIMEOUT_S),
]


@dataclass
class Project:
    """The compose file's containers, under a name and on ports of their own."""

    name: str
    env_file: Path
    """Instead of the developer's `.env`."""
    ports: dict[str, int]

    def url(self, service: str) -> str:
        """Where this machine reaches *service*."""
        setting = next(one.port for one in services.SERVICES if one.name == service)
        return f"http://127.0.0.1:{self.ports[setting.removesuffix('_port')]}"

    @property
    def speech_url(self) -> str:
        """For `speak` and `recognize`."""
        return self.url("speech-server") + "/v1"

    def compose(self, *command: str, timeout_s: float = 120) -> str:
        """`docker compose` with *command*; a failure fails the test with the output."""
        options = ["--project-name", self.name, "--env-file", str(self.env_file)]
        return docker("compose", *options, *command, timeout_s=timeout_s)

    def found(self, *command: str) -> list[str]:
        """The ids that a `docker ... ls` prints for this project."""
        label = f"label=com.docker.compose.project={self.name}"
        return docker(*command, "--quiet", "--filter", label).split()


def docker(*command: str, timeout_s: float = 60) -> str:
    """What `docker` printed; a failure fails the test with all of its output."""
    # Neither the developer's settings nor their choice of project and files.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith((ENV_PREFIX, "COMPOSE_"))
    }
    done = subprocess.run(
        ["docker", *command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"docker {' '.join(command)}\n{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout


def has_engine() -> bool:
    """Whether an engine answers, and Compose is there to ask it."""
    try:
        for command in (["docker", "version"], ["docker", "compose", "version"]):
            subprocess.run(command, capture_output=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


@pytest.fixture(scope="module")
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """Images built from this checkout; all containers healthy."""
    if "compose" not in request.config.option.markexpr:
        pytest.skip("builds and starts containers: run `make test-compose`")
    if not has_engine():
        pytest.exit(NO_ENGINE, returncode=1)
    names = ["token", "worker", "supervisor", "post_call", "speech", "storefront"]
    names += ["sfu", "sfu_tcp", "sfu_udp"]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    env_file = tmp_path_factory.mktemp("compose") / "env"
    env_file.write_text("".join(f"PARLEY_{n.upper()}_PORT={port}\n" for n, port in ports.items()))
    started = Project(f"parley-test-{secrets.token_hex(4)}", env_file, ports)
    try:
        up = ("up", "--build", "--wait", "--wait-timeout", str(START_TIMEOUT_S))
        try:
            started.compose(*up, timeout_s=BUILD_TIMEOUT_S + START_TIMEOUT_S)
        except pytest.fail.Exception as error:
            logs = started.compose("logs", "--no-color", "--tail", "30")
            pytest.fail(f"{error}\n{logs}", pytrace=False)
        yield started
    finally:
        started.compose("down", "--volumes", "--timeout", "10")
        if images := started.found("image", "ls"):
            docker("image", "rm", *images)


async def answered(caller: Caller, project: Project) -> str:
    """
    Ask for an order's status until the agent has understood, as a person does.

    Returns: what a recognizer hears in the sound of the answer, which names what was ordered:
    winter gloves. The small local recognizer takes "order" for "water" now and then, and
    "shipped" for worse.
    Fails: the agent did not understand three times in a row.
    """
    question = await speak(project.speech_url, QUESTION)
    for _ in range(TRIES):
        before = len(caller.lines)
        asked_at = await caller.say(question)
        answer = await caller.agent_line(after=before)
        # The line is ahead of its last sounds, and a sentence cut short is heard as another.
        await caller.answer_after(asked_at)
        if "Order 7 is on its way" in answer:
            return await recognize(project.speech_url, caller.ear.since(asked_at))
    pytest.fail(f"not understood: {caller.lines}")


@pytest.mark.parametrize(
    ("container", "parts"),
    [
        ("token-service", ["token-service"]),
        ("agent-worker", ["agent-worker", "storefront-agent"]),
        ("call-supervisor", ["call-supervisor"]),
        ("post-call", ["post-call", "storefront-agent"]),
        ("speech-server", ["speech-server"]),
        ("storefront", ["storefront"]),
    ],
)
def test_container_of_a_service_is_given_every_setting_of_it(
    container: str, parts: list[str]
) -> None:
    """A setting that is new, renamed or gone is noticed here, without any engine."""
    file = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    fields = {name for part in parts for name in services.SETTINGS[part].model_fields}
    assert set(file["services"][container]["environment"]) == {
        (ENV_PREFIX + name).upper() for name in fields if not IN_CONTAINER.fullmatch(name)
    }


@pytest.mark.usefixtures("project")
class TestContainers:
    """In this order: the last ones stop them."""

    pytestmark = in_containers

    async def test_caller_who_asks_is_answered_from_the_shop(self, project: Project) -> None:
        """Question and answer cross the published ports as sound; the shop was really asked."""
        async with joined(project.url("token-service")) as caller:
            await caller.agent_line(containing="automated assistant")
            heard = await answered(caller, project)
        assert "gloves" in heard.lower()
        async with httpx.AsyncClient(base_url=project.url("storefront")) as shop:
            ledger = await shop.get("/v1/ledger", params={"call_id": caller.room.name})
        assert "/v1/orders/7" in [read["path"] for read in ledger.json()["reads"]]

    async def test_page_is_the_built_client_under_its_policy(self, project: Project) -> None:
        """The page, its script, and a policy that names the SFU's published address."""
        async with httpx.AsyncClient(base_url=project.url("token-service")) as browser:
            page = await browser.get("/")
            (script,) = re.findall(r'src="(/assets/[^"]+\.js)"', page.text)
            assert (await browser.get(script)).status_code == 200
        sfu = f"127.0.0.1:{project.ports['sfu']}"
        policy = page.headers["Content-Security-Policy"].split("; ")
        assert "default-src 'none'" in policy
        assert f"connect-src 'self' ws://{sfu} http://{sfu}" in policy

    def test_containers_run_nothing_as_root(self, project: Project) -> None:
        """Neither a process that runs now, nor the one that made the keys and ended."""
        everyone = project.found("ps", "--all")
        services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        assert len(everyone) == len(services)
        users = docker("inspect", "--format", "{{.Config.User}}", *everyone).split()
        assert sorted(users) == ["10001:10001", *["parley"] * (len(services) - 1)]
        for container in project.found("ps"):
            processes = docker("top", container, "-eo", "pid,uid,args").splitlines()[1:]
            assert processes
            assert {line.split()[1] for line in processes} == {"10001"}

    async def test_worker_told_to_stop_in_a_call_ends_after_the_call(
        self, project: Project
    ) -> None:
        """`docker compose stop` reaches the worker, not its calls: they go on to their end."""
        async with (
            joined(project.url("token-service")) as caller,
            httpx.AsyncClient(base_url=project.url("agent-worker")) as worker,
        ):
            await caller.agent_line(containing="automated assistant")
            stop = asyncio.create_task(asyncio.to_thread(project.compose, "stop", "agent-worker"))
            async with asyncio.timeout(15):
                while "draining" not in (await worker.get("/readyz")).text:
                    await asyncio.sleep(0.1)
            assert "gloves" in (await answered(caller, project)).lower()
            assert not stop.done()
        async with asyncio.timeout(30):
            await stop
        stopped = project.compose("ps", "--all", "--quiet", "agent-worker").strip()
        assert docker("inspect", "--format", "{{.State.ExitCode}}", stopped).strip() == "0"

    def test_project_taken_down_leaves_nothing(self, project: Project) -> None:
        """No container, no volume with keys or orders, no network."""
        assert project.found("volume", "ls")
        project.compose("down", "--volumes")
        kinds = (["ps", "--all"], ["volume", "ls"], ["network", "ls"])
        assert [project.found(*kind) for kind in kinds] == [[], [], []]
