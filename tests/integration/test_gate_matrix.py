"""
Every guard, for a function and for an MCP tool over stdio and over HTTP: what is allowed happens
once, what is refused does not, what is slow or lost is said to be unknown and is not repeated.

Text mode, a model by script, a real shop in a process of its own: its ledger is the judge.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import pytest
import pytest_asyncio
from livekit.agents import AgentSession
from livekit.agents.llm import ChatContext, ChoiceDelta, FunctionToolCall

from agent_worker.agent import AgentDefinition
from agent_worker.metrics import Metrics
from agent_worker.reasoning.llm import AgentLLM, say
from agent_worker.reasoning.message_tags import spoken, unanswered
from agent_worker.reasoning.templates import Templates
from agent_worker.tools.call_tools import CallTools
from agent_worker.tools.guarded_agent import GuardedAgent, written
from agent_worker.tools.journal import MemoryJournal
from agent_worker.tools.mcp import as_tools
from agent_worker.tools.mcp_client import Connection
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.tool import Caller, Tool
from devstack.parent_death import die_with_parent
from tests.support.faulty_proxy import FaultyProxy, faulty_proxy
from tests.support.gate_scene import TestLease
from tests.support.local_stack import ROOT, free_ports, until
from tests.support.native_and_mcp_tools import CONFIRMED, HIDDEN, PLAIN, native, over_mcp
from tests.unit.agent_worker.scripted import Script, ScriptedLLM
from voice_contract.ids import new_call_id
from voice_contract.journal import ToolFinished, ToolRefused, ToolStarted, ToolUnknown

pytestmark = pytest.mark.asyncio(loop_scope="module")
SAYS = GatePhrases()
CARRIERS = ["native", "stdio", "http"]


@dataclass(frozen=True)
class Guard:
    """A guard, and how a test makes it refuse."""

    name: str
    tool: str = PLAIN
    raw: str | None = None
    """Arguments that it refuses, as the model sends them."""
    says: str = ""
    """What is said then."""


GUARDS = {
    "allow-list": Guard("allow-list", tool=HIDDEN, says="Unknown function"),
    "json": Guard("json", raw='{"number": 7,', says=SAYS.malformed),
    "arguments": Guard("arguments", raw='{"number": "7"}', says="I did not get the number right."),
    "injection": Guard(
        "arguments", raw='{"number": 7, "key": "mine"}', says="I did not get the key right."
    ),
    "policy": Guard("policy", raw='{"number": 77}', says="That number is too large."),
    "budget": Guard("budget", says=SAYS.too_often),
    "confirmation": Guard("confirmation", tool=CONFIRMED, says=SAYS.declined),
    "breaker": Guard("breaker", says=SAYS.away),
    "lease": Guard("lease", says=SAYS.not_now),
    "journal": Guard("journal", says=SAYS.not_now),
}


@pytest.fixture(scope="module")
def shop_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The shop's process."""
    (port,) = free_ports(1)
    folder = tmp_path_factory.mktemp("shop")
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "PARLEY_STOREFRONT_PORT": str(port),
        "PARLEY_STOREFRONT_DEMO_CUSTOMER": "true",
        "PARLEY_STOREFRONT_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/shop.db",
    }
    with running([sys.executable, "-m", "examples.storefront.backend"], environment, str(folder)):
        wait_for(f"http://127.0.0.1:{port}/readyz")
        yield port


