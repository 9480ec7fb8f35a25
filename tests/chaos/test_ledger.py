"""
Many calls with faults at random, and afterwards all books are compared: the shop's ledger, each
call's journal, its ticket.

Everything that decides whether something is done is real: the agent's process with its gate, lease,
journal and conversation, the record, the supervisor, the shop over HTTP, the work after the call.
Left out are room and sound.
"""

import asyncio
import multiprocessing
import os
import random
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import time as clock_time
from datetime import timedelta
from multiprocessing.context import ForkServerContext
from pathlib import Path

import httpx2 as httpx
import pytest

from call_record import follow_up, keys
from call_record.database import Database
from call_record.prepare import prepare
from call_record.record import Record
from examples.backend_base.clock import system_clock
from examples.backend_base.database import Database as ShopDatabase
from examples.storefront.backend import tables
from tests.chaos import results
from tests.chaos.ledger_audit import Account, account
from tests.chaos.ledger_call import FAULTS, MANNERS, LedgerCall, Place, story_of, wishes
from tests.conftest import in_a_thread, psql
from tests.integration.post_call.conftest import running
from tests.support import post_call_process
from tests.support.local_stack import free_ports

PARALLEL = 6
FIRST_ORDER = 1_000
FOLLOWED_UP_S = 90
RUNS = 200
LONG_FIRST = 100
"""The calls of the short run have other numbers, as the shop knows each customer once."""
FEWEST_HITS = 10
"""Of each fault, in a long run."""


@pytest.fixture(scope="module")
def context() -> ForkServerContext:
    """Processes that have everything imported when they start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.chaos.ledger_agent", "tests.support.post_call_process"])
    # The first one waits for the imports; no call must.
    first = context.Process(target=os.getpid)
    first.start()
    first.join()
    return context


@pytest.fixture(scope="module")
def shop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shop's database is."""
    return tmp_path_factory.mktemp("ledger-shop")


@pytest.fixture(scope="module")
def shop_port(shop_folder: Path) -> Iterator[int]:
    """The shop, in a process of its own."""
    [port] = free_ports(1)
    with running(
        f"http://127.0.0.1:{port}/readyz",
        "examples.storefront.backend",
        PARLEY_STOREFRONT_PORT=str(port),
        PARLEY_STOREFRONT_DATABASE_URL=_shop_url(shop_folder),
    ):
        yield port


def _shop_url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder}/shop.db"


