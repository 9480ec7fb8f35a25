"""
How much of what callers say an agent understands: the lines of a file, in text or by voice.

Each line is a conversation of its own, with what the agent's `open_rehearsal` opens.
"""

import argparse
import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import structlog

from agent_worker.agent import AgentDefinition, AgentError
from agent_worker.loading import Listings, load_agent, look_at_servers, server_tools
from agent_worker.reasoning.listening import asks_to_wait, asks_yes_or_no, is_backchannel
from agent_worker.rehearsal.stage import BuildLLM, Stage
from agent_worker.settings import WorkerSettings
from agent_worker.tools.tool import Tool
from agent_worker.voice.providers import build_llm
from bench.by_voice import agents_stack, calling
from bench.callers_say import VERDICTS, Line, Played, Verdict, judge, read
from bench.conversation import Conversation, Reply, play
from devstack.step import StepError
from service_base.settings import SettingsError, load

Opens = Callable[[], AbstractAsyncContextManager[Conversation]]
"""Opens a conversation for a line."""


def main(arguments: Sequence[str]) -> None:
    """
    Play and print.

    Raises: StepError: the agent or the file has a mistake, or fewer lines are right than wanted.
    """
    parser = argparse.ArgumentParser(prog="python -m bench understanding")
    parser.add_argument("file", type=Path, help="tool, arguments and sentence, with tabs between")
    parser.add_argument("--agent", help="default: the one that PARLEY_AGENT names")
    parser.add_argument("--at-least", type=int, default=0, metavar="N", help="lines must be right")
    parser.add_argument("--voice", action="store_true", help="speak them, on a stack of its own")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        settings = load(WorkerSettings)
        name = chosen.agent or settings.agent
        agent = load_agent(name)
        listings = asyncio.run(look_at_servers(agent))
        tools = {one.name: one for one in (*agent.all_tools, *server_tools(agent, listings, {}))}
        lines = read(chosen.file, agent, tools)
        with ExitStack() as stack:
            opens: Opens = partial(in_text, agent, partial(build_llm, settings), listings)
            if chosen.voice:
                opens = partial(calling, stack.enter_context(agents_stack(name)), agent)
            right = asyncio.run(_measure(agent, tools, lines, opens))
    except (AgentError, SettingsError) as error:
        raise StepError(str(error)) from error
    if right < chosen.at_least:
        raise StepError(f"{right} lines are right, not {chosen.at_least}.")


async def _measure(
    agent: AgentDefinition, tools: Mapping[str, Tool], lines: Sequence[Line], opens: Opens
) -> int:
    """Returns: how many lines are right."""
    counts: Counter[Verdict] = Counter()
    for line in lines:
        async with opens() as conversation:
            played = await play(conversation, line, agent.greeting)
        verdict = judge(agent, tools, line, played)
        counts[verdict] += 1
        if verdict != "right":
            # At once: by voice each line takes ten seconds or more.
            print(_told(line, played, verdict), flush=True)
    for verdict in VERDICTS:
        print(f"{verdict:<22}{counts[verdict]:>4}{counts[verdict] / counts.total():>7.0%}")
    return counts["right"]


@asynccontextmanager
async def in_text(
    agent: AgentDefinition, build: BuildLLM, listings: Listings
) -> AsyncIterator[Conversation]:
    """A conversation in text, with what the agent's `open_rehearsal` opens."""
    async with Stage(agent, build, listings) as stage:
        yield _InText(stage, agent.greeting, agent.phrases.hold)


class _InText(Conversation):
    def __init__(self, stage: Stage, greeting: str, hold: str) -> None:
        super().__init__()
        self._stage = stage
        self._said = greeting
        self._hold = hold

    @property
    def asks(self) -> bool:
        return self._stage.asks

    def now(self) -> datetime:
        return self._stage.now()

    async def say(self, text: str) -> Reply | None:
        # By voice neither becomes a turn that is answered: see agent_worker/voice/speaking.py.
        may_agree = self.asks or asks_yes_or_no(self._said)
        if is_backchannel(text, over_agent=False, may_agree=may_agree):
            return None
        self.heard.append(text)
        if asks_to_wait(text):
            return Reply(self._hold)
        reply = await self._stage.say(text)
        self._said = " ".join(reply.said)
        proposed = [(one.tool, one.arguments) for one in reply.proposed]
        return Reply(self._said, proposed)

    async def effects(self) -> list[str]:
        return await self._stage.effects()


def _told(line: Line, played: Played, verdict: Verdict) -> str:
    wanted = "a question" if line.arguments is None else dict(line.arguments)
    lines = [f"line {line.number}: {verdict}: {' >> '.join(line.turns)}"]
    if played.turns != line.turns:
        lines += [f"    heard {' >> '.join(played.turns) or 'nothing'}"]
    lines += [f"    wanted {line.tool} with {wanted}"]
    lines += [f"    proposed {name} with {dict(arguments)}" for name, arguments in played.proposed]
    lines += [f"    said {played.said!r}"] if played.said else []
    done = played.effects_after_yes or played.effects
    lines += [f"    done: {', '.join(done)}"] if done else []
    return "\n".join(lines)
