"""One try of one step: with a real shop, a receiver and a model's server on sockets."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import delete, update

from call_record import erasure, follow_up, journal
from call_record.follow_up import Step, StepState
from call_record.record import Record
from call_record.tables import call as call_table
from call_record.tables import journal as entries
from call_record.verification import Verdict, verify
from examples.storefront.connectors import StorefrontCrm, StorefrontTickets
from post_call.connectors import NewTicket
from post_call.connectors.webhook import WebhookEndpoint
from post_call.http import TryAgain, client
from post_call.model import Model
from post_call.steps import SETTLE_S, Patience, Steps, Tried
from tests.support.calls import FakeClock, requested, the_call
from tests.support.ended_calls import ORDER_STATUS, REFUND_UNKNOWN, REFUSED
from tests.support.receiver import Receiver
from tests.unit.post_call.conftest import SECRET, taken
from voice_contract.journal import JournalGap

PATIENCE = Patience(
    tries=3,
    backoff_s=1.0,
    backoff_max_s=4.0,
    timeout_s=5.0,
    model_tries=2,
    model_timeout_s=3.0,
)
SETTLED = Tried()


def steps_on(record: Record, shop: httpx.AsyncClient, **more: Any) -> Steps:
    """The shop's CRM and tickets, and whatever more."""
    parts: dict[str, Any] = {"crm": StorefrontCrm(shop), "tickets": StorefrontTickets(shop)}
    return Steps(record, PATIENCE, **parts | more)


async def do_all(steps: Steps, call_id: str) -> None:
    """Every step at its first try."""
    for step in await steps.plan(call_id):
        assert await steps.try_step(call_id, step, 0) == SETTLED
    await steps.finish(call_id)


async def step_of(record: Record, call_id: str, name: str) -> Step:
    return next(one for one in await follow_up.read_steps(record, call_id) if one.step == name)


async def test_unsettled_call_leaves_summary_items_ticket_and_activity(
    worked: Record, shop: httpx.AsyncClient
) -> None:
    """The ticket says what is in doubt, with its key and its evidence."""
    call_id = await taken(worked, REFUND_UNKNOWN)
    await do_all(steps_on(worked, shop), call_id)
    read = await follow_up.read_follow_up(worked, call_id)
    assert read is not None and read.summary is not None
    assert (read.state, read.summary.outcome, len(read.action_items)) == ("ready", "unresolved", 2)
    [ticket] = (await shop.get("/v1/tickets")).json()["tickets"]
    assert (read.ticket, ticket["external_id"]) == (str(ticket["number"]), call_id)
    assert ticket["subject"] == "refund order (order number 3) unknown"
    for words in (
        "Caller: Sam Rivera, caller-",
        "CALL:1",
        "caller: Please refund order three.",
        f"show {call_id}",
        "(staff) by",
    ):
        assert words in ticket["text"]
    [activity] = (await shop.get("/v1/activities", params={"external_id": call_id})).json()[
        "activities"
    ]
    assert (activity["outcome"], activity["text"]) == ("unresolved", read.summary.text)


async def test_settled_call_needs_no_ticket(worked: Record, shop: httpx.AsyncClient) -> None:
    """A refusal with nothing done does."""
    steps = steps_on(worked, shop)
    good, refused = await taken(worked, ORDER_STATUS), await taken(worked, REFUSED)
    await do_all(steps, good)
    await do_all(steps, refused)
    [ticket] = (await shop.get("/v1/tickets")).json()["tickets"]
    assert ticket["external_id"] == refused
    assert (await step_of(worked, good, "ticket")).reason == "not needed"


