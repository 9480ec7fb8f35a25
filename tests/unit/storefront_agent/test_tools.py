"""Every tool of the shop's agent against a real shop."""

from collections.abc import Awaitable, Callable
from unittest.mock import ANY

import httpx2 as httpx
import pytest
from livekit.agents.llm import ToolError

from examples.storefront.agent.actions import FillForm, Navigate, OfferDownload, ShowOrder
from examples.storefront.agent.client import ShopClient
from tests.unit.storefront_agent.conftest import Ask
from tests.unit.storefront_agent.shop_call import ShopCall

Effects = Callable[[], Awaitable[list[tuple[str, str, str]]]]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (
            7,
            "Order 7 is on its way. It should arrive on Friday, November 20, with the winter "
            "gloves and the commuter helmet.",
        ),
        (
            9,
            "Order 9 is being prepared. It should arrive on Monday, November 23, with 2 times the "
            "light set.",
        ),
        (
            5,
            "Order 5 has arrived. It was delivered on Thursday, November 12, with 2 times the "
            "floor pump.",
        ),
        (4, "Order 4 was cancelled."),
    ],
)
async def test_order_status_says_where_it_is(ask: Ask, number: int, words: str) -> None:
    """The news first, then the day on the shop's own calendar and the items."""
    assert (await ask("order_status", order_number=number)).say == words


@pytest.mark.parametrize("name", ["order_status", "cancel_order", "refund_order"])
@pytest.mark.parametrize("number", [99, 13])
async def test_order_of_nobody_or_of_another_customer_is_unknown(
    ask: Ask, name: str, number: int
) -> None:
    """The same words for both: nothing is told about others' orders."""
    with pytest.raises(ToolError, match=f"^There is no order {number} on this account.$"):
        await ask(name, order_number=number)


async def test_list_orders_tells_those_under_way(ask: Ask) -> None:
    """Numbers only, the oldest first."""
    answer = await ask("list_orders")
    assert answer.say == (
        "You have 6 open orders: number 7, 8, 9, 10, 11 and 12. Which one is it about?"
    )
    assert len(answer.data["orders"]) == 6


async def test_list_orders_counts_down_to_none(ask: Ask) -> None:
    """A cancelled order is no longer open."""
    for number in (9, 10, 11, 12):
        await ask("cancel_order", order_number=number)
    assert (await ask("list_orders")).say.startswith("You have 2 open orders: number 7 and 8.")


async def test_cancel_order_cancels_once_and_is_in_the_ledger(ask: Ask, effects: Effects) -> None:
    """The effect carries the call's key; a second time is refused with the reason."""
    assert (await ask("cancel_order", order_number=9)).say == "Done. Order 9 is cancelled."
    assert await effects() == [("order.cancelled", "order:9", ANY)]
    assert (await ask("order_status", order_number=9)).say == "Order 9 was cancelled."
    with pytest.raises(ToolError, match="Order 9 has already been cancelled"):
        await ask("cancel_order", order_number=9)
    assert len(await effects()) == 1


async def test_cancel_order_that_was_shipped_is_refused(ask: Ask, effects: Effects) -> None:
    """The shop's reason is spoken, and nothing happens."""
    with pytest.raises(ToolError, match="Order 7 is already on its way"):
        await ask("cancel_order", order_number=7)
    assert await effects() == []


async def test_refund_order_in_part_then_in_full(ask: Ask, effects: Effects) -> None:
    """Dollars become cents; what is left is refunded when no amount is said."""
    part = await ask("refund_order", order_number=3, amount_dollars=12.5)
    assert part.say == "Done. 12 dollars and 50 cents for order 3 are on their way back to you."
    rest = await ask("refund_order", order_number=3)
    assert rest.say == "Done. 41 dollars and 50 cents for order 3 are on their way back to you."
    assert await effects() == [
        ("order.refunded", "order:3", ANY),
        ("order.refunded", "order:3", ANY),
    ]
    with pytest.raises(ToolError, match="already been refunded in full"):
        await ask("refund_order", order_number=3)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"order_number": 7}, "has not been delivered yet"),
        ({"order_number": 1}, "more than 30 days ago"),
        ({"order_number": 3, "amount_dollars": 100}, "At most 54 dollars of order 3"),
        ({"order_number": 3, "amount_dollars": 500}, "I can refund up to 300 dollars"),
        ({"order_number": 3, "amount_dollars": 0}, "I did not get the amount dollars right"),
        ({"order_number": 0}, "I did not get the order number right"),
    ],
)
async def test_refund_order_is_refused_with_a_reason(
    ask: Ask, effects: Effects, arguments: dict[str, float], reason: str
) -> None:
    """Too early, too late, too much, nothing, and no order."""
    with pytest.raises(ToolError, match=reason):
        await ask("refund_order", **arguments)
    assert await effects() == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("helmets", "We have the commuter helmet for 59 dollars."),
        ("trail bike", "We have the trail bike for 1249 dollars, which is out of stock."),
        ("bike", "We have the city bike for 899 dollars and the trail bike for 1249 dollars, "
                 "which is out of stock."),
    ],
)  # fmt: skip
async def test_find_product_tells_price_and_stock(ask: Ask, query: str, words: str) -> None:
    """What the shop has, in words."""
    assert (await ask("find_product", query=query)).say == words