class running:
    """A process that ends with the block."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: str) -> None:
        self._options: dict[str, Any] = {"env": environment, "cwd": folder}
        self._command = command

    def __enter__(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
            **self._options,
        )

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)


def wait_for(url: str) -> None:
    """Until somebody answers there, whatever the answer is."""
    for _ in range(300):
        try:
            httpx.get(url, trust_env=False)
            return
        except httpx.HTTPError:
            asyncio.run(asyncio.sleep(0.05))
    raise AssertionError(f"nothing answers at {url}")


@pytest.fixture(scope="module")
def proxy(shop_port: int) -> Iterator[FaultyProxy]:
    """The way to the shop."""
    with faulty_proxy(shop_port) as made:
        yield made


@pytest.fixture(scope="module")
def mcp_port(proxy: FaultyProxy) -> Iterator[int]:
    """The MCP server over HTTP."""
    (port,) = free_ports(1)
    command = [
        sys.executable,
        "-m",
        "tests.support.native_and_mcp_tools",
        f"http://127.0.0.1:{proxy.port}",
    ]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    with running([*command, str(port)], environment, str(ROOT)):
        wait_for(f"http://127.0.0.1:{port}/mcp")
        yield port


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def tools(proxy: FaultyProxy, mcp_port: int) -> AsyncIterator[dict[str, list[Tool]]]:
    """The same tools by carrier."""
    shop = f"http://127.0.0.1:{proxy.port}"
    servers = {
        "stdio": over_mcp(
            command=(sys.executable, "-m", "tests.support.native_and_mcp_tools", shop)
        ),
        "http": over_mcp(url=f"http://127.0.0.1:{mcp_port}/mcp"),
    }
    made = {"native": native(shop)}
    lines = {name: Connection(server) for name, server in servers.items()}
    for name, server in servers.items():
        line = lines[name]
        made[name] = as_tools(server, await line.list_tools(), line.send)
    yield made
    await asyncio.gather(*(line.aclose() for line in lines.values()))


class MatrixCall:
    """A call with a model that proposes what a test wants."""

    def __init__(self, tools: list[Tool], templates: Templates, shop_port: int) -> None:
        self.call_id = new_call_id()
        self.journal = MemoryJournal()
        self.lease = TestLease()
        self.wants: list[tuple[str, str]] = []
        self._shop_port = shop_port
        self.tools = CallTools(
            caller=Caller("caller-1", self.call_id),
            tools=tools,
            resources=(),
            journal=self.journal,
            lease=self.lease,
            metrics=Metrics(None),
            secret=b"key of the call",
            settle_s=0.0,
        )
        agent = AgentDefinition("Matrix", "Hello.", "Test.", templates, tuple(tools))
        llm = AgentLLM(agent, ScriptedLLM(self._script), templates=False)
        self.session: AgentSession[None] = AgentSession(llm=llm, tools=[self.tools.toolset])
        self.agent = GuardedAgent(
            instructions="", gate=self.tools.gate, delivery=self.tools.delivery
        )

    def _script(self, conversation: ChatContext) -> Script:
        if outputs := unanswered(conversation.items):
            return [say(" ".join(dict.fromkeys(map(spoken, outputs))))]
        calls = [
            FunctionToolCall(name=name, arguments=raw, call_id=f"{len(conversation.items)}-{n}")
            for n, (name, raw) in enumerate(self.wants)
        ]
        return [ChoiceDelta(role="assistant", tool_calls=calls)]

    async def __aenter__(self) -> "MatrixCall":
        await self.session.start(self.agent, record=False)
        self.tools.follow(self.session, self.agent)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.tools.close()
        await self.session.aclose()
        await self.tools.aclose()

    async def wish(self, tool: str, raw: str, *, times: int = 1, yes: bool = True) -> str:
        """
        The caller wishes something, and the model proposes it *times* times in one reply.

        Returns: all that the agent says about it.
        """
        self.wants = [(tool, raw)] * times
        before = len(self.said)
        await self._turn("Do it.")
        if self.tools.questions.open:
            await self._turn("yes" if yes else "no")
        invocations = self.tools.gate.invocations
        await until(lambda: all(one.outcome is not None for one in invocations))
        await asyncio.sleep(0.05)
        await until(lambda: self.session.current_speech is None)
        return " ".join(self.said[before:])

    async def _turn(self, text: str) -> None:
        await self.session.generate_reply(user_input=written(self.tools.gate, text))

    @property
    def said(self) -> list[str]:
        """What the agent said."""
        return [
            item.text_content or ""
            for item in self.session.history.items
            if item.type == "message" and item.role == "assistant"
        ]

    async def ledger(self) -> list[dict[str, Any]]:
        """The shop's effects of this call."""
        async with httpx.AsyncClient() as http:
            url = f"http://127.0.0.1:{self._shop_port}/v1/ledger"
            answer = await http.get(url, params={"call_id": self.call_id})
        found: list[dict[str, Any]] = answer.json()["effects"]
        return found

    def wrote(self, kind: type[Any]) -> list[Any]:
        """The journal's entries of that kind."""
        return [entry for entry in self.journal.entries if isinstance(entry, kind)]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """None that matter."""
    file = tmp_path_factory.mktemp("templates") / "intents.yaml"
    bye = {"tool": "end_call", "data": [{"sentences": ["bye"]}]}
    file.write_text(json.dumps({"language": "en", "intents": {"bye": bye}}))
    return Templates.load(file)