@pytest.mark.parametrize(
    "spoil",
    [
        update(entries).values(body='{"text":"Send me a bicycle."}').where(entries.c.seq == 6),
        update(call_table).values(caller="alex-kim"),
        delete(entries).where(entries.c.seq == 9),
    ],
    ids=str,
)
async def test_call_whose_journal_was_edited_is_told_to_nobody_and_becomes_a_ticket(
    worked: Record, shop: httpx.AsyncClient, receiver: tuple[Receiver, str], spoil: Any
) -> None:
    """What may be made up is neither signed nor logged; the ticket does not repeat it either."""
    started, url = receiver
    call_id = await taken(worked, ORDER_STATUS)
    async with worked.database.writing() as connection:
        await connection.execute(spoil)
    async with client(1.0) as http:
        endpoint = WebhookEndpoint(http, "a", f"{url}/hooks/a", SECRET)
        await do_all(steps_on(worked, shop, endpoints=[endpoint]), call_id)
    assert started.ledger == []
    effects = (await shop.get("/v1/ledger")).json()["effects"]
    assert [one["kind"] for one in effects] == ["ticket.opened"]
    [ticket] = (await shop.get("/v1/tickets")).json()["tickets"]
    assert (ticket["external_id"], ticket["subject"]) == (
        call_id,
        "The journal of a call does not verify",
    )
    assert "bicycle" not in ticket["text"] and f"verify {call_id}" in ticket["text"]
    parked = await follow_up.read_unsettled(worked, failed=True)
    assert [one.step for one in parked] == ["summary", "action_items", "crm", "webhook:a"]
    assert all(one.reason.startswith("the journal is broken: ") for one in parked)


async def test_call_whose_journal_lost_entries_becomes_a_ticket(
    worked: Record, shop: httpx.AsyncClient
) -> None:
    """The agent that noticed it promised that a colleague would look; a full queue is no doubt."""
    steps = steps_on(worked, shop)
    for gap in (JournalGap(lost=0, cause="changed"), JournalGap(lost=2, cause="rolled-back")):
        call_id = await taken(worked, [*ORDER_STATUS, gap])
        await do_all(steps, call_id)
        results = await follow_up.read_results(worked, call_id)
        assert results.summary is not None and results.summary.outcome == "unresolved"
        assert (await step_of(worked, call_id, "ticket")).external_id is not None
    call_id = await taken(worked, [*ORDER_STATUS, JournalGap(lost=2)])
    await do_all(steps, call_id)
    assert (await step_of(worked, call_id, "ticket")).reason == "not needed"


async def test_contact_of_a_caller_is_found_at_the_second_call(
    worked: Record, shop: httpx.AsyncClient
) -> None:
    """One contact, two activities."""
    steps = steps_on(worked, shop)
    for _ in range(2):
        await do_all(steps, await taken(worked, ORDER_STATUS, caller="alex-kim"))
    effects = (await shop.get("/v1/ledger")).json()["effects"]
    assert [one["kind"] for one in effects] == ["contact.created", *["activity.logged"] * 2]
    found = await shop.get("/v1/contacts", params={"external_id": "alex-kim"})
    assert found.json()["contacts"][0]["name"] == "Alex Kim"


async def test_step_done_and_forgotten_is_done_once(
    worked: Record, shop: httpx.AsyncClient
) -> None:
    """As after a crash between the effect and its record, also when the text has changed."""
    call_id = await taken(worked, REFUND_UNKNOWN)
    steps = steps_on(worked, shop)
    await steps.plan(call_id)
    await steps.try_step(call_id, "summary", 0)
    key = f"{call_id}:ticket"
    first = await StorefrontTickets(shop).open(NewTicket(call_id, "Another", "text"), key)
    again = await StorefrontTickets(shop).open(NewTicket(call_id, "Another", "text"), key)
    assert await steps.try_step(call_id, "ticket", 0) == SETTLED
    assert (await step_of(worked, call_id, "ticket")).external_id == first == again
    crm = StorefrontCrm(shop)
    other = StorefrontCrm(shop)
    assert await steps.try_step(call_id, "crm", 0) == SETTLED
    report = await steps.report(await the_call(worked, call_id))
    assert await crm.log_call(report, "other-key") == await other.log_call(report, "third-key")
    kinds = [one["kind"] for one in (await shop.get("/v1/ledger")).json()["effects"]]
    assert sorted(kinds) == ["activity.logged", "contact.created", "ticket.opened"]


