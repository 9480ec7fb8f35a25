"""The session's model in text mode: a real session, real tools, real templates."""

import asyncio
import json
import time
from dataclasses import replace
from unittest.mock import ANY

import pytest
from livekit.agents import APIConnectionError, APIStatusError
from livekit.agents.llm import (
    ChatContext,
    ChoiceDelta,
    FunctionCall,
    FunctionCallOutput,
    FunctionToolCall,
    LLMError,
)
from livekit.agents.voice.run_result import RunResult

from agent_worker.agent import AgentDefinition
from agent_worker.reasoning.dialog import Dialog
from agent_worker.reasoning.llm import (
    BOUNDS,
    CALL_PREFIX,
    AgentLLM,
    last_answer,
    reply,
    say,
    user_turns,
)
from agent_worker.reasoning.message_tags import spoken, told, unanswered
from agent_worker.reasoning.templates import Templates
from agent_worker.tools.phrases import GatePhrases
from tests.unit.agent_worker.scripted import Script, ScriptedLLM
from tests.unit.agent_worker.small_agent import TextCall, small_agent

pytestmark = pytest.mark.usefixtures("virtual_time")


async def test_sentence_that_fits_calls_the_tool_and_says_its_result(
    agent: AgentDefinition,
) -> None:
    """One tool call with the slots, its output, then exactly the words of the output."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        result: RunResult[None] = await call.session.run(user_input="Look at room number seven.")
        result.expect.next_event().is_function_call(name="look", arguments={"number": 7})
        result.expect.next_event().is_function_call_output(is_error=False)
        said = result.expect.next_event().is_message(role="assistant")
        assert said.event().item.text_content == "Room 7 has 0 coats."
        result.expect.no_more_events()


async def test_question_for_a_slot_then_answer_acts(agent: AgentDefinition) -> None:
    """What is missing is asked for; the answer alone finishes the request, once."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        assert await call.say("Paint a room, please.") == "Which room shall I paint?"
        assert call.house.painted == []
        assert await call.say("Three.") == "Painted room 3."
        assert call.house.painted == [(3, ANY)]


async def test_refusal_of_a_tool_is_spoken(agent: AgentDefinition) -> None:
    """The tool's own reason is what the caller hears."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        assert await call.say("paint room 101") == "There is no room 101."
        assert call.house.painted == []


async def test_words_without_a_tool_and_their_repetition(agent: AgentDefinition) -> None:
    """A saying is said; "say that again" says the last words again."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        assert await call.say("When are you open?") == "We are open all day."
        assert await call.say("Say that again.") == "We are open all day."


async def test_not_understood_asks_twice_then_offers_the_fallback_tool_then_ends(
    agent: AgentDefinition,
) -> None:
    """Two reprompts, then the offer of a person; a no leads on, the next miss to a farewell."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        assert await call.say("mumble") == "Pardon?"
        assert await call.say("mutter") == "Once more?"
        assert await call.say("murmur") == "Shall I send a person?"
        assert await call.say("no") == GatePhrases().declined_offer
        assert call.house.helpers == 0 and call.line.end_reason is None
        assert await call.say("grumble") == "I give up. Goodbye."
        assert call.line.end_reason == "not-understood"
        assert call.house.helpers == 0


async def test_fallback_tool_runs_when_the_caller_wants_it(agent: AgentDefinition) -> None:
    """Only a yes to the offer has it done; gibberish does not."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        for words in ("mumble", "mutter", "murmur"):
            await call.say(words)
        await call.hears("Shall I send a person?")
        assert await call.say("yes please") == GatePhrases().approved
        await call.hears("A person will come.")
        assert call.house.helpers == 1
        assert call.line.end_reason is None


async def test_yes_to_something_else_is_the_models_turn(agent: AgentDefinition) -> None:
    """
    "So eleven instead?" is not the gate's question. Without a model, the open one is repeated.
    """
    remote = ScriptedLLM(lambda _: _words("So eleven instead?"))
    async with TextCall(agent, AgentLLM(agent, remote)) as call:
        asks = await call.say("clear room 9")
        assert await call.say("change it to eleven") == "So eleven instead?"
        assert await call.say("yes") == "So eleven instead?"
        assert len(remote.asked) == 2 and call.house.cleared == []
    async with TextCall(agent, AgentLLM(agent)) as call:
        await call.say("clear room 9")
        await call.session.say("Are you still there?")
        assert await call.say("yes") == asks
        assert call.house.cleared == []
        assert await call.say("yes") == GatePhrases().approved
        await call.hears("Room 9 is empty.")


