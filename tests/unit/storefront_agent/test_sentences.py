"""What callers say, what the agent makes of it, and what must never change anything."""

import time
from typing import Any

import pytest

from agent_worker.reasoning.dialog import CallTool, Say, follow
from agent_worker.reasoning.turn import Turn
from examples.storefront.agent import AGENT
from tests.unit.storefront_agent.shop_call import NOW

TEMPLATES = AGENT.templates
ALLOWED = {name: one for server in AGENT.mcp for name, one in server.tools.items()}
WRITES = {
    *(tool.name for tool in AGENT.tools if tool.effect == "write"),
    *(name for name, one in ALLOWED.items() if one.guards.effect == "write"),
}
MATCH_MAX_S = 2.0
"""Of the processor. It takes a few milliseconds, but the garbage collector may come."""

ORDER_7 = ("order_status", {"order_number": 7})
ANY_ORDER: tuple[str, dict[str, Any]] = ("order_status", {})
CANCEL_9 = ("cancel_order", {"order_number": 9})
REFUND_3 = ("refund_order", {"order_number": 3})
FRIDAY_3 = {"day": "2026-11-20", "time": "15:00"}
PERSON: tuple[str, dict[str, Any]] = ("talk_to_person", {})

SENTENCES: list[tuple[str, tuple[str, dict[str, Any]]]] = [
    ("Where is order seven?", ORDER_7),
    ("What is the status of order seven?", ORDER_7),
    ("Where's my order number 7?", ORDER_7),
    # As the small recognizer heard them.
    ("What is the status of water number seven?", ORDER_7),
    ("What is the status of word number seven?", ORDER_7),
    ("Where is Orr number seven?", ORDER_7),
    ("Police cancel order number nine.", CANCEL_9),
    ("I went to cancel order number nine.", CANCEL_9),
    ("Could you tell me where order number seven is, please?", ORDER_7),
    ("I'm calling about order seven.", ORDER_7),
    ("I have a question about order seven.", ORDER_7),
    ("It's about order seven.", ORDER_7),
    ("I want to know when order 7 gets here", ORDER_7),
    ("When can I expect order seven?", ORDER_7),
    ("How long until order seven arrives?", ORDER_7),
    ("Has order seven shipped yet?", ORDER_7),
    ("Has order number seven been shipped yet?", ORDER_7),
    ("Did you ship order seven?", ORDER_7),
    ("Is order seven on its way?", ORDER_7),
    ("Is order seven late?", ORDER_7),
    ("Is order seven cancelled?", ORDER_7),
    ("I haven't received order seven yet.", ORDER_7),
    ("Order seven has not arrived.", ORDER_7),
    ("Maybe you can tell me where order seven is?", ORDER_7),
    ("Any news on order number seven?", ORDER_7),
    ("Order seven.", ORDER_7),
    ("Seven.", ORDER_7),
    ("Number seven, please.", ORDER_7),
    ("Track order one two.", ("order_status", {"order_number": 12})),
    ("Where is order for?", ("order_status", {"order_number": 4})),
    ("Where is my package?", ANY_ORDER),
    ("Where's my stuff?", ANY_ORDER),
    ("My package is late.", ANY_ORDER),
    ("Has my order been shipped yet?", ANY_ORDER),
    ("Is my order on the way?", ANY_ORDER),
    ("When do I get my order?", ANY_ORDER),
    ("Check the status of my order.", ANY_ORDER),
    ("Order status, please.", ANY_ORDER),
    ("Which orders do I have?", ("list_orders", {})),
    ("What are my open orders?", ("list_orders", {})),
    ("Show me my orders.", ("list_orders", {})),
    ("How many orders do I have?", ("list_orders", {})),
    ("What have I ordered recently?", ("list_orders", {})),
    ("Cancel order nine.", CANCEL_9),
    ("I'd like to cancel order nine, please.", CANCEL_9),
    ("Could you please cancel order nine for me?", CANCEL_9),
    ("I would like to have order nine cancelled.", CANCEL_9),
    ("I don't need order nine any more.", CANCEL_9),
    ("I changed my mind about order nine.", CANCEL_9),
    ("Cancle order nine", CANCEL_9),
    ("Can you cancel my order?", ("cancel_order", {})),
    ("Cancel it.", ("cancel_order", {"order_number": "the-same"})),
    ("Refund order three.", REFUND_3),
    ("I'd like a refund for order three.", REFUND_3),
    ("I want my money back for order three.", REFUND_3),
    ("Give me a refund for order three.", REFUND_3),
    ("I'd like to send order three back.", REFUND_3),
    ("Can I get a refund?", ("refund_order", {})),
    (
        "Refund twenty dollars of order three.",
        ("refund_order", {"order_number": 3, "amount_dollars": 20}),
    ),
    (
        "Get me a refund of ten dollars for order three.",
        ("refund_order", {"order_number": 3, "amount_dollars": 10}),
    ),
    ("When are you open?", ("opening_hours", {})),
    ("Tell me your opening hours.", ("opening_hours", {})),
    ("Are you open on Saturday?", ("opening_hours", {"day": "2026-11-21"})),
    ("What time do you close today?", ("opening_hours", {"day": "2026-11-18"})),
    ("Are you open on Sundays?", ("opening_hours", {"day": "2026-11-22"})),
    ("Which slots do you have tomorrow?", ("appointment_slots", {"day": "2026-11-19"})),
    ("Do you have anything free on Friday?", ("appointment_slots", {"day": "2026-11-20"})),
    ("When is the next free appointment?", ("appointment_slots", {})),
    ("Book an appointment.", ("book_appointment", {})),
    ("I'd like to book an appointment for Friday at three.", ("book_appointment", FRIDAY_3)),
    ("Book me in for Friday at three.", ("book_appointment", FRIDAY_3)),
    ("Can I come in on Friday at three?", ("book_appointment", FRIDAY_3)),
    (
        "Book me a fitting on Friday at 3 p.m.",
        ("book_appointment", {"kind": "fitting", **FRIDAY_3}),
    ),
    (
        "Can I make an appointment for a repair on Friday at three?",
        ("book_appointment", {"kind": "repair", **FRIDAY_3}),
    ),
    (
        "I need a fitting tomorrow at half past two.",
        ("book_appointment", {"kind": "fitting", "day": "2026-11-19", "time": "14:30"}),
    ),
    ("When's my appointment?", ("my_appointments", {})),
    ("When is my fitting?", ("my_appointments", {"kind": "fitting"})),
    ("Do I have an appointment on Friday?", ("my_appointments", {"day": "2026-11-20"})),
    ("I'd like to move my appointment.", ("move_appointment", {})),
    ("I need to reschedule.", ("move_appointment", {})),
    ("Can we move my appointment to Friday?", ("move_appointment", {"day": "2026-11-20"})),
    (
        "Reschedule my fitting to Friday at three.",
        ("move_appointment", {"kind": "fitting", **FRIDAY_3}),
    ),
    ("I'd like to cancel my appointment, please.", ("cancel_appointment", {})),
    ("I can't make my appointment.", ("cancel_appointment", {})),
    ("Please cancel the fitting.", ("cancel_appointment", {"kind": "fitting"})),
    ("Do you have helmets?", ("find_product", {"query": "helmets"})),
    ("How much is the city bike?", ("find_product", {"query": "city bike"})),
    ("Is the trail bike in stock?", ("find_product", {"query": "trail bike"})),
    ("What's the price of the folding lock?", ("find_product", {"query": "folding lock"})),
    ("I want to speak to a human.", PERSON),
    ("Can someone call me back?", PERSON),
    ("Let me speak to a manager.", PERSON),
    (
        "Can I speak with a representative about my bike?",
        ("talk_to_person", {"reason": "my bike"}),
    ),
    ("How do I fix a flat tire?", ("search_articles", {"question": "a flat tire"})),
    ("Any tips on chains?", ("search_articles", {"question": "chains"})),
    ("Ask a mechanic about my brakes.", ("ask_mechanic", {"question": "my brakes"})),
    ("What can you do?", ("help", {})),
    ("Help me.", ("help", {})),
    ("Are you a robot?", ("who_are_you", {})),
    ("Sorry, what did you say?", ("repeat", {})),
    ("Thank you very much.", ("thanks", {})),
    ("How do I cancel an order?", ("how_to", {})),
    ("Can you tell me about a refund?", ("how_to", {})),
    ("Never mind.", ("never_mind", {})),
    ("No, that's all.", ("goodbye", {})),
    ("Good-by,", ("goodbye", {})),
]