async def test_webhook_is_signed_and_has_the_journals_last_mac(
    worked: Record, shop: httpx.AsyncClient, receiver: tuple[Receiver, str]
) -> None:
    """Checked by the public library; the MAC shows later that nothing was cut off."""
    started, url = receiver
    call_id = await taken(worked, REFUND_UNKNOWN)
    async with client(1.0) as http:
        endpoint = WebhookEndpoint(http, "a", f"{url}/hooks/a", SECRET)
        await do_all(steps_on(worked, shop, endpoints=[endpoint]), call_id)
        forger = WebhookEndpoint(http, "b", f"{url}/hooks/b", SECRET[:-6] + "AAAAA=")
        await do_all(steps_on(worked, shop, endpoints=[forger]), await taken(worked, ORDER_STATUS))
    genuine, forged = started.ledger
    assert (genuine.did, genuine.message_id) == ("accept", f"{call_id}:webhook:a")
    assert not forged.signed
    assert genuine.body["type"] == "call.followed_up"
    data = genuine.body["data"]
    assert (data["call_id"], data["ticket"], data["activity"]) == (call_id, "1", "1")
    assert data["summary"]["outcome"] == "unresolved"
    head = await journal.head(worked, call_id)
    assert head is not None
    assert data["journal"] == {
        "last_seq": head.seq,
        "last_mac": head.mac.hex(),
        "key_id": head.key_id,
    }
    mac = bytes.fromhex(data["journal"]["last_mac"])
    assert (await verify(worked, call_id, expect_mac=mac)).verdict is Verdict.INTACT


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("500", "HTTP 500"),
        ("cut", "no answer (RemoteProtocolError)"),
        ("hang", "no answer (ReadTimeout)"),
    ],
)
async def test_step_that_fails_waits_longer_each_time_and_is_parked(
    worked: Record,
    shop: httpx.AsyncClient,
    receiver: tuple[Receiver, str],
    word: str,
    reason: str,
) -> None:
    """With the last reason; the others are not held up."""
    started, url = receiver
    started.scripts["a"] = [word]
    call_id = await taken(worked, ORDER_STATUS)
    async with client(0.2) as http:
        endpoint = WebhookEndpoint(http, "a", f"{url}/hooks/a", SECRET)
        steps = steps_on(worked, shop, endpoints=[endpoint])
        await steps.plan(call_id)
        await steps.try_step(call_id, "summary", 0)
        waits = []
        for failures in range(2):
            tried = await steps.try_step(call_id, "webhook:a", failures)
            assert tried.again_in_s is not None and tried.counts
            waits.append(tried.again_in_s)
        assert 0.8 <= waits[0] <= 1.2 and 1.6 <= waits[1] <= 2.4
        assert await steps.try_step(call_id, "webhook:a", 2) == SETTLED
    step = await step_of(worked, call_id, "webhook:a")
    assert (step.state, step.tries) == (StepState.PARKED, 3)
    assert step.reason == f"{reason}, 3 times"


async def test_step_that_is_refused_is_parked_at_once(
    worked: Record, shop: httpx.AsyncClient, receiver: tuple[Receiver, str]
) -> None:
    """Trying again would not change it."""
    started, url = receiver
    started.scripts["a"] = ["403"]
    call_id = await taken(worked, ORDER_STATUS)
    async with client(0.2) as http:
        endpoint = WebhookEndpoint(http, "a", f"{url}/hooks/a", SECRET)
        await do_all(steps_on(worked, shop, endpoints=[endpoint]), call_id)
    [parked] = await follow_up.read_unsettled(worked, failed=True)
    assert (parked.step, parked.reason, parked.tries) == ("webhook:a", "HTTP 403", 1)


async def test_step_waits_as_long_as_the_other_side_asks(
    worked: Record, shop: httpx.AsyncClient, receiver: tuple[Receiver, str]
) -> None:
    """`Retry-After` is longer than the pause that we would make."""
    started, url = receiver
    started.scripts["a"] = ["429"]
    patience = Patience(**{**vars(PATIENCE), "backoff_s": 0.01})
    call_id = await taken(worked, ORDER_STATUS)
    async with client(0.2) as http:
        endpoint = WebhookEndpoint(http, "a", f"{url}/hooks/a", SECRET)
        steps = Steps(worked, patience, endpoints=[endpoint])
        await steps.plan(call_id)
        await steps.try_step(call_id, "summary", 0)
        assert await steps.try_step(call_id, "webhook:a", 0) == Tried(again_in_s=1.0)


