"""The invocations that the gate keeps."""

from agent_worker.tools.invocations import KEPT_MAX, Invocations, Outcome
from agent_worker.tools.tool import Caller
from tests.support.gate_scene import pay


async def test_of_many_invocations_the_oldest_that_may_be_repeated_are_forgotten() -> None:
    """Never one that is open, nor one of which nobody knows whether it was done."""
    invocations = Invocations(Caller("caller-1", "call-1", "tenant-1"))
    for number in range(KEPT_MAX + 2):
        made = invocations.make(f"{number}", pay, {"amount": number}, "turn-1")
        if number != 1:
            made.outcome = Outcome("unknown" if number == 2 else "done", "Paid.")
        invocations.add(made)
    kept = [one.id for one in invocations]
    assert (len(kept), kept[:3]) == (KEPT_MAX, ["1", "2", "4"])