@pytest.mark.parametrize(("sentence", "expected"), SENTENCES, ids=[s for s, _ in SENTENCES])
def test_sentence_means_intent_and_arguments(
    sentence: str, expected: tuple[str, dict[str, Any]]
) -> None:
    """What a caller would say is understood, with its arguments, in no time."""
    started = time.process_time()
    match = TEMPLATES.match(Turn(sentence, NOW))
    assert time.process_time() - started < MATCH_MAX_S
    assert match is not None
    assert (match.intent, dict(match.slots)) == expected


NO_ORDERS = [
    "Don't cancel order seven.",
    "Please do not cancel order nine.",
    "No, don't cancel order nine",
    "Never cancel order nine",
    "I don't want to cancel order nine.",
    "I didn't cancel order nine",
    "I never said cancel order nine",
    "It was not me who said cancel order nine",
    "What happens if I cancel order seven?",
    "If I cancel order nine do I get my money back?",
    "Can I still cancel order nine?",
    "Can order nine be cancelled?",
    "Should I cancel order nine?",
    "How do I cancel order nine?",
    "Is it possible to cancel order nine?",
    "Did you cancel order nine?",
    "Was order nine cancelled?",
    "Order nine cancelled",
    "Why did you cancel order nine?",
    "I heard you cancel order nine",
    "Let me know if you cancel order nine",
    "My friend wants to cancel order nine",
    "Maybe cancel order nine",
    "Perhaps I need to cancel order nine",
    "Cancel order nine or ten",
    "Cancel all my orders",
    "Stop",
    "Don't refund order three",
    "I don't want a refund for order three",
    "Where is my refund?",
    "Have I got a refund for order three?",
    "I didn't get my money back for order three",
    "What is your refund policy?",
    "I want to know about a refund for order three",
    "I'm calling about a refund for order three",
    "I have a question about a refund for order three",
    "Show me my refund for order three",
    "Tell me the refund for order three",
    "Tell me if I can return order three",
    "Returned order three",
    "I returned order three",
    "Don't send order three back",
    "Don't book an appointment",
    "I don't need an appointment",
    "Do I need an appointment?",
    "Do I have to book an appointment?",
    "I have an appointment on Friday at three",
    "My appointment is on Friday at three",
    "My appointment Friday at three",
    "Have I booked an appointment on Friday?",
    "Booked an appointment on Friday at three",
    "Tell me about an appointment on Friday at three",
    "I'm calling about an appointment on Friday at three",
    "Don't move my appointment",
    "Moved my appointment to Friday at three",
    "Don't cancel my appointment",
    "What happens if I can't make my appointment?",
    "Has my appointment been cancelled?",
    "I can make my appointment",
    "I don't want to talk to a person",
]


