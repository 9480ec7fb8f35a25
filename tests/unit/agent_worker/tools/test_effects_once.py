"""
Whatever fails, wherever it is awaited: an effect happens once, and the journal tells the truth.

The gate, the journal's writer, the lease and the database are real; agents die, or are replaced
while they live on. What must hold is in `tests/support/troubled_call.py`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.troubled_call import (
    BANK_FAULTS,
    DATABASE_FAULTS,
    Step,
    Template,
    make_template,
    run,
)

Test = Callable[..., Any]

BANK = st.sampled_from(BANK_FAULTS)
THEN = st.sampled_from(["agrees", "agrees", "acts on", "declines", "is silent"])


def steps_with(tools: list[str]) -> st.SearchStrategy[list[Step]]:
    """Whoever wishes mostly wishes the same again, in these or other words."""
    tool, number = st.sampled_from(tools), st.sampled_from([1, 1, 1, 3, 2])
    wish = st.tuples(st.just("wish"), tool, number, BANK, THEN)
    agent = st.sampled_from(["crash", "replace", "replace", "lose the lease", "hang up"])
    database = st.tuples(st.just("database"), st.sampled_from(DATABASE_FAULTS), st.integers(1, 4))
    other = st.one_of(
        st.tuples(st.just("again"), tool, number),
        st.tuples(st.just("vote"), st.integers(0, 2), st.booleans()),
        st.tuples(st.just("bank"), BANK),
        database,
        st.tuples(st.just("wait"), st.sampled_from([0.02, 0.4, 2.0, 12.0])),
        st.just(("tell",)),
        st.tuples(st.just("rush"), tool),
        st.tuples(st.just("lost proposal"), tool, number),
    )
    return st.lists(st.one_of(wish, wish, other, st.tuples(agent)), min_size=3, max_size=9)


TOOLS = ["pay", "book", "note", "cancel", "move"]
STEPS = st.lists(st.sampled_from(TOOLS), min_size=1, max_size=2).flatmap(steps_with)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """An admitted call."""
    folder: Path = tmp_path_factory.mktemp("troubled")
    return make_template(folder)


def known(*stories: list[Step]) -> Callable[[Test], Test]:
    """Stories that are tried in every run."""

    def decorate(test: Test) -> Test:
        for story in stories:
            test = example(steps=story)(test)
        return test

    return decorate


IN_DOUBT: Step = ("wish", "pay", 1, "loses the answer", "agrees")
UNDER_WAY: Step = ("wish", "pay", 1, "hangs", "acts on")
WAIT: Step = ("wait", 2.0)
ONCE_MORE: Step = ("wish", "pay", 1, "works", "agrees")
ASKED_TWICE: list[Step] = [
    ("wish", "cancel", 1, "works", "is silent"),
    ("wish", "cancel", 3, "loses the answer", "is silent"),
]
LOST_COMMIT: list[Step] = [
    ("wish", "book", 1, "hangs before", "acts on"),
    ("database", "loses the answer", 1),
    ("tell",),
    ("wait", 0.07),
]


@known(
    # A wish that fails does not hide that an earlier one is in doubt, nor do other words.
    [IN_DOUBT, ("wish", "pay", 1, "away", "agrees"), ONCE_MORE],
    [IN_DOUBT, ("wish", "pay", 1, "refuses", "declines"), ONCE_MORE],
    [("wish", "move", 1, "loses the answer", "agrees"), ("wish", "move", 3, "works", "agrees")],
    [*ASKED_TWICE, ("vote", 0, True), ("wait", 0.7), ("bank", "works"), ("vote", 0, True), WAIT],
    # Nor is it done twice at once, in other words.
    [("wish", "move", 1, "slow", "acts on"), ("wish", "move", 3, "works", "agrees")],
    # What a dead agent began is never "failed".
    [UNDER_WAY, ("bank", "away"), ("crash",), WAIT, ONCE_MORE],
    [UNDER_WAY, ("crash",), ("lose the lease",), WAIT],
    # Who is replaced after its commit's answer was lost does not write on as the next attempt.
    [*LOST_COMMIT, ("replace",), WAIT],
    # What waits for its backend does not begin after the call, or without the lease.
    [("rush", "book"), ("hang up",)],
    [("rush", "book"), ("lose the lease",), WAIT],
    # What was begun is known though its proposal was lost.
    [("bank", "loses the answer"), ("lost proposal", "pay", 1), ("crash",), ONCE_MORE],
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_effects_happen_once_and_are_on_record(template: Template, steps: list[Step]) -> None:
    """Any sequence of wishes, answers and faults."""
    run(template, steps)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@settings(max_examples=3_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_effects_happen_once_and_are_on_record_in_many_calls(
    template: Template, steps: list[Step]
) -> None:
    """The same, for longer."""
    run(template, steps)
