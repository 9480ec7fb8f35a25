"""`python -m tests.chaos.sfu_with_redis`: the stack's SFU, with its rooms in Redis."""

import os
from typing import Any

from stack import sfu
from stack.settings import StackSettings

REDIS_PORT = "CHAOS_REDIS_PORT"

plain = sfu.config


def with_redis(settings: StackSettings) -> dict[str, Any]:
    """The same settings, and where Redis is."""
    return {**plain(settings), "redis": {"address": f"127.0.0.1:{os.environ[REDIS_PORT]}"}}


if __name__ == "__main__":
    sfu.config = with_redis
    sfu.main()
