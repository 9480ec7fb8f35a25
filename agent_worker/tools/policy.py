"""
An author's functions around a tool: what it acts on, looked up before the question, and the rules
of its policy, checked before the question and again after the yes.
"""

import asyncio
import inspect
from collections.abc import Callable, Sequence

import structlog

from agent_worker.tools.arguments import Values
from agent_worker.tools.tool import BackendUnavailable, Rule, Target, Tool, ToolRefused
from service_base.tasks import is_cancelled

log = structlog.get_logger()

POLICY_S = 3.0
"""How long the rules of a tool may take together."""


class PolicyFailed(Exception):
    """An author's function raised an error or took too long. Its verdict is not known."""


async def check(tool: Tool, values: Values, inject: Callable[[type], object]) -> None:
    """
    Check *values* by every rule of *tool*.

    Raises: ToolRefused: a rule refuses, with a reason that can be spoken.
        BackendUnavailable: a rule could not get the facts that it needs. PolicyFailed.
    """
    await _run(tool, tool.guards.policy, values, inject)


async def find_target(tool: Tool, values: Values, inject: Callable[[type], object]) -> Target:
    """
    What *tool* acts on with *values*, by its `resolve` step.

    Raises: ToolRefused: there is nothing such; as `check`.
    """
    assert tool.guards.resolve is not None
    [found] = await _run(tool, [tool.guards.resolve], values, inject)
    if not isinstance(found, Target):
        log.error("resolve.no_target", tool=tool.name, returned=type(found).__name__)
        raise PolicyFailed
    return found


async def _run(
    tool: Tool, rules: Sequence[Rule], values: Values, inject: Callable[[type], object]
) -> list[object]:
    if not rules:
        return []
    bound = tool.arguments.bind(values)
    verdicts: list[object] = []
    try:
        async with asyncio.timeout(POLICY_S):
            for rule in rules:
                seen = {name: bound.get(name) for name in rule.reads}
                injected = {name: inject(kind) for name, kind in rule.injected.items()}
                verdict = rule.check(**seen, **injected)
                verdicts.append(await verdict if inspect.isawaitable(verdict) else verdict)
    except (ToolRefused, BackendUnavailable, KeyboardInterrupt):
        raise
    except BaseException as error:
        if is_cancelled(error):
            raise
        log.error("policy.failed", tool=tool.name, error=type(error).__name__)
        raise PolicyFailed from None
    return verdicts
