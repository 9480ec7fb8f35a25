"""What the agent makes of the messages of a conversation."""

from livekit.agents.llm import ChatItem, ChatMessage, FunctionCall, FunctionCallOutput

from agent_worker.reasoning.message_tags import arrived, results_arrived, unanswered


def call(number: int) -> FunctionCall:
    return FunctionCall(call_id=f"c{number}", name="look", arguments="{}", created_at=number)


def output(number: int, at: float) -> FunctionCallOutput:
    return FunctionCallOutput(
        call_id=f"c{number}", name="look", output=f"{number}", is_error=False, created_at=at
    )


def test_results_are_told_in_the_order_in_which_they_were_asked_for() -> None:
    """ "Orders seven and nine": whichever tool was quicker."""
    items: list[ChatItem] = [
        ChatMessage(role="user", content=["seven and nine"]),
        call(9),
        output(9, 11),
        call(7),
        output(7, 12),
    ]
    assert [one.output for one in unanswered(items)] == ["7", "9"]
    told = ChatMessage(role="system", content=[results_arrived(["c9", "c7"])])
    assert [one.output for one in arrived([*items, told])] == ["7", "9"]
