"""Two tenants with a user of the same name: neither sees or does what is the other's."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from agent_worker.agent import AgentDefinition
from agent_worker.settings import WorkerSettings
from agent_worker.tools.mcp import Injected, Listed, allow, as_tools, mcp_server
from agent_worker.tools.tool import Answer, Caller, tool
from call_record import calls, follow_up
from call_record import workers as record_workers
from call_record.__main__ import parser, run
from call_record.record import Record
from call_record.settings import RecordSettings
from examples.storefront.backend.app import build as build_shop
from examples.storefront.backend.app import open_shop
from examples.storefront.backend.settings import StorefrontSettings
from examples.storefront.backend.setup import prepare
from examples.storefront.connectors import StorefrontCrm
from post_call.connectors.webhook import payload
from post_call.steps import Patience, Steps
from service_base.settings import load
from tests.support.calls import the_call
from tests.support.local_stack import LocalStack
from tests.support.room_call import SPEECHLESS, running_call
from tests.support.token_service import client, room
from tests.unit.agent_worker.small_agent import load_templates
from token_service.app import build as build_door
from token_service.settings import TokenSettings

TENANTS = ("north", "south")
SECRETS = {tenant: tenant[0] * 40 for tenant in TENANTS}
NAMES = {"north": "Sam North", "south": "Sam South"}
TEMPLATES = """
language: en
intents:
  who: {tool: who, data: [{sentences: ["who am i"]}]}
  server_who: {tool: server_who, data: [{sentences: ["ask the server"]}]}
"""


@tool(effect="read")
async def who(*, caller: Caller) -> Answer:
    """Tell who is calling."""
    return Answer(say=f"{caller.tenant}/{caller.identity}/{caller.name}")


def agent_of(folder: Path) -> AgentDefinition:
    """An agent with a tool of its own and one of an MCP server's, which both tell who calls."""

    async def send(name: str, arguments: dict[str, Any]) -> Answer:
        return Answer(say="{tenant}/{caller}/{display_name}".format(**arguments))

    inject: dict[str, Injected] = {
        "caller": "caller",
        "tenant": "tenant",
        "display_name": "caller_name",
    }
    parameters = {"type": "object", "properties": {name: {} for name in inject}}
    server = mcp_server(
        "server",
        url="http://127.0.0.1:1/mcp",
        tools={"server_who": allow(effect="read", inject=inject)},
    )
    served = as_tools(server, {"server_who": Listed(parameters=parameters)}, send)
    return AgentDefinition(
        name="Who",
        greeting="Hello, a machine speaks.",
        instructions="",
        templates=load_templates(folder, TEMPLATES),
        tools=(who, *served),
    )


class World:
    """Where both tenants' users call."""

    def __init__(self, sfu: LocalStack, record: Record, door: httpx.AsyncClient) -> None:
        self.sfu = sfu
        self.record = record
        self.door = door

    async def admitted(self, tenant: str) -> tuple[str, str]:
        """A call of *tenant*'s sam: its id, and the token for its room."""
        answer = await self.door.post("/api/voice-token", headers=self.key(tenant))
        return room(answer, self.sfu), answer.json()["token"]

    def key(self, tenant: str) -> dict[str, str]:
        """What the tenant's server sends for its user."""
        return {
            "Authorization": f"Bearer {SECRETS[tenant]}",
            "Parley-Caller": "sam",
            "Parley-Caller-Name": NAMES[tenant],
        }


@pytest.fixture
async def world(
    sfu: LocalStack, record: Record, database_url: str, tmp_path: Path
) -> AsyncIterator[World]:
    """With a door that knows both tenants' keys."""
    keys = tmp_path / "api-keys.yaml"
    keys.write_text("".join(f"{tenant}: {secret}\n" for tenant, secret in SECRETS.items()))
    (tmp_path / "index.html").write_text("<!doctype html><title>Parley</title>")
    await record_workers.register(record, "worker", 100)
    settings = TokenSettings(
        _env_file=None,
        sfu_url=sfu.sfu_url,
        sfu_keys_file=sfu.keys_file,
        web_dir=tmp_path,
        database_url=database_url,
        journal_keys_file=tmp_path / "journal-keys.yaml",
        token_auth="api-key",
        token_api_keys_file=keys,
    )
    async with client(build_door(settings)) as door:
        yield World(sfu, record, door)