async def test_find_product_unknown_is_told(ask: Ask) -> None:
    """What the shop does not have is said, too."""
    with pytest.raises(ToolError, match=r"^I'm sorry, we have no unicycles\.$"):
        await ask("find_product", query="unicycles")


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (None, "We are open now. Our hours are Monday to Friday from 9 AM to 6 PM, Saturday from "
               "10 AM to 4 PM and Sunday we are closed."),
        ("today", "Today we are open from 9 AM to 6 PM."),
        ("tomorrow", "Tomorrow we are open from 9 AM to 6 PM."),
        ("saturday", "Saturday we are open from 10 AM to 4 PM."),
        ("Sunday", "We are closed on Sunday."),
        ("2026-11-22", "We are closed on Sunday."),
    ],
)  # fmt: skip
async def test_opening_hours_of_the_week_or_a_day(ask: Ask, day: str | None, words: str) -> None:
    """Equal days are put together; one day is answered alone."""
    assert (await ask("opening_hours", **({"day": day} if day else {}))).say == words


async def test_opening_hours_of_no_day_is_refused(ask: Ask) -> None:
    """A day that cannot be understood is asked for again."""
    with pytest.raises(ToolError, match="I did not get the day right"):
        await ask("opening_hours", day="someday")


async def test_appointment_slots_offers_a_few_over_the_day(ask: Ask) -> None:
    """On a named day, and on the next one where none is named."""
    assert (await ask("appointment_slots", day="friday", kind="repair")).say == (
        "For a repair on Friday, November 20 I have 9 AM, 12 PM and 3 PM. Which one?"
    )
    assert (await ask("appointment_slots")).say.startswith("For a fitting today I have 10:30 AM,")


async def test_appointment_slots_on_a_closed_day_asks_for_another(ask: Ask) -> None:
    """Nothing free is an answer."""
    assert (await ask("appointment_slots", day="sunday")).say == (
        "There is nothing free for a fitting then. Which other day suits you?"
    )


async def test_book_move_and_cancel_an_appointment(ask: Ask, effects: Effects) -> None:
    """The life of an appointment, each step in the ledger with a key of its own."""
    booked = await ask("book_appointment", day="friday", time="15:00", kind="repair")
    assert booked.say == "Done. Your repair is on Friday, November 20 at 3 PM."
    listed = await ask("my_appointments")
    assert listed.say == (
        "You have a repair on Friday, November 20 at 3 PM and a fitting on Monday, November 23 "
        "at 10 AM."
    )
    moved = await ask("move_appointment", day="tomorrow", time="9:00")
    assert moved.say == "Done. Your repair is now tomorrow at 9 AM."
    cancelled = await ask("cancel_appointment")
    assert cancelled.say == "Done. Your repair tomorrow at 9 AM is cancelled."
    number = booked.data["id"]
    assert await effects() == [
        ("appointment.booked", f"appointment:{number}", ANY),
        ("appointment.moved", f"appointment:{number}", ANY),
        ("appointment.cancelled", f"appointment:{number}", ANY),
    ]


async def test_appointment_of_a_kind_is_the_one_that_is_changed(ask: Ask) -> None:
    """Whoever says "my fitting" means the fitting, though the repair comes first."""
    await ask("book_appointment", day="friday", time="15:00", kind="repair")
    moved = await ask("move_appointment", day="tuesday", time="11:00", kind="fitting")
    assert moved.say == "Done. Your fitting is now on Tuesday, November 24 at 11 AM."
    cancelled = await ask("cancel_appointment", kind="fitting")
    assert "Your fitting on Tuesday" in cancelled.say
    with pytest.raises(ToolError, match=r"^You have no fitting\.$"):
        await ask("cancel_appointment", kind="fitting")
    with pytest.raises(ToolError, match=r"^You have no fitting\.$"):
        await ask("move_appointment", day="tuesday", time="11:00", kind="fitting")


async def test_my_appointments_on_a_day_or_of_a_kind(ask: Ask) -> None:
    """A question about another day is answered with what there is."""
    fitting = "a fitting on Monday, November 23 at 10 AM."
    assert (await ask("my_appointments", day="monday")).say == f"You have {fitting}"
    assert (await ask("my_appointments", day="friday")).say == f"No, but you have {fitting}"
    assert (await ask("my_appointments", kind="repair")).say == f"No, but you have {fitting}"