async def test_yes_to_something_else_has_the_question_repeated_when_models_fail(
    agent: AgentDefinition,
) -> None:
    """It is no wish of before, proposed once more."""
    remote = ScriptedLLM(lambda _: _words("So eleven instead?"))
    async with TextCall(agent, AgentLLM(agent, remote)) as call:
        asks = await call.say("clear room 9")
        assert await call.say("change it to eleven") == "So eleven instead?"
        remote.script = lambda _: [APIConnectionError()]
        assert await call.say("yes") == asks
        assert call.house.cleared == []


async def test_yes_that_adds_what_nobody_understands_has_the_question_repeated(
    agent: AgentDefinition,
) -> None:
    """Rather than that it was not understood; what a template fits is answered."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        asks = await call.say("clear room 9")
        assert await call.say("yes, on Monday") == asks
        assert await call.say("please look at room 8") == "Room 8 has 0 coats."
        assert call.house.cleared == []


@pytest.mark.parametrize("words", ["no, ten", "hang on, I meant ten", "no, clear room ten"])
async def test_no_with_a_wish_has_that_asked(agent: AgentDefinition, words: str) -> None:
    """What was asked is declined, what was meant is asked; only that happens."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        await call.say("clear room 9")
        assert (await call.say(words)).startswith("Clear room 10?")
        await call.say("yes")
        await call.hears("Room 10 is empty.")
        assert [number for number, _, _ in call.house.cleared] == [10]
        assert GatePhrases().declined not in " ".join(call.spoken)


async def test_not_understood_then_understood_counts_anew(agent: AgentDefinition) -> None:
    """Misses that are not in a row never lead to the end of the call."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        for _ in range(3):
            assert await call.say("mumble") == "Pardon?"
            assert await call.say("when are you open") == "We are open all day."


async def test_not_understood_without_a_fallback_tool_ends_after_the_reprompts(
    templates: Templates,
) -> None:
    """An agent with nobody to hand over to says goodbye instead."""
    agent = small_agent(templates, fallback_tool=None)
    async with TextCall(agent, AgentLLM(agent)) as call:
        for words in ("mumble", "mutter"):
            await call.say(words)
        assert await call.say("murmur") == "I give up. Goodbye."
        assert call.line.end_reason == "not-understood"


async def test_goodbye_ends_the_call_politely(agent: AgentDefinition) -> None:
    """The caller's goodbye is answered and ends the call as finished."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        assert await call.say("goodbye") == "Thank you for calling. Goodbye."
        assert call.line.end_reason == "agent"


def _words(text: str) -> Script:
    return [say(text)]


async def test_templates_first_exact_sentence_does_not_ask_the_model(
    agent: AgentDefinition,
) -> None:
    """What a template fits is answered here; the tool's result too."""
    remote = ScriptedLLM(lambda _: _words("from afar"))
    async with TextCall(agent, AgentLLM(agent, remote)) as call:
        assert await call.say("look at room 7") == "Room 7 has 0 coats."
    assert remote.asked == []


async def test_templates_first_other_sentence_asks_the_model(agent: AgentDefinition) -> None:
    """What no template fits goes to the model with the whole conversation, tried once."""
    remote = ScriptedLLM(lambda _: [say("from "), say("afar")])
    async with TextCall(
        agent, AgentLLM(agent, remote, bounds=replace(BOUNDS, silence_s=3.5))
    ) as call:
        await call.say("when are you open")
        assert await call.say("why is the sky blue") == "from afar"
    assert len(remote.asked) == 1
    turns = user_turns(remote.asked[0].items)
    assert turns == ["when are you open", "why is the sky blue"]
    assert remote.options[0].max_retry == 0
    assert remote.options[0].timeout == 3.5


