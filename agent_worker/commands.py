"""`python -m agent_worker describe AGENT`, `... parse AGENT SENTENCE` and `... rehearse AGENT`."""

import argparse
import asyncio
import importlib
import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import structlog

from agent_worker.agent import AgentDefinition, AgentError
from agent_worker.describe import describe
from agent_worker.loading import load_agent, look_at_servers, server_tools
from agent_worker.parse import parse
from agent_worker.rehearsal.script import Script, ScriptError, read
from agent_worker.rehearsal.stage import Report, rehearse
from agent_worker.settings import WorkerSettings
from agent_worker.voice.providers import build_llm
from service_base.settings import SettingsError, load

DONE, FAILED, UNUSABLE = 0, 1, 2
SCRIPTS = "rehearsals"
"""The folder beside an agent that holds its scripts."""


def run(arguments: Sequence[str]) -> int:
    """
    Run the command in *arguments*.

    Returns: the exit code: 0 done, 1 a rehearsal failed, 2 the agent or a script has a mistake.
    """
    parser = argparse.ArgumentParser(prog="python -m agent_worker")
    subs = parser.add_subparsers(dest="command", required=True)
    described = subs.add_parser("describe", help="print the agent's tools and guards as Markdown")
    described.add_argument("agent", help="the Python package that holds the agent as AGENT")
    parsed = subs.add_parser("parse", help="print what the agent makes of a sentence, and why")
    parsed.add_argument("agent", help="the Python package that holds the agent as AGENT")
    parsed.add_argument("text", help="what a caller says; '>>' stands between several turns")
    rehearsed = subs.add_parser("rehearse", help="play scripts with the agent, in text")
    rehearsed.add_argument("agent", help="the Python package that holds the agent as AGENT")
    rehearsed.add_argument("scripts", nargs="*", type=Path, help=f"default: its {SCRIPTS}/*.yaml")
    rehearsed.add_argument("--verbose", action="store_true", help="print every conversation")
    chosen = parser.parse_args(arguments)
    _be_quiet()
    try:
        agent = load_agent(chosen.agent)
        if chosen.command == "describe":
            return asyncio.run(_describe(agent))
        if chosen.command == "parse":
            print(parse(agent, chosen.text))
            return DONE
        scripts = [(file, read(file)) for file in chosen.scripts or _scripts_of(chosen.agent)]
        return asyncio.run(_rehearse(agent, scripts, verbose=chosen.verbose))
    except (AgentError, ScriptError, SettingsError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE


async def _describe(agent: AgentDefinition) -> int:
    listings = await look_at_servers(agent)
    print(describe(agent, [*agent.all_tools, *server_tools(agent, listings, {})]), end="")
    return DONE


async def _rehearse(
    agent: AgentDefinition, scripts: Sequence[tuple[Path, Script]], *, verbose: bool
) -> int:
    build = partial(build_llm, load(WorkerSettings))
    listings = await look_at_servers(agent)
    failed = 0
    for file, script in scripts:
        report = await rehearse(agent, build, listings, script)
        failed += bool(report.failures)
        _print(file, report, verbose=verbose)
    print(f"{len(scripts) - failed} of {len(scripts)} rehearsals went as written.")
    return FAILED if failed else DONE


def _print(file: Path, report: Report, *, verbose: bool) -> None:
    print(f"{'FAILED' if report.failures else 'ok    '}  {report.script.name}  ({file})")
    if report.failures or verbose:
        print("\n".join(f"        {line}" for line in report.transcript))
    for failure in report.failures:
        print(f"      - {failure}")


def _scripts_of(module: str) -> list[Path]:
    file = importlib.import_module(module).__file__
    found = sorted((Path(file).parent / SCRIPTS).glob("*.yaml")) if file else []
    if not found:
        raise ScriptError(
            f"{module}: it has no scripts in {SCRIPTS}/*.yaml; name the scripts to play"
        )
    return found


def _be_quiet() -> None:
    """Silence the logs: the printed report says what failed."""
    logging.disable(logging.ERROR)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        cache_logger_on_first_use=False,
    )
