"""`python -m bench WHAT`: measure, print a table."""

import argparse
import sys
from functools import partial

from bench import callers, encoder, gate, post_call, record, scale, token, turns, understanding
from devstack.step import exit_code

MEASUREMENTS = {
    "callers": callers.main,
    "encoder": encoder.main,
    "gate": gate.main,
    "post-call": post_call.main,
    "record": record.main,
    "scale": scale.main,
    "token": token.main,
    "turns": turns.main,
}
UNDERSTANDING = "understanding"
"""It has arguments of its own."""


def main() -> int:
    """Returns: as `exit_code`."""
    if sys.argv[1:2] == [UNDERSTANDING]:
        return exit_code(partial(understanding.main, sys.argv[2:]))
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("what", choices=(*MEASUREMENTS, UNDERSTANDING))
    what: str = parser.parse_args().what
    return exit_code(MEASUREMENTS[what])


if __name__ == "__main__":
    sys.exit(main())