async def test_templates_first_many_misses_never_end_the_call(agent: AgentDefinition) -> None:
    """Where there is a model, not fitting a template is not a failure."""
    remote = ScriptedLLM(lambda _: _words("from afar"))
    async with TextCall(agent, AgentLLM(agent, remote)) as call:
        for _ in range(5):
            assert await call.say("why is the sky blue") == "from afar"
        assert call.house.helpers == 0
        assert call.line.end_reason is None


async def test_templates_first_models_own_tool_call_is_put_into_words_by_the_model(
    agent: AgentDefinition,
) -> None:
    """The model's call runs through the same tools; its result goes back to the model."""

    def script(conversation: ChatContext) -> Script:
        for output in unanswered(conversation.items):
            return _words(f"I found: {json.loads(output.output)['data']['coats']}")
        call = FunctionToolCall(name="look", arguments='{"number": 9}', call_id="remote-1")
        return [ChoiceDelta(role="assistant", tool_calls=[call])]

    remote = ScriptedLLM(script)
    async with TextCall(agent, AgentLLM(agent, remote)) as call:
        assert await call.say("tell me everything about the ninth") == "I found: 0"
    assert len(remote.asked) == 2


@pytest.mark.parametrize("error", [APIConnectionError(), ValueError("key=s3cret")])
async def test_model_that_fails_before_its_first_word_is_apologized_for(
    agent: AgentDefinition, error: Exception
) -> None:
    """The caller hears a sentence without a wait; the failure is reported; the next turn works."""
    remote = ScriptedLLM(lambda _: [error])
    llm = AgentLLM(agent, remote)
    errors: list[LLMError] = []
    llm.on("error", errors.append)
    async with TextCall(agent, llm) as call:
        started = time.monotonic()
        assert await call.say("why is the sky blue") == "I have no answer now."
        assert time.monotonic() - started < 0.1
        assert await call.say("when are you open") == "We are open all day."
    assert len(remote.asked) == 1
    assert [failure.recoverable for failure in errors] == [True]


async def test_model_that_says_nothing_is_apologized_for(agent: AgentDefinition) -> None:
    """An answer without words or calls is as good as a failure."""
    remote = ScriptedLLM(lambda _: [ChoiceDelta(role="assistant")])
    async with TextCall(agent, AgentLLM(agent, remote)) as call:
        assert await call.say("why is the sky blue") == "I have no answer now."


async def test_model_that_breaks_off_is_heard_as_far_as_it_is_whole(agent: AgentDefinition) -> None:
    """What was whole stands, and half a sentence is left out."""
    remote = ScriptedLLM(lambda _: [say("It is air. Because "), APIConnectionError()])
    async with TextCall(agent, AgentLLM(agent, remote)) as call:
        said = await call.say("why is the sky blue")
        assert said == f"It is air. {agent.phrases.reply_cut}"


async def test_long_answer_is_gone_on_with_by_the_model(agent: AgentDefinition) -> None:
    """A yes to "Shall I go on?" is no wish that a template knows."""
    remote = ScriptedLLM(lambda _: _words("One two three. Four five six. Seven."))
    llm = AgentLLM(agent, remote, bounds=replace(BOUNDS, words_max=4))
    async with TextCall(agent, llm) as call:
        said = await call.say("why is the sky blue")
        assert said == f"One two three. Four five six. {agent.phrases.more}"
        await call.say("yes")
    assert user_turns(remote.asked[-1].items) == ["why is the sky blue", "yes"]


async def test_model_that_calls_tools_for_ever_is_ended_by_the_results_words(
    agent: AgentDefinition,
) -> None:
    """LiveKit lets it no longer call, and it does all the same."""

    def script(_: ChatContext) -> Script:
        number = len(remote.asked)
        arguments = f'{{"number": {number}}}'
        call = FunctionToolCall(name="look", arguments=arguments, call_id=f"r{number}")
        return [ChoiceDelta(role="assistant", tool_calls=[call])]

    remote = ScriptedLLM(script)
    async with TextCall(agent, AgentLLM(agent, remote)) as call:
        said = await call.say("tell me everything about the ninth")
    assert said == " ".join(f"Room {number} has 0 coats." for number in (1, 2, 3, 4))
    assert len(remote.asked) == 5


