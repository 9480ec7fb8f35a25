"""Policy: an author's rules for a tool, checked before the question and again after the yes."""

import asyncio
import inspect
from collections.abc import Callable

import structlog

from agent_worker.tools.arguments import Values
from agent_worker.tools.tool import BackendUnavailable, Tool, ToolRefused

log = structlog.get_logger()

POLICY_S = 3.0
"""How long the rules of a tool may take together."""


class PolicyFailed(Exception):
    """A rule raised an error or took too long. Its verdict is not known, so nothing is done."""


async def check(tool: Tool, values: Values, inject: Callable[[type], object]) -> None:
    """
    Check *values* by every rule of *tool*.

    Raises: ToolRefused: a rule refuses, with a reason that can be spoken.
        BackendUnavailable: a rule could not get the facts that it needs. PolicyFailed.
    """
    if not tool.guards.policy:
        return
    bound = tool.arguments.bind(values)
    try:
        async with asyncio.timeout(POLICY_S):
            for rule in tool.guards.policy:
                seen = {name: bound.get(name) for name in rule.reads}
                injected = {name: inject(kind) for name, kind in rule.injected.items()}
                verdict = rule.check(**seen, **injected)
                if inspect.isawaitable(verdict):
                    await verdict
    except (ToolRefused, BackendUnavailable):
        raise
    except Exception as error:
        log.error("policy.failed", tool=tool.name, error=type(error).__name__)
        raise PolicyFailed from None