@pytest.mark.parametrize("sentence", NO_ORDERS)
def test_sentence_that_orders_nothing_changes_nothing(sentence: str) -> None:
    """Refusals, questions, reports and doubts never reach a tool that writes."""
    move = follow(TEMPLATES, [Turn(sentence, NOW)]).move
    assert not (isinstance(move, CallTool) and move.name in WRITES)


@pytest.mark.parametrize(
    "sentence", [sentence for sentence in NO_ORDERS if sentence != "I don't need an appointment"]
)
def test_sentence_that_orders_nothing_starts_no_order_either(sentence: str) -> None:
    """Nor do they make the agent ask for what is missing to do it."""
    intent = follow(TEMPLATES, [Turn(sentence, NOW)]).intent
    assert intent is None or TEMPLATES.rules[intent].tool not in WRITES


@pytest.mark.parametrize(
    ("turns", "move"),
    [
        (["Cancel my order.", "Nine."], CallTool("cancel_order", {"order_number": 9})),
        (
            ["Cancel my order.", "It's number twelve."],
            CallTool("cancel_order", {"order_number": 12}),
        ),
        (["Where is my order?", "Three."], CallTool("order_status", {"order_number": 3})),
        (["Where is order nine?", "Cancel it."], CallTool("cancel_order", {"order_number": 9})),
        (
            ["Can I get a refund?", "Order number three, please."],
            CallTool("refund_order", {"order_number": 3}),
        ),
        (
            ["Book an appointment.", "Friday.", "Three."],
            CallTool("book_appointment", FRIDAY_3),
        ),
        (
            ["I need a repair.", "Friday at three."],
            CallTool("book_appointment", {"kind": "repair", **FRIDAY_3}),
        ),
        (
            ["Which repair slots do you have?", "Do you have a slot for a repair on Friday?",
             "I'll take the one at three."],
            CallTool("book_appointment", {"kind": "repair", **FRIDAY_3}),
        ),
        (
            ["Do you have a slot for a repair on Friday?", "At three, please."],
            CallTool("book_appointment", {"kind": "repair", **FRIDAY_3}),
        ),
        (
            ["Do you have anything free on Friday?", "I'll take three."],
            CallTool("book_appointment", FRIDAY_3),
        ),
        (["At three, please."], Say("Which day would suit you?")),
        (
            ["Move my appointment.", "To Friday.", "At three."],
            CallTool("move_appointment", FRIDAY_3),
        ),
        (
            ["Move my appointment to Friday.", "At three."],
            CallTool("move_appointment", FRIDAY_3),
        ),
        (["Which orders do I have?", "Seven."], CallTool("order_status", {"order_number": 7})),
        (
            ["Cancel my order.", "What are your opening hours?"],
            CallTool("opening_hours", {}),
        ),
        (["Cancel my order.", "I want to talk to a person."], CallTool("talk_to_person", {})),
        (
            ["I'm looking for something.", "When are you open?"],
            CallTool("opening_hours", {}),
        ),
        (["Book an appointment.", "Never mind."], Say("All right. What else?")),
        (
            ["Where is order nine?", "When's my appointment?", "Cancel it."],
            Say("Which order shall I cancel? Please tell me its number."),
        ),
        (
            ["Where is order nine?", "Book an appointment for Friday at three.", "Cancel it."],
            Say("Which order shall I cancel? Please tell me its number."),
        ),
    ],
)  # fmt: skip
def test_conversation_leads_to(turns: list[str], move: object) -> None:
    """Answers belong to their question, "it" to the last subject, and both can be left."""
    assert follow(TEMPLATES, [Turn(turn, NOW) for turn in turns]).move == move


def test_every_sentence_and_refusal_is_said_once() -> None:
    """The tables hold enough different sentences to mean something."""
    assert len({sentence for sentence, _ in SENTENCES}) == len(SENTENCES) >= 60
    assert len(set(NO_ORDERS)) == len(NO_ORDERS) >= 15