class Silent:
    """A ticket system that knows no keys and whose answer is lost."""

    name = "silent"
    knows_keys = False

    async def open(self, ticket: NewTicket, key: str) -> str:
        raise TryAgain("no answer", uncertain=True)


async def test_ticket_of_unknown_fate_gets_time_to_settle(
    worked: Record, shop: httpx.AsyncClient
) -> None:
    """Asked at once, a system without keys might not have it yet, and get a second one."""
    call_id = await taken(worked, REFUND_UNKNOWN)
    steps = steps_on(worked, shop, tickets=Silent())
    await steps.plan(call_id)
    await steps.try_step(call_id, "summary", 0)
    tried = await steps.try_step(call_id, "ticket", 0)
    assert tried.again_in_s == SETTLE_S


class Counted(Silent):
    """It answers, and counts the tickets it was asked for."""

    def __init__(self) -> None:
        self.opened = 0

    async def open(self, ticket: NewTicket, key: str) -> str:
        self.opened += 1
        return "1"


async def test_ticket_whose_sender_died_gets_time_to_settle(
    worked: Record, shop: httpx.AsyncClient
) -> None:
    """What the dead process sent may be at work still: asked at once, a second one is opened."""
    call_id = await taken(worked, REFUND_UNKNOWN)
    clock = FakeClock()
    worked = replace(worked, clock=clock)
    counted = Counted()
    steps = steps_on(worked, shop, tickets=counted)
    await steps.plan(call_id)
    await steps.try_step(call_id, "summary", 0)
    await follow_up.begin(worked, call_id, "ticket", counted.name)
    # It may have been sent in the last moment of the try.
    clock.seconds += PATIENCE.timeout_s + 10
    assert await steps.try_step(call_id, "ticket", 0) == Tried(SETTLE_S - 10, counts=False)
    assert counted.opened == 0
    clock.seconds += 20
    assert await steps.try_step(call_id, "ticket", 0) == SETTLED
    assert counted.opened == 1


async def test_step_without_a_summary_is_parked(worked: Record, shop: httpx.AsyncClient) -> None:
    """And says what it lacks."""
    call_id = await taken(worked, ORDER_STATUS)
    steps = steps_on(worked, shop)
    await steps.plan(call_id)
    assert await steps.try_step(call_id, "crm", 0) == SETTLED
    assert (await step_of(worked, call_id, "crm")).reason == "the summary is missing"


async def test_step_begun_too_often_is_parked(worked: Record, shop: httpx.AsyncClient) -> None:
    """It takes the process down each time."""
    call_id = await taken(worked, ORDER_STATUS)
    steps = steps_on(worked, shop)
    await steps.plan(call_id)
    for _ in range(53):
        await follow_up.begin(worked, call_id, "summary", None)
    assert await steps.try_step(call_id, "summary", 0) == SETTLED
    assert (await step_of(worked, call_id, "summary")).reason == "begun 54 times without an end"


async def test_step_is_not_blamed_for_our_own_database(
    worked: Record, shop: httpx.AsyncClient
) -> None:
    """It is tried again, and that does not count."""
    call_id = await taken(worked, ORDER_STATUS)
    steps = steps_on(worked, shop)
    await steps.plan(call_id)
    async with worked.database.writing() as connection:
        await connection.exec_driver_sql("ALTER TABLE journal RENAME TO elsewhere")
    tried = await steps.try_step(call_id, "summary", 0)
    assert tried.again_in_s is not None and not tried.counts


async def test_call_erased_meanwhile_is_left_alone(worked: Record, shop: httpx.AsyncClient) -> None:
    """Nothing more is found or sent."""
    call_id = await taken(worked, REFUND_UNKNOWN)
    steps = steps_on(worked, shop)
    planned = await steps.plan(call_id)
    await steps.try_step(call_id, "summary", 0)
    await erasure.erase(worked, call_id, "asked")
    assert len(planned) > 1
    for step in planned:
        assert await steps.try_step(call_id, step, 0) == SETTLED
    assert (await shop.get("/v1/ledger")).json()["effects"] == []
    assert (await follow_up.read_results(worked, call_id)).summary is None


