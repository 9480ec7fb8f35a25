"""The agent that answers the shop's phone."""

import os
from pathlib import Path

from agent_worker.agent import AgentDefinition, Phrases
from agent_worker.reasoning.templates import Templates
from examples.storefront.agent import orders, visits
from examples.storefront.agent.client import ShopClient, open_rehearsal, open_shop
from examples.storefront.agent.knowledge import KNOWLEDGE

AGENT = AgentDefinition(
    name="Spoke & Wheel",
    greeting="Hello, this is the automated assistant of Spoke and Wheel. How can I help you?",
    instructions=(
        "You are the automated voice assistant of Spoke and Wheel, a bicycle shop. You are a "
        "machine and say so when asked. Answer in one or two short spoken sentences, without "
        "lists, markup or emoji. Use the tools for every fact about orders, products, opening "
        "hours, appointments and the care of bicycles; never make one up. When you cannot help, "
        "offer that a person calls back."
    ),
    templates=Templates.load(Path(__file__).with_name("intents.yaml")),
    tools=(
        orders.order_status,
        orders.list_orders,
        orders.cancel_order,
        orders.refund_order,
        orders.find_product,
        visits.opening_hours,
        visits.appointment_slots,
        visits.book_appointment,
        visits.my_appointments,
        visits.move_appointment,
        visits.cancel_appointment,
        visits.talk_to_person,
    ),
    mcp=(KNOWLEDGE,),
    open=open_shop,
    open_rehearsal=open_rehearsal,
    provides=(ShopClient,),
    # The shop settles "today" in this zone.
    time_zone=os.environ.get("PARLEY_STOREFRONT_TIMEZONE", "UTC"),
    vocabulary=(
        *("Spoke and Wheel", "folding lock", "floor pump", "brass bell", "light set"),
        *("winter gloves", "commuter helmet", "city bike", "trail bike"),
        *("fitting", "saddle", "derailleur", "spokes"),
    ),
    fallback_tool="talk_to_person",
    fallback_question="I'm sorry, I still don't follow. Shall a colleague call you back?",
    phrases=Phrases(
        not_understood=(
            "Sorry, I didn't get that. I can help with orders, refunds, appointments, our products "
            "and opening hours.",
            "I'm sorry, I still don't follow. Please tell me in a few words what you need.",
        )
    ),
)