async def test_without_appointments_there_is_none_to_change(ask: Ask, effects: Effects) -> None:
    """Told in words; nothing happens in the shop."""
    await ask("cancel_appointment")
    assert (await ask("my_appointments")).say == "You have no appointments."
    with pytest.raises(ToolError, match=r"^You have no appointment\.$"):
        await ask("cancel_appointment")
    with pytest.raises(ToolError, match=r"^You have no appointment\.$"):
        await ask("move_appointment", day="friday", time="15:00")
    assert [kind for kind, _, _ in await effects()] == ["appointment.cancelled"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"day": "monday", "time": "11:00"}, "Monday, November 23 at 11 AM is already taken"),
        ({"day": "sunday", "time": "11:00"}, "The shop is closed on Sunday"),
        ({"day": "today", "time": "9:00"}, "already passed"),
        ({"day": "friday", "time": "11:20"}, "can begin every 30 minutes from 9 AM"),
        ({"day": "friday", "time": "soon"}, "I did not get the time right"),
        ({"day": "friday", "time": "25:00"}, "I did not get the time right"),
        ({"day": "friday"}, "I did not get the time right"),
        ({"day": "blursday", "time": "11:00"}, "I did not get the day right"),
        (
            {"day": "next friday", "time": "11:00"},
            "Do you mean Friday, November 20, or",
        ),
        ({"day": "friday", "time": "11:00", "kind": "wash"}, "I did not get the kind right"),
    ],
)
async def test_book_appointment_is_refused_with_a_reason(
    ask: Ask, effects: Effects, arguments: dict[str, str], reason: str
) -> None:
    """Taken, closed, past, off the grid, or not understood."""
    with pytest.raises(ToolError, match=reason):
        await ask("book_appointment", **arguments)
    assert await effects() == []


async def test_talk_to_person_leaves_a_callback(ask: Ask, effects: Effects) -> None:
    """A colleague gets to know whom to call, and what about where that was said."""
    answer = await ask("talk_to_person", reason="a rattling wheel")
    assert "asked a colleague to call you back" in answer.say
    assert (answer.data["reason"], answer.data["phone"]) == ("a rattling wheel", "+1 555 0134")
    assert (await ask("talk_to_person")).data["reason"] == ""
    assert [kind for kind, _, _ in await effects()] == ["callback.requested"] * 2


@pytest.mark.parametrize(
    ("name", "arguments", "question"),
    [
        ("cancel_order", {"order_number": 9}, "Cancel order 9?"),
        ("refund_order", {"order_number": 3}, "Refund all that can be refunded of order 3?"),
        (
            "refund_order",
            {"order_number": 3, "amount_dollars": 12.5},
            "Refund 12 dollars and 50 cents of order 3?",
        ),
        (
            "move_appointment",
            {"day": "tomorrow", "time": "9:00"},
            "Move your fitting on Monday, November 23 at 10 AM to tomorrow, Thursday, November 19 "
            "at 9 AM?",
        ),
        (
            "cancel_appointment",
            {"kind": "fitting"},
            "Cancel your fitting on Monday, November 23 at 10 AM?",
        ),
        ("book_appointment", {"day": "friday", "time": "15:00"}, None),
        ("talk_to_person", {}, None),
    ],
)
async def test_write_is_asked_in_words_that_tell_what_happens(
    http: httpx.AsyncClient, name: str, arguments: dict[str, object], question: str | None
) -> None:
    """What takes something away is asked first; what is easily undone is not."""
    call = ShopCall(ShopClient(http))
    await call.ask(name, **arguments)
    assert call.questions == ([question] if question else [])


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("cancel_order", {"order_number": 7}, "already on its way"),
        ("cancel_order", {"order_number": 13}, "no order 13 on this account"),
        ("refund_order", {"order_number": 3, "amount_dollars": 301}, "up to 300 dollars"),
        ("move_appointment", {"day": "friday", "time": "25:00"}, "I did not get the time"),
    ],
)
async def test_write_that_policy_forbids_is_not_even_asked(
    http: httpx.AsyncClient, name: str, arguments: dict[str, object], reason: str
) -> None:
    """Another's order, one that was sent, too much money, no time of day."""
    call = ShopCall(ShopClient(http))
    with pytest.raises(ToolError, match=reason):
        await call.ask(name, **arguments)
    assert call.questions == []


async def test_answers_suggest_what_the_page_could_show(ask: Ask) -> None:
    """The order, the orders, the form filled in, and something to keep."""
    (order,) = (await ask("order_status", order_number=7)).actions
    assert isinstance(order, ShowOrder)
    assert (order.number, order.status, len(order.items)) == (7, "shipped", 2)
    assert order.total == "93 dollars and 95 cents"
    assert (await ask("list_orders")).actions == [Navigate(to="orders")]
    slots = await ask("appointment_slots", day="friday", kind="repair")
    assert slots.actions == [FillForm(day="2026-11-20", kind="repair")]
    (kept,) = (await ask("book_appointment", day="friday", time="15:00")).actions
    assert isinstance(kept, OfferDownload)
    assert "Friday, November 20 at 3 PM" in kept.text
