"""The containers: built, started, called, stopped, taken down. `make test-compose` runs them."""

import asyncio
import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest
import yaml

from devstack import services
from devstack.ask import recognize, speak
from devstack.caller import Caller, NoAnswer, joined
from service_base.settings import ENV_PREFIX
from tests.support.call_steps import greeted
from tests.support.local_stack import ROOT, free_ports

NO_ENGINE = (
    "There is no Docker engine with Compose on this machine: "
    "install Docker, start it, and run `make test-compose` again."
)
QUESTION = "What is the status of my order number seven?"
TRIES = 3
BUILD_TIMEOUT_S = 900
START_TIMEOUT_S = 120
DRAIN_S = 10
CALLS = 12
WORKERS = 3
AT_ONCE = 4
RESTARTED = (
    *("storefront", "speech-server", "token-service", "call-supervisor", "post-call", "redis"),
    *("postgres", "agent-worker", "sfu"),
)
"""One after another, as a rolling restart does it; workers one at a time."""
IN_CONTAINER = re.compile(r".*_(host|port|dir|file)|storefront_database_url|sfu_api_(key|secret)")
"""Settings that are the image's own: where it listens, where it keeps its files."""

ASK_POSTGRES = """
import asyncio, asyncpg
async def ask():
    connection = await asyncpg.connect("postgresql://token_service@postgres/{url}")
    print(await connection.execute("{statement}"))
try:
    asyncio.run(ask())
except asyncpg.PostgresError as error:
    print(error)
"""

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
        files = ["--file", "docker-compose.yml", "--file", "tests/support/compose_ports.yml"]
        return docker("compose", *options, *files, *command, timeout_s=timeout_s)

    def log_of(self, call_id: str) -> str:
        """What all services logged of a call lately."""
        lines = self.compose("logs", "--no-color", "--since", "3m").splitlines()
        return "\n".join(line[:300] for line in lines if call_id in line)

    def workers(self) -> list[str]:
        """The ids of the agent workers' containers that run."""
        return self.compose("ps", "--quiet", "agent-worker").split()

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
    names = ["token", "supervisor", "speech", "storefront", "sfu", "sfu_tcp", "sfu_udp"]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    env_file = tmp_path_factory.mktemp("compose") / "env"
    lines = [f"PARLEY_{name.upper()}_PORT={port}" for name, port in ports.items()]
    # All callers come from this machine; calls that go on are moved soon.
    lines += ["PARLEY_TOKEN_NETWORK_SHARE=1", f"PARLEY_WORKER_DRAIN_S={DRAIN_S}"]
    # Who waits for a container to be restarted is silent for longer than people are.
    lines += ["""PARLEY_WAITS='{"silence_s": 600}'"""]
    env_file.write_text("\n".join(lines) + "\n")
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


async def _calls_back(caller: Caller) -> None:
    """Order a call-back, which is an effect."""
    before = len(caller.lines)
    await caller.send_text("I want to talk to a person")
    await caller.agent_line(after=before, containing="?", timeout_s=30)
    before = len(caller.lines)
    await caller.send_text("yes")
    await caller.agent_line(after=before, timeout_s=30)


async def _all_answer(project: Project, callers: Sequence[Caller]) -> None:
    async def ask(caller: Caller) -> None:
        try:
            async with asyncio.timeout(60):
                while caller.agent is None or not caller.room.isconnected():
                    await asyncio.sleep(0.2)
        except TimeoutError:
            heard = [line.text for line in caller.lines]
            pytest.fail(f"{caller.room.name}: {heard}\n{project.log_of(caller.room.name)}")
        before = len(caller.lines)
        await caller.send_text("Where is order eight?")
        try:
            await caller.agent_line(after=before, containing="Order 8", timeout_s=60)
        except NoAnswer as silence:
            pytest.fail(f"{caller.room.name}: {silence}\n{project.log_of(caller.room.name)}")

    await asyncio.gather(*map(ask, callers))