async def test_second_model_answers_when_the_first_fails(agent: AgentDefinition) -> None:
    """At once, and both the failure and who answered are told."""
    first = ScriptedLLM(lambda _: [APIConnectionError()])
    second = ScriptedLLM(lambda _: _words("from afar"))
    replied: list[str] = []
    llm = AgentLLM(agent, first, second, replied=replied.append)
    async with TextCall(agent, llm) as call:
        assert await call.say("why is the sky blue") == "from afar"
        assert await call.say("and the sea") == "from afar"
    assert (len(first.asked), len(second.asked), replied) == (1, 2, ["another", "another"])


async def test_without_any_model_templates_and_examples_go_on(agent: AgentDefinition) -> None:
    """The caller is told once; what they do not know is apologized for."""
    remote = ScriptedLLM(lambda _: [APIConnectionError()])
    replied: list[str] = []
    llm = AgentLLM(agent, remote, templates=False, replied=replied.append)
    away = agent.phrases.model_away
    async with TextCall(agent, llm) as call:
        assert await call.say("when are you open") == f"{away} We are open all day."
        assert await call.say("why is the sky blue") == "I have no answer now."
        assert await call.say("look at room 7") == "Room 7 has 0 coats."
        remote.script = lambda _: _words("from afar")
        assert await call.say("when are you open") == "from afar"
    assert replied == ["templates", "nobody", "templates", "first"]


async def test_old_wish_does_not_come_back_with_a_value_that_answers_a_model(
    agent: AgentDefinition,
) -> None:
    """The model asked something in between, and now it is gone."""
    remote = ScriptedLLM(lambda _: _words("For how many?"))
    async with TextCall(agent, AgentLLM(agent, remote)) as call:
        assert await call.say("clear a room") == "Which room shall I clear?"
        assert await call.say("my aunt is coming by train") == "For how many?"
        remote.script = lambda _: [APIConnectionError()]
        assert await call.say("nine") == "I have no answer now."
        assert call.house.cleared == []


async def test_wish_that_templates_have_asked_about_goes_on_without_a_model(
    agent: AgentDefinition,
) -> None:
    remote = ScriptedLLM(lambda _: [APIConnectionError()])
    async with TextCall(agent, AgentLLM(agent, remote, templates=False)) as call:
        away = agent.phrases.model_away
        assert await call.say("look at a room") == f"{away} Which room?"
        assert await call.say("nine") == "Room 9 has 0 coats."


async def test_nobody_is_told_to_ask_again_while_a_tool_runs(agent: AgentDefinition) -> None:
    """The server broke off behind the call."""

    def script(conversation: ChatContext) -> Script:
        if unanswered(conversation.items):
            return [say("All right. It"), APIConnectionError()]
        call = FunctionToolCall(name="look", arguments='{"number": 9}', call_id="r")
        return [say("I look."), ChoiceDelta(role="assistant", tool_calls=[call]), ValueError()]

    async with TextCall(agent, AgentLLM(agent, ScriptedLLM(script))) as call:
        said = await call.say("tell me everything about the ninth")
        assert said == "All right. Room 9 has 0 coats."


async def test_models_failure_is_reported_without_the_servers_words(agent: AgentDefinition) -> None:
    """Its answer may repeat what the caller said."""
    remote = ScriptedLLM(lambda _: [APIStatusError("sky blue", status_code=429)])
    llm = AgentLLM(agent, remote)
    errors: list[LLMError] = []
    llm.on("error", errors.append)
    async with TextCall(agent, llm) as call:
        assert await call.say("why is the sky blue") == "I have no answer now."
    (failure,) = errors
    assert str(failure.error) == "scripted-1: rate-limited (HTTP 429)"
    assert getattr(failure.error, "cause", None) == "rate-limited"


async def test_model_alone_answers_everything(agent: AgentDefinition) -> None:
    """Without templates every sentence goes to the model, even one that would fit."""
    remote = ScriptedLLM(lambda _: _words("from afar"))
    llm = AgentLLM(agent, remote, templates=False)
    async with TextCall(agent, llm) as call:
        assert await call.say("when are you open") == "from afar"
    assert len(remote.asked) == 1


