"""`python -m bench WHAT`: measure, print a table."""

import argparse
import sys

from bench import encoder, gate, post_call, record, token, turns
from devstack.step import exit_code

MEASUREMENTS = {
    "encoder": encoder.main,
    "gate": gate.main,
    "post-call": post_call.main,
    "record": record.main,
    "token": token.main,
    "turns": turns.main,
}


def main() -> int:
    """Returns: as `exit_code`."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("what", choices=MEASUREMENTS)
    what: str = parser.parse_args().what
    return exit_code(MEASUREMENTS[what])


if __name__ == "__main__":
    sys.exit(main())