def _accepted(container: str) -> set[str]:
    """The ids of the calls that a worker's container accepted."""
    lines = docker("logs", container).splitlines()
    return {json.loads(line)["call_id"] for line in lines if '"job.accepted"' in line}


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
        others = ["10001:10001", "postgres", "redis"]
        assert sorted(users) == sorted([*others, *["parley"] * (len(services) - len(others))])
        for container in project.found("ps"):
            processes = docker("top", container, "-eo", "pid,uid,args").splitlines()[1:]
            assert processes
            assert "0" not in {line.split()[1] for line in processes}

    def test_every_container_has_limits(self, project: Project) -> None:
        """Of memory and processes; only page, SFU and the operators' port are published."""
        format_ = "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.ReadonlyRootfs}}"
        for line in docker("inspect", "--format", format_, *project.found("ps", "-a")).splitlines():
            memory, pids, is_read_only = line.split()
            assert (int(memory) > 0, int(pids) > 0, is_read_only) == (True, True, "true")
        services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        published = {name for name, service in services.items() if "ports" in service}
        assert published == {"token-service", "sfu", "call-supervisor"}

    def test_door_reaches_neither_the_shop_nor_the_work_after_calls(self, project: Project) -> None:
        """What somebody has who broke into the token service."""

        def inside(code: str) -> str:
            return project.compose("exec", "-T", "token-service", "python", "-c", code).strip()

        for host in ("post-call", "storefront", "speech-server", "migrate"):
            look_up = f"import socket; print(socket.getaddrinfo({host!r}, 80))"
            with pytest.raises(
                pytest.fail.Exception, match=r"Name or service not known|resolution"
            ):
                inside(look_up)
        assert inside("import os; print(sorted(os.listdir('/keys')))") == str(
            ["journal-keys.yaml", "pgpass", "sfu-keys.yaml"]
        )
        for url, statement, refusal in (
            ("parley", "DELETE FROM call", "permission denied for table call"),
            ("parley", "UPDATE follow_up SET state = 'x'", "permission denied for table follow_up"),
            ("parley", "SELECT 1 FROM executor", "permission denied for table executor"),
            ("post_call", "SELECT 1", 'permission denied for database "post_call"'),
        ):
            said = inside(ASK_POSTGRES.format(url=url, statement=statement))
            assert refusal in said, said

    async def test_worker_told_to_stop_in_a_call_ends_after_the_call(
        self, project: Project
    ) -> None:
        """`docker compose stop` reaches the worker, not its calls: they go on to their end."""
        async with joined(project.url("token-service")) as caller:
            await caller.agent_line(containing="automated assistant")
            stop = asyncio.create_task(asyncio.to_thread(project.compose, "stop", "agent-worker"))
            async with asyncio.timeout(15):
                while "worker.draining" not in project.compose("logs", "agent-worker"):
                    await asyncio.sleep(0.1)
            assert "gloves" in (await answered(caller, project)).lower()
            assert not stop.done()
        async with asyncio.timeout(30):
            await stop
        stopped = project.compose("ps", "--all", "--quiet", "agent-worker").strip()
        assert docker("inspect", "--format", "{{.State.ExitCode}}", stopped).strip() == "0"

    @pytest.mark.timeout(600)
    async def test_calls_of_three_workers_survive_stops_and_a_rolling_restart(
        self, project: Project
    ) -> None:
        """None is lost, each effect happens once, and new callers get in."""
        scale = ("up", "--detach", "--wait", "--scale", f"agent-worker={WORKERS}")
        await asyncio.to_thread(project.compose, *scale)
        url = project.url("token-service")
        async with AsyncExitStack() as calls:
            callers: list[Caller] = []
            for _ in range(CALLS // AT_ONCE):
                # Not all at once, which is too much for two cores, nor one by one: the first ones
                # would be silent for so long that the agent hangs up.
                group = [await calls.enter_async_context(joined(url)) for _ in range(AT_ONCE)]
                await asyncio.gather(*(greeted(caller, timeout_s=60) for caller in group))
                callers += group
            ids = {caller.room.name for caller in callers}
            spread = {worker: _accepted(worker) & ids for worker in project.workers()}
            print("calls of each worker:", [len(taken) for taken in spread.values()])
            # Not always alike: a worker whose callers wait longer for a moment gets fewer.
            assert set.union(*spread.values()) == ids
            assert min(map(len, spread.values())) >= CALLS // WORKERS - 1
            await asyncio.gather(*(caller.hang_up() for caller in callers[CALLS // 2 :]))
            callers = callers[: CALLS // 2]
            await asyncio.gather(*map(_calls_back, callers))

            await asyncio.to_thread(docker, "stop", next(iter(spread)), timeout_s=120)
            await _all_answer(project, callers)
            print("a worker stopped: all answer")
            await asyncio.to_thread(project.compose, *scale)
            for service in RESTARTED:
                for container in project.compose("ps", "--quiet", service).split():
                    await asyncio.to_thread(docker, "restart", container, timeout_s=120)
                    await asyncio.to_thread(project.compose, *scale)
                    await _all_answer(project, callers)
                async with joined(url) as another:
                    await greeted(another, timeout_s=60)
                print(f"{service} restarted: all answer, and a new caller too")
        async with httpx.AsyncClient(base_url=project.url("storefront")) as shop:
            for caller in callers:
                ledger = await shop.get("/v1/ledger", params={"call_id": caller.room.name})
                assert len(ledger.json()["effects"]) == 1, ledger.json()

    def test_project_taken_down_leaves_nothing(self, project: Project) -> None:
        """No container, no volume with keys or orders, no network."""
        assert project.found("volume", "ls")
        project.compose("down", "--volumes")
        kinds = (["ps", "--all"], ["volume", "ls"], ["network", "ls"])
        assert [project.found(*kind) for kind in kinds] == [[], [], []]