@asynccontextmanager
async def shop(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The shop, as its CRM."""
    url = f"sqlite+aiosqlite:///{folder}/shop.db"
    settings = load(StorefrontSettings, storefront_database_url=url, _env_file=None)
    opened = open_shop(settings)
    await prepare(opened)
    transport = httpx.ASGITransport(build_shop(settings, opened))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
        yield http
    await opened.database.close()


async def test_users_of_one_name_are_two_at_the_door_in_tools_and_afterwards(
    world: World, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the record alone: what the dispatch says, passed through the SFU, names nobody."""
    settings = load(
        WorkerSettings,
        database_url=database_url,
        journal_keys_file=tmp_path / "journal-keys.yaml",
        _env_file=None,
        **SPEECHLESS,
    )
    ids: dict[str, str] = {}
    for tenant in TENANTS:
        ids[tenant], token = await world.admitted(tenant)
        async with running_call(
            world.sfu,
            world.record,
            settings,
            agent_of(tmp_path),
            ids[tenant],
            token=token,
            dispatched_as="somebody-else",
        ) as call:
            known = f"{tenant}/sam/{NAMES[tenant]}"
            assert await call.result("who am i") == known
            assert await call.result("ask the server") == known
    assert len(set(ids.values())) == 2
    for asking, other in (TENANTS, TENANTS[::-1]):
        seen = await world.door.get(f"/api/calls/{ids[other]}", headers=world.key(asking))
        assert seen.status_code == 404

    await follow_up.take(world.record)
    async with shop(tmp_path) as http, AsyncExitStack() as stack:
        crm = StorefrontCrm(http)
        stack.push_async_callback(crm.aclose)
        steps = Steps(world.record, Patience(3, 1.0, 4.0, 5.0, 2, 3.0), crm=crm)
        for tenant, call_id in ids.items():
            for step in await steps.plan(call_id):
                await steps.try_step(call_id, step, 0)
            told = payload(await steps.report(await the_call(world.record, call_id)))["data"]
            assert (told["tenant"], told["caller"]) == (tenant, "sam")
            [contact] = (
                await http.get("/v1/contacts", params={"external_id": f"{tenant}#sam"})
            ).json()["contacts"]
            assert (contact["name"], contact["customer_id"]) == (NAMES[tenant], None)

    record_settings = load(
        RecordSettings,
        database_url=database_url,
        journal_keys_file=tmp_path / "journal-keys.yaml",
        _env_file=None,
    )

    async def cli(*arguments: str) -> tuple[int, str, str]:
        code = await run(parser().parse_args(arguments), record_settings)
        return code, *capsys.readouterr()

    capsys.readouterr()
    code, out, _ = await cli("export", "--caller", "sam", "--tenant", "north")
    assert code == 0 and ids["north"] in out
    assert ids["south"] not in out and "South" not in out and "south" not in out
    last = [json.loads(line) for line in out.splitlines()][-1]
    assert last["call_id"] == ids["north"]
    code, _, err = await cli("export", "--caller", "sam")
    assert code == 3 and "are of tenant north, south: see --tenant" in err
    assert (await cli("erase", "--caller", "sam", "--tenant", "north", "--why", "asked"))[0] == 0
    north, south = [await calls.read(world.record, ids[tenant]) for tenant in TENANTS]
    assert north is not None and north.caller is None
    assert south is not None and south.caller == "sam"
    code, _, err = await cli("show", ids["south"], "--tenant", "south")
    assert code == 2 and "--tenant belongs to --caller" in err
