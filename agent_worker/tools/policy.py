"""Policy: rules beside the tools, checked before the caller is asked and again after the yes."""

import asyncio
import inspect
from collections.abc import Callable

import structlog

from agent_worker.tools.arguments import Values
from agent_worker.tools.tool import BackendUnavailable, Tool, ToolRefused

log = structlog.get_logger()

POLICY_S = 3.0
"""Time in seconds that the rules of a tool may take together."""


class PolicyFailed(Exception):
    """A rule broke or took too long: what it would have said is not known, so nothing is done."""


async def check(tool: Tool, values: Values, inject: Callable[[type], object]) -> None:
    """
    Let every rule of *tool* look at *values*.

    Raises: ToolRefused: one says no, with a reason that can be spoken.
        BackendUnavailable: one could not
        ask what it needs to know. PolicyFailed.
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
