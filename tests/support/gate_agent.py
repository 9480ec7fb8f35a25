"""The shop's agent with a colleague who takes her time, and questions that close soon."""

import asyncio
import dataclasses
from typing import Any

from agent_worker.tools.tool import Answer, Tool
from examples.storefront.agent import AGENT as SHOP

SLOW_S = 8.0
EXPIRES_S = 3.0


def _slow(tool: Tool) -> Tool:
    async def run(**arguments: Any) -> Answer:
        answer = await tool.run(**arguments)
        await asyncio.sleep(SLOW_S)
        return answer

    return dataclasses.replace(tool, run=run, guards=dataclasses.replace(tool.guards, timeout_s=20))


def _short(tool: Tool) -> Tool:
    return dataclasses.replace(tool, guards=dataclasses.replace(tool.guards, expires_s=EXPIRES_S))


CHANGED = {"talk_to_person": _slow, "cancel_appointment": _short}
AGENT = dataclasses.replace(
    SHOP, tools=tuple(CHANGED.get(tool.name, lambda same: same)(tool) for tool in SHOP.tools)
)
