"""`python -m agent_worker [describe | parse | rehearse]`"""

import asyncio
import sys

from agent_worker import commands
from agent_worker.agent import AgentError
from agent_worker.livekit_compat import LogFilter
from agent_worker.settings import WorkerSettings
from agent_worker.worker import Worker
from service_base import logs
from service_base.settings import load_or_exit, or_exit


def main() -> None:
    """Work until SIGTERM; or do what an author wants."""
    if len(sys.argv) > 1:
        sys.exit(commands.run(sys.argv[1:]))
    settings = load_or_exit(WorkerSettings)
    logs.configure("agent-worker", level=settings.log_level, filters=[LogFilter()])
    try:
        with or_exit():
            asyncio.run(Worker(settings).run())
    except AgentError as error:
        print(f"The agent cannot be loaded: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