async def test_names_metrics_and_end_are_those_of_the_model(agent: AgentDefinition) -> None:
    """Metrics of the model come through until it is closed, and it is closed with us."""
    remote = ScriptedLLM(lambda _: _words("from afar"))
    llm = AgentLLM(agent, remote)
    assert (llm.model, llm.provider) == ("scripted-1", "script")
    seen: list[str] = []
    llm.on("metrics_collected", seen.append)
    remote.emit("metrics_collected", "one")
    await llm.aclose()
    remote.emit("metrics_collected", "two")
    assert seen == ["one"]
    assert remote.closed


async def test_names_without_a_model_are_ours(agent: AgentDefinition) -> None:
    """Templates alone are named so, and closing them needs nothing."""
    llm = AgentLLM(agent)
    assert (llm.model, llm.provider) == ("templates", "local")
    await llm.aclose()


def test_reply_before_the_caller_said_anything_is_the_greeting(agent: AgentDefinition) -> None:
    """A reply that is asked for out of the blue greets."""
    assert reply(agent, Dialog(), "").content == agent.greeting


def test_wishes_are_without_a_request_to_wait() -> None:
    """In a conversation that another agent led nothing says how it was answered."""
    conversation = ChatContext.empty()
    for text in ("paint a room", "hang on a second", "seven"):
        conversation.add_message(role="user", content=text)
    assert user_turns(conversation.items) == ["paint a room", "seven"]


def _output(text: str, *, is_error: bool = False) -> FunctionCallOutput:
    return FunctionCallOutput(call_id="x", name="look", output=text, is_error=is_error)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (_output('{"say": "Done.", "data": {"a": 1}}'), "Done."),
        (_output("There is no room 9.", is_error=True), "There is no room 9."),
        (_output("just words"), "just words"),
        (_output('["a"]'), '["a"]'),
        (_output('{"other": 1}'), '{"other": 1}'),
    ],
)
def test_spoken_takes_the_words_of_a_result(output: FunctionCallOutput, words: str) -> None:
    """Our own results have words; a refusal is words; anything else is said as it is."""
    assert spoken(output) == words


def test_unanswered_outputs_are_none_after_words() -> None:
    """A result that was put into words is not put into words again."""
    conversation = ChatContext.empty()
    assert unanswered(conversation.items) == []
    conversation.add_message(role="user", content="look at room 7")
    conversation.insert(FunctionCall(call_id="x", name="look", arguments="{}"))
    conversation.insert(_output("{}"))
    assert len(unanswered(conversation.items)) == 1
    conversation.add_message(role="assistant", content="Done.")
    assert unanswered(conversation.items) == []
    assert last_answer(conversation.items) == "Done."


def test_unanswered_outputs_are_none_of_which_the_caller_knows() -> None:
    """A wish that the caller took back needs no words, and does not stand before the next one."""
    conversation = ChatContext.empty()
    conversation.add_message(role="user", content="no, room 7")
    conversation.insert(_output(told("All right, I won't do that.")))
    assert unanswered(conversation.items) == []


async def test_calls_from_templates_are_marked(agent: AgentDefinition) -> None:
    """Our call ids are told apart from a model's, and differ."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        ids = []
        for _ in range(2):
            result: RunResult[None] = await call.session.run(user_input="look at room 7")
            ids.append(result.expect.next_event().is_function_call().event().item.call_id)
    assert all(name.startswith(CALL_PREFIX) for name in ids)
    assert len(set(ids)) == 2


async def test_speculative_reply_runs_no_tool(agent: AgentDefinition) -> None:
    """Asking for a reply without the session only proposes the call; asked twice, the same."""
    conversation = ChatContext.empty()
    conversation.add_message(role="user", content="paint room 7")
    llm = AgentLLM(agent)
    proposals = [await llm.chat(chat_ctx=conversation).collect() for _ in range(2)]
    calls = [proposal.tool_calls[0] for proposal in proposals]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [
        ("paint", {"number": 7})
    ] * 2
    assert len(conversation.items) == 1
    await asyncio.sleep(0)
