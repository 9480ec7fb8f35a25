"""The example's words stay in the example: what every agent needs speaks of no shop."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "voice_contract",
    "service_base",
    "call_record",
    "token_service",
    "agent_worker",
    "call_supervisor",
    "post_call",
    "speech_server",
    "devstack",
    "bench",
)
WORDS = "refund|bicycle|storefront|appointment|customer|shop"
SHOP = re.compile(rf"(?:(?<![A-Za-z])(?i:{WORDS})|{WORDS.title()})s?(?![a-z])")
ORDER = re.compile(
    r"(?<![A-Za-z])orders(?![a-z])|(?<![A-Za-z])order_(?!by)|[\"'(|{]order[\"')|}]"
    r"|\border (?:number|\d|\{\w+\})|Order(?![a-z])"
)
"""Not where "order" means a sequence."""
ALLOWED = {
    "agent_worker/settings.py": "the agent that runs by default is the example's",
    "agent_worker/tools/tool.py": "a docstring's example",
    "token_service/settings.py": "https://shop.example is a site's address",
    "token_service/rate_limits.py": "an internet provider's customer",
    "post_call/evidence.py": "verbs of deeds that a model may claim",
    "devstack/": "starts the example's backend",
    "bench/": "measures with the example",
}
"""Files, and why they may."""


def words_of_the_shop(text: str) -> list[str]:
    """What in *text* names something of the shop's, with its line."""
    found = sorted((*SHOP.finditer(text), *ORDER.finditer(text)), key=lambda one: one.start())
    return [f"{text.count(chr(10), 0, one.start()) + 1}: {one[0]}" for one in found]


@pytest.mark.parametrize("package", PACKAGES)
def test_package_of_the_foundation_names_nothing_of_the_shop(package: str) -> None:
    """Any agent can be put on it: what a shop needs is the example's own."""
    names = (str(file.relative_to(ROOT)) for file in (ROOT / package).rglob("*.py"))
    found = {
        name: words
        for name in names
        if not name.startswith(tuple(ALLOWED))
        and (words := words_of_the_shop((ROOT / name).read_text()))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('re.compile(r"(order|refund) to")', ["(order|", "refund"]),
        ("class ShowOrder(Action):", ["Order"]),
        ("class DemoShop:", ["Shop"]),
        ('to: Literal["orders", "appointment"]', ["orders", "appointment"]),
        ("order_number: OrderNumber", ["order_", "Order"]),
        ('"Cancel order {number}?"', ["order {number}"]),
        ("# in order, by order_by(x), in the order of calls; an OrderedDict, border", []),
    ],
)
def test_words_of_the_shop_are_told_from_an_order_of_things(line: str, found: list[str]) -> None:
    """This test sees what it looks for."""
    assert words_of_the_shop(line) == [f"1: {word}" for word in found]