async def test_call_to_which_nobody_came_is_not_in_the_crm(
    worked: Record, shop: httpx.AsyncClient
) -> None:
    """There was no call."""
    call_id = await requested(worked)
    await erasure.end(worked, call_id, "no-caller")
    await follow_up.take(worked)
    await do_all(steps_on(worked, shop), call_id)
    assert (await step_of(worked, call_id, "crm")).reason == "nobody came"
    assert (await step_of(worked, call_id, "ticket")).reason == "not needed"


SUMMARY: dict[str, Any] = {
    "reason": "Sam asked where order 7 is.",
    "outcome": "resolved",
    "text": "Sam asked about order 7. It is on its way.",
    "done": [],
    "open_questions": [],
    "sentiment": "positive",
}


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("{not json", "model: invalid JSON"),
        ('{"text": "Fine."}', "model: JSON of another form"),
        ("", "model: empty answer"),
        ("hang", "model: no answer"),
        ("500", "model: HTTP 500"),
    ],
)
async def test_model_that_gives_nothing_leaves_the_journals_summary(
    worked: Record,
    shop: httpx.AsyncClient,
    receiver: tuple[Receiver, str],
    says: str,
    reason: str,
) -> None:
    """After its second try, with the reason on record."""
    started, url = receiver
    started.scripts["model"] = [says]
    call_id = await taken(worked, ORDER_STATUS)
    async with client(60.0, base_url=f"{url}/v1/") as http, asyncio.timeout(30):
        steps = steps_on(worked, shop, model=Model(http, "small", 0.3))
        await steps.plan(call_id)
        assert (await steps.try_step(call_id, "summary", 0)).again_in_s is not None
        assert await steps.try_step(call_id, "summary", 1) == SETTLED
    step = await step_of(worked, call_id, "summary")
    assert step.reason.startswith(f"by the record alone; {reason}")
    assert step.target == "model small"
    summary = (await follow_up.read_results(worked, call_id)).summary
    assert summary is not None
    assert (summary.reason, summary.sentiment) == ("Hello, where is order seven?", None)
    assert len(started.prompts) == 2


async def test_model_that_makes_things_up_is_cut_down_to_the_journal(
    worked: Record, shop: httpx.AsyncClient, receiver: tuple[Receiver, str]
) -> None:
    """What is true stays, with the sentiment; the rest is counted."""
    started, url = receiver
    text = f"{SUMMARY['text']} Order 4711 was refunded."
    items = {
        "items": [
            {"text": "Send order 99.", "owner": None, "due": None, "evidence": [6]},
            {"text": "Watch for order 7.", "owner": "caller", "due": None, "evidence": [10]},
        ]
    }
    started.scripts["model"] = [json.dumps({**SUMMARY, "text": text}), json.dumps(items)]
    call_id = await taken(worked, ORDER_STATUS)
    async with client(2.0, base_url=f"{url}/v1/") as http:
        await do_all(steps_on(worked, shop, model=Model(http, "small", 0.3)), call_id)
    read = await follow_up.read_follow_up(worked, call_id)
    assert read is not None and read.summary is not None
    assert (read.summary.text, read.summary.sentiment) == (SUMMARY["text"], "positive")
    assert [item.text for item in read.action_items] == ["Watch for order 7."]
    assert (await step_of(worked, call_id, "summary")).dropped == 1
    assert (await step_of(worked, call_id, "action_items")).dropped == 1
    assert "[6] caller: Hello, where is order seven?" in started.prompts[0]


async def test_model_is_not_asked_about_silence(
    worked: Record, shop: httpx.AsyncClient, receiver: tuple[Receiver, str]
) -> None:
    """There is nothing to summarize."""
    started, url = receiver
    call_id = await taken(worked, [])
    async with client(2.0, base_url=f"{url}/v1/") as http:
        await do_all(steps_on(worked, shop, model=Model(http, "small", 0.3)), call_id)
    assert started.prompts == []