@pytest_asyncio.fixture(loop_scope="module")
async def call(
    carrier: str,
    tools: dict[str, list[Tool]],
    templates: Templates,
    shop_port: int,
    proxy: FaultyProxy,
) -> AsyncIterator[MatrixCall]:
    proxy.mode = "passes"
    async with MatrixCall(tools[carrier], templates, shop_port) as made:
        yield made
    proxy.mode = "passes"


async def use_up(call: MatrixCall, guard: Guard, proxy: FaultyProxy) -> None:
    """Bring the guard to where it refuses what it would else allow."""
    if guard.name == "budget":
        for number in range(1, 7):
            await call.wish(PLAIN, f'{{"number": {number}}}')
    elif guard.name == "breaker":
        proxy.mode = "busy"
        for number in range(1, 6):
            await call.wish(PLAIN, f'{{"number": {number}}}')
        proxy.mode = "passes"
    elif guard.name == "lease":
        call.lease.ours = False
    elif guard.name == "journal":
        call.journal.healthy = False


SHORT = ("confirmation", "policy")
"""For these every carrier is tried in each run; for the others the function alone."""


def cells(*, slow: bool = False) -> pytest.MarkDecorator:
    """Each guard with each carrier."""
    return pytest.mark.parametrize(
        ("guard", "carrier"),
        [
            pytest.param(
                guard,
                carrier,
                id=f"{name}-{carrier}",
                marks=()
                if name in SHORT[: 1 if slow else 2] or (carrier == "native" and not slow)
                else pytest.mark.long,
            )
            for name, guard in GUARDS.items()
            for carrier in CARRIERS
        ],
    )


GOOD = '{"number": 7}'


def usable(guard: Guard) -> str:
    """The tool with which a test of *guard* does what is allowed."""
    return PLAIN if guard.tool == HIDDEN else guard.tool


@cells()
async def test_allowed_call_has_its_effect_once(call: MatrixCall, guard: Guard) -> None:
    """With the call's key, and on record from proposal to result."""
    assert "Callback 7 is noted." in await call.wish(usable(guard), GOOD)
    (effect,) = await call.ledger()
    (started,) = call.wrote(ToolStarted)
    assert effect["idempotency_key"] == started.idempotency_key
    assert started.idempotency_key and started.idempotency_key.startswith(f"{call.call_id}:")
    assert len(call.wrote(ToolFinished)) == 1


@cells()
async def test_refused_call_has_no_effect_and_says_why(
    call: MatrixCall, guard: Guard, proxy: FaultyProxy
) -> None:
    """Whatever stands behind the tool is not reached."""
    await use_up(call, guard, proxy)
    before = len(await call.ledger())
    said = await call.wish(guard.tool, guard.raw or GOOD, yes=False)
    assert guard.says in said
    assert len(await call.ledger()) == before
    if guard.name not in ("allow-list", "lease", "journal"):
        assert call.wrote(ToolRefused)[-1].guard == guard.name


@cells(slow=True)
async def test_call_that_takes_too_long_is_unknown_and_its_late_result_is_on_record(
    call: MatrixCall, guard: Guard, proxy: FaultyProxy
) -> None:
    """It is not stopped midway: done once."""
    proxy.mode = "slow"
    assert SAYS.unknown in await call.wish(usable(guard), GOOD)
    assert len(call.wrote(ToolUnknown)) == 1
    await until(lambda: len(call.wrote(ToolFinished)) == 1)
    assert len(await call.ledger()) == 1


@cells()
async def test_call_whose_answer_is_lost_is_unknown_and_not_repeated(
    call: MatrixCall, guard: Guard, proxy: FaultyProxy
) -> None:
    """Said so; done once, though the agent cannot know; a later wish for the same is refused."""
    proxy.mode = "loses the answer"
    assert SAYS.unknown in await call.wish(usable(guard), GOOD)
    proxy.mode = "passes"
    assert len(call.wrote(ToolUnknown)) == 1
    assert SAYS.not_again in await call.wish(usable(guard), GOOD)
    assert len(await call.ledger()) == 1


@cells()
async def test_call_that_is_proposed_three_times_at_once_has_one_effect(
    call: MatrixCall, guard: Guard
) -> None:
    """A later wish for the same is another effect, with another key."""
    for wishes in (1, 2):
        await call.wish(usable(guard), GOOD, times=3)
        keys = [effect["idempotency_key"] for effect in await call.ledger()]
        assert len(keys) == len(set(keys)) == wishes