async def _open_accounts(url: str, numbers: range) -> None:
    """A customer of the shop for each call, with an order to refund, one to cancel, and visits."""
    database = ShopDatabase(url)
    today = system_clock().date()
    async with database.writing() as session:
        session.add_all(
            tables.Customer(id=_buyer(one), name="Sam", phone="+1 555 0134") for one in numbers
        )
        await session.flush()
        for one in numbers:
            for number, status in zip(_orders(one), ("delivered", "processing"), strict=True):
                arrival = today + timedelta(days=-3 if status == "delivered" else 4)
                session.add(
                    tables.Order(
                        number=number,
                        customer_id=_buyer(one),
                        status=status,
                        currency="USD",
                        placed_on=today - timedelta(days=9),
                        expected_on=arrival,
                        delivered_on=arrival if status == "delivered" else None,
                        items=[tables.OrderItem(sku="pump", quantity=9, unit_price_cents=2_999)],
                    )
                )
            for later in range(3):
                session.add(
                    tables.Appointment(
                        customer_id=_buyer(one),
                        kind="fitting",
                        day=today + timedelta(days=5 + later),
                        start=clock_time(8 + one // 60 % 12, one % 60),
                        note="",
                        status="booked",
                    )
                )
    await database.close()


def _buyer(number: int) -> str:
    return f"buyer-{number}"


def _orders(number: int) -> tuple[int, int]:
    return FIRST_ORDER + 2 * number, FIRST_ORDER + 2 * number + 1


class Ledger:
    """A series of calls on two records, and what came of them."""

    def __init__(self, seed: int, numbers: range, folder: Path, shop_port: int) -> None:
        self.seed = seed
        self.numbers = numbers
        self.folder = folder
        self.shop_port = shop_port
        self.hits: Counter[str] = Counter()
        self.calls: list[LedgerCall] = []
        self.accounts: list[Account] = []

    async def play(self, places: tuple[Place, Place], context: ForkServerContext) -> None:
        """All calls, some at a time, and the work after them."""
        permits = asyncio.Semaphore(PARALLEL)

        async def one(number: int) -> None:
            chance = random.Random(f"{self.seed}:{number}")
            manner = MANNERS[number % len(MANNERS)]
            wish = chance.choice([one for one in wishes(*_orders(number)) if one.suits(manner)])
            call = LedgerCall(
                number=number,
                chance=chance,
                place=places[number // len(MANNERS) % 2],
                context=context,
                shop_port=self.shop_port,
                folder=self.folder,
                caller=_buyer(number),
                wish=wish,
                fault=FAULTS[number % len(FAULTS)],
                manner=manner,
                hits=self.hits,
            )
            self.calls.append(call)
            async with permits:
                await call.run()

        async with places[0], places[1]:
            await asyncio.gather(*(one(number) for number in self.numbers))
        await asyncio.gather(*(self._follow_up(place, context) for place in places))
        url = f"http://127.0.0.1:{self.shop_port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as shop:
            for call in self.calls:
                self.accounts.append(
                    await account(call.place.record, shop, call.call_id, call.wish, call.acts)
                )

    async def _follow_up(self, place: Place, context: ForkServerContext) -> None:
        mine = {call.call_id for call in self.calls if call.place is place}
        if not mine:
            return
        [port] = free_ports(1)
        variables = {
            "PARLEY_RUN_DIR": str(self.folder),
            "PARLEY_DATABASE_URL": place.url,
            "PARLEY_JOURNAL_KEYS_FILE": str(place.keys_file),
            "PARLEY_POST_CALL_PORT": str(port),
            "PARLEY_STOREFRONT_URL": f"http://127.0.0.1:{self.shop_port}",
            "PARLEY_POST_CALL_CRM": "examples.storefront.connectors:StorefrontCrm",
            "PARLEY_POST_CALL_TICKETS": "examples.storefront.connectors:StorefrontTickets",
        }
        log = self.folder / f"post-call-{port}.log"
        process = context.Process(target=post_call_process.run, args=(variables, log), daemon=True)
        process.start()
        try:
            ends_s = time.monotonic() + FOLLOWED_UP_S
            while time.monotonic() < ends_s:
                states = [
                    [step.state for step in await follow_up.read_steps(place.record, call_id)]
                    for call_id in mine
                ]
                if all(one and follow_up.StepState.OPEN not in one for one in states):
                    return
                await asyncio.sleep(0.3)
        finally:
            process.kill()
            await asyncio.to_thread(process.join, 5)

    def violations(self) -> Iterator[str]:
        """What is not as it must be, with all that happened in those calls."""
        for call, kept in zip(self.calls, self.accounts, strict=True):
            if found := [*call.wrongs, *kept.violations()]:
                yield "\n".join(
                    [
                        f"call {call.number}: {'; '.join(found)}",
                        f"again: PARLEY_TEST_SEED={self.seed} PARLEY_LEDGER_FIRST={call.number}"
                        " PARLEY_LEDGER_RUNS=1",
                        *story_of(call),
                        *(f"  {one.seq} [{one.attempt}] {one.entry!r}" for one in kept.recorded),
                        *(f"  shop: {one}" for one in kept.ledger),
                    ]
                )

    def table(self, violations: int) -> Iterator[str]:
        """In Markdown."""
        yield "| fault | hits |"
        yield "|---|---|"
        for fault in (*FAULTS, *MANNERS[1:]):
            yield f"| {fault} | {self.hits[fault]} |"
        yield ""
        yield "| seed | calls | effects | doubts settled in the call | doubts with a ticket |" + (
            " attempts after the first | violations |"
        )
        yield "|---|---|---|---|---|---|---|"
        numbers = [
            self.seed,
            len(self.accounts),
            sum(len(one.effects) for one in self.accounts),
            sum(len(one.settled_doubts) for one in self.accounts),
            sum(len(one.open_doubts) for one in self.accounts),
            sum(one.call.attempt - 1 for one in self.accounts),
            violations,
        ]
        yield f"| {' | '.join(map(str, numbers))} |"


Play = Callable[[range], Awaitable[Ledger]]


@pytest.fixture
async def play(
    tmp_path: Path,
    shop_folder: Path,
    shop_port: int,
    sqlite_template: Path,
    postgres_url: str,
    context: ForkServerContext,
) -> Play:
    """Plays calls of these numbers, half of them on each database, and compares the books."""
    seed = int(os.environ.get("PARLEY_TEST_SEED", time.time_ns() % 100_000))
    print(f"PARLEY_TEST_SEED={seed}")
    sqlite_url = f"sqlite+aiosqlite:///{tmp_path}/parley.db"
    shutil.copy(sqlite_template, tmp_path / "parley.db")
    name = f"ledger_{uuid.uuid4().hex}"
    psql(postgres_url, f"CREATE DATABASE {name}")
    record_url = f"{postgres_url.rpartition('/')[0]}/{name}"
    in_a_thread(prepare(record_url))
    keys_file = tmp_path / "journal-keys.yaml"
    ring = keys.ensure(keys_file)

    async def run(numbers: range) -> Ledger:
        await _open_accounts(_shop_url(shop_folder), numbers)
        records = [Record(Database(url, wait_s=20), ring) for url in (sqlite_url, record_url)]
        ledger = Ledger(seed, numbers, tmp_path, shop_port)
        first, second = (
            Place(record, url, keys_file)
            for record, url in zip(records, (sqlite_url, record_url), strict=True)
        )
        try:
            await ledger.play((first, second), context)
        finally:
            for record in records:
                await record.close()
        found = list(ledger.violations())
        results.SECTIONS["the books after faults"] = list(ledger.table(len(found)))
        assert not found, "\n\n".join(found)
        return ledger

    return run


@pytest.mark.long
async def test_books_agree_after_a_few_faults(play: Play) -> None:
    """One call for each fault."""
    ledger = await play(range(len(FAULTS)))
    assert sum(ledger.hits.values()) >= len(FAULTS)


@pytest.mark.chaos
@pytest.mark.timeout(2_400)
async def test_books_agree_after_many_faults(play: Play) -> None:
    """Every fault many times. PARLEY_LEDGER_FIRST and PARLEY_LEDGER_RUNS choose the calls."""
    first = int(os.environ.get("PARLEY_LEDGER_FIRST", LONG_FIRST))
    runs = int(os.environ.get("PARLEY_LEDGER_RUNS", RUNS))
    ledger = await play(range(first, first + runs))
    if runs >= RUNS:
        rare = [one for one in (*FAULTS, *MANNERS[1:]) if ledger.hits[one] < FEWEST_HITS]
        assert not rare, f"not hit {FEWEST_HITS} times: {rare}"
