"""What `python -m agent_worker parse` prints."""

from agent_worker.parse import parse
from examples.storefront.agent import AGENT


def test_parse_prints_values_candidates_and_what_the_agent_does() -> None:
    """By examples: the scores, best first, and the call."""
    lines = parse(AGENT, "any sign of number seven").splitlines()
    assert lines[0] == "caller:   any sign of number seven"
    assert lines[1].startswith("value:    ") and lines[1].endswith("is order_number 7")
    assert lines[2] == "template: none accepts it"
    assert "order_status(order_number=7)" in lines[3]
    assert lines[-1] == "agent:    calls order_status(order_number=7)"


def test_parse_follows_several_turns() -> None:
    """Each with what is open after it, and the template where one accepts the words."""
    out = parse(AGENT, "cancel my order >> nine")
    assert "template: cancel_order()" in out
    assert "open:     cancel_order(), asked for order_number" in out
    assert out.rstrip().endswith("agent:    calls cancel_order(order_number=9)")


def test_parse_says_by_which_rule_nothing_is_done() -> None:
    """A score alone would have it done."""
    out = parse(AGENT, "what happens if I get rid of order nine")
    assert "[it is a condition]" in out
    assert out.rstrip().endswith("agent:    did not understand (1 in a row)")


def test_parse_says_what_is_asked_first() -> None:
    """Where the caller did not ask for it in the words of a template."""
    assert (
        'calls book_appointment(time="10:00", day="2030-12-04"), asks first: Do you mean to book '
        "an appointment: 10 AM; Wednesday, December 4, 2030?"
    ) in parse(AGENT, "squeeze me in at ten in the morning on the 4th of December 2030")
