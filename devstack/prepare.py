"""
`python -m devstack.prepare STEP ...`: install or build what is not in the repository.

`sfu`: livekit-server. `web`: the web client's packages and its build. `chromium`, `postgres`,
`redis`: the browser and the servers of the tests. What is there already is left alone.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from devstack import checks, chromium, livekit_server, postgres, redis, web_client
from devstack.settings import StackSettings
from devstack.step import exit_code
from service_base.settings import SettingsError, load

CONTRACT = Path("voice_contract")
"""The page's message types are generated from it."""


def _sfu() -> None:
    try:
        chosen = None if checks.env_file_problems(checks.ENV_FILE) else load(StackSettings)
    except SettingsError:
        chosen = None
    # The tests need the program too, whatever .env says.
    livekit_server.get(chosen.sfu_binary if chosen else None)


STEPS: dict[str, Callable[[], None]] = {
    "sfu": _sfu,
    "web": lambda: web_client.build(web_client.WEB, also=[CONTRACT]),
    "chromium": chromium.get,
    "postgres": postgres.get,
    "redis": redis.get,
}


def main(names: list[str]) -> int:
    """Returns: as `exit_code`, or 2 for a step that does not exist."""
    if unknown := [name for name in names if name not in STEPS]:
        print(f"No such step: {', '.join(unknown)}. There are: {', '.join(STEPS)}.")
        return 2

    def take_steps() -> None:
        for name in names:
            STEPS[name]()

    return exit_code(take_steps)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
