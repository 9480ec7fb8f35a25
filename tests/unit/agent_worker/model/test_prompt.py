"""What a remote model is sent."""

from typing import Any

from livekit.agents.llm import ChatContext, FunctionCall, FunctionCallOutput

from agent_worker.model.prompt import NOT_TOLD, OPENING, for_model


def sent(context: ChatContext) -> list[dict[str, Any]]:
    """As OpenAI's API gets it."""
    messages, _ = for_model(context.items).to_provider_format("openai")
    return list(messages)


def test_one_system_message_leads_and_the_agents_first_words_follow_an_opening() -> None:
    context = ChatContext.empty()
    context.add_message(role="system", content="You are brief.")
    context.add_message(role="assistant", content="Hello, who is there?")
    context.add_message(role="user", content="Ann.")
    assert sent(context) == [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": OPENING},
        {"role": "assistant", "content": "Hello, who is there?"},
        {"role": "user", "content": "Ann."},
    ]


def test_note_on_the_last_turn_stands_at_its_end() -> None:
    """Where LiveKit puts it: behind the turn. Templates of many models refuse it there."""
    context = ChatContext.empty()
    context.add_message(role="system", content="You are brief.")
    context.add_message(role="system", content="And polite.")
    context.add_message(role="user", content="Is it open?")
    context.add_message(role="system", content="An old note.")
    context.add_message(role="assistant", content="Yes.")
    context.add_message(role="user", content="And now?")
    context.add_message(role="system", content="A new note.")
    context.insert(FunctionCall(call_id="x", name="look", arguments="{}"))
    context.insert(FunctionCallOutput(call_id="x", name="look", output="3", is_error=False))
    first, *rest = sent(context)
    assert first == {"role": "system", "content": "You are brief.\n\nAnd polite."}
    assert [one["role"] for one in rest] == ["user", "assistant", "user", "assistant", "tool"]
    assert [rest[0]["content"], rest[2]["content"]] == [
        "Is it open?",
        "And now?\n\n(Note: A new note.)",
    ]


def test_note_that_comes_last_is_a_turn_with_the_ids_that_the_model_knows() -> None:
    """New results are told so, each by its own id, and no turn follows a result."""
    context = ChatContext.empty()
    context.add_message(role="user", content="Look.")
    for call_id in ("local_c0ffee", "local_c0ffee_final"):
        context.insert(FunctionCall(call_id=call_id, name="look", arguments="{}"))
        context.insert(FunctionCallOutput(call_id=call_id, name="look", output="3", is_error=False))
    told = "New results (call_ids: local_c0ffee_final). Tell them."
    context.add_message(role="system", content=told)
    *_, result, between, last = sent(context)
    assert result["role"] == "tool" and between == {"role": "assistant", "content": NOT_TOLD}
    assert last == {
        "role": "user",
        "content": f"(Note: New results (call_ids: {result['tool_call_id']}). Tell them.)",
    }


def test_roles_alternate_as_mistral_wants_it() -> None:
    """No turn after a result that was not told, and no end in the agent's own words."""
    context = ChatContext.empty()
    context.add_message(role="user", content="Look.")
    context.insert(FunctionCall(call_id="x", name="look", arguments="{}"))
    context.insert(FunctionCallOutput(call_id="x", name="look", output="3", is_error=False))
    context.add_message(role="user", content="Well?")
    context.add_message(role="assistant", content="I look.")
    roles = [one["role"] for one in sent(context)]
    assert roles == ["user", "assistant", "tool", "assistant", "user", "assistant", "user"]


def test_messages_of_one_speaker_in_a_row_are_one() -> None:
    context = ChatContext.empty()
    for text in ("One.", "Two."):
        context.add_message(role="user", content=text)
    context.add_message(role="assistant", content="  ")
    assert sent(context) == [{"role": "user", "content": "One.\n\nTwo."}]


def test_ids_of_calls_are_nine_letters_and_digits_and_belong_together() -> None:
    """Mistral refuses every later turn else."""
    context = ChatContext.empty()
    context.add_message(role="user", content="Look.")
    call_id = "local_c0ffee"
    context.insert(FunctionCall(call_id=call_id, name="look", arguments="{}"))
    context.insert(FunctionCallOutput(call_id=call_id, name="look", output="3", is_error=False))
    _, call, result = sent(context)
    (made,) = call["tool_calls"]
    assert made["id"] == result["tool_call_id"]
    assert len(made["id"]) == 9 and made["id"].isalnum()


def test_conversation_stays_as_it_is() -> None:
    context = ChatContext.empty()
    context.add_message(role="user", content="One.")
    context.add_message(role="user", content="Two.")
    before = context.copy()
    for_model(context.items)
    assert context.is_equivalent(before)
