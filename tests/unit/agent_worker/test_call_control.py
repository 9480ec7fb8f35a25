"""The tool that every agent has."""

from agent_worker.call_control import end_call
from tests.unit.agent_worker.small_agent import Line


async def test_end_call_says_goodbye_and_ends_after_it() -> None:
    """Without arguments: the conversation was finished."""
    line = Line()
    answer = await end_call.run(call=line)
    assert answer.say == "Thank you for calling. Goodbye."
    assert line.end_reason == "agent"


async def test_end_call_with_a_reason_says_the_given_words() -> None:
    """The agent's own phrases are used where it ends the call because it could not help."""
    line = Line()
    answer = await end_call.run("not-understood", "So sorry.", call=line)
    assert answer.say == "So sorry."
    assert line.end_reason == "not-understood"


def test_end_call_cannot_be_given_another_reason() -> None:
    """Reasons that only the worker may give are not offered to a model."""
    properties = end_call.schema["parameters"]["properties"]
    assert properties["reason"]["enum"] == ["agent", "not-understood"]
    assert set(properties) == {"reason", "say"}
