"""
How much of what callers say an agent understands: the lines of a file, played in text.

Each line is a conversation of its own, with what the agent's `open_rehearsal` opens.
"""

import argparse
import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import structlog

from agent_worker.agent import AgentDefinition, AgentError
from agent_worker.loading import Listings, load_agent, look_at_servers, server_tools
from agent_worker.reasoning.listening import asks_to_wait, is_backchannel
from agent_worker.rehearsal.stage import BuildLLM, Reply, Stage
from agent_worker.settings import WorkerSettings
from agent_worker.voice.providers import build_llm
from bench.callers_say import VERDICTS, Line, Played, Verdict, judge, read
from devstack.step import StepError
from service_base.settings import SettingsError, load

YES = "yes"


def main(arguments: Sequence[str]) -> None:
    """
    Play and print.

    Raises: StepError: the agent or the file has a mistake, or fewer lines are right than wanted.
    """
    parser = argparse.ArgumentParser(prog="python -m bench understanding")
    parser.add_argument("file", type=Path, help="tool, arguments and sentence, with tabs between")
    parser.add_argument("--agent", help="default: the one that PARLEY_AGENT names")
    parser.add_argument("--at-least", type=int, default=0, metavar="N", help="lines must be right")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        right = asyncio.run(_measure(chosen.file, chosen.agent))
    except (AgentError, SettingsError) as error:
        raise StepError(str(error)) from error
    if right < chosen.at_least:
        raise StepError(f"{right} lines are right, not {chosen.at_least}.")


async def _measure(file: Path, name: str | None) -> int:
    """Returns: how many lines are right."""
    settings = load(WorkerSettings)
    agent = load_agent(name or settings.agent)
    build = partial(build_llm, settings)
    listings = await look_at_servers(agent)
    tools = {one.name: one for one in (*agent.all_tools, *server_tools(agent, listings, {}))}
    counts: Counter[Verdict] = Counter()
    wrong: list[str] = []
    for line in read(file, agent, tools):
        played = await play(agent, build, listings, line)
        verdict = judge(agent, tools, line, played)
        counts[verdict] += 1
        if verdict != "right":
            wrong.append(_told(line, played, verdict))
    for verdict in VERDICTS:
        print(f"{verdict:<22}{counts[verdict]:>4}{counts[verdict] / counts.total():>7.0%}")
    print("\n".join(wrong))
    return counts["right"]


async def play(agent: AgentDefinition, build: BuildLLM, listings: Listings, line: Line) -> Played:
    """Play *line* in text."""
    async with Stage(agent, build, listings) as stage:
        at = stage.now()
        turns: list[str] = []
        reply: Reply | None = None
        said = before = agent.greeting
        for text in line.turns:
            # By voice neither becomes a turn that is answered: see agent_worker/voice/speaking.py.
            if is_backchannel(text, over_agent=False):
                continue
            held = asks_to_wait(text)
            turns.append(text)
            reply = None if held else await stage.say(text)
            before, said = said, " ".join(reply.said) if reply else agent.phrases.hold
        asks, effects = stage.asks, await stage.effects()
        after_yes: list[str] = []
        if line.tool in ("none", "closed") and (asks or said.rstrip().endswith("?")):
            await stage.say(YES)
            after_yes = await stage.effects()
        return Played(
            turns=tuple(turns),
            at=at,
            said=said,
            said_before=before,
            proposed=[(one.tool, one.arguments) for one in reply.proposed] if reply else [],
            asks=asks,
            effects=effects,
            effects_after_yes=after_yes or effects,
        )


def _told(line: Line, played: Played, verdict: Verdict) -> str:
    wanted = "a question" if line.arguments is None else dict(line.arguments)
    lines = [f"line {line.number}: {verdict}: {' >> '.join(line.turns)}"]
    lines += [f"    wanted {line.tool} with {wanted}"]
    lines += [f"    proposed {name} with {dict(arguments)}" for name, arguments in played.proposed]
    lines += [f"    said {played.said!r}"] if played.said else []
    done = played.effects_after_yes or played.effects
    lines += [f"    done: {', '.join(done)}"] if done else []
    return "\n".join(lines)
