"""`python -m bench WHAT`: measure, print a table."""

import argparse
import sys

from bench import gate, post_call, record, token
from devstack.step import StepError

MEASUREMENTS = {
    "gate": gate.main,
    "post-call": post_call.main,
    "record": record.main,
    "token": token.main,
}


def main() -> int:
    """Returns: 0, or 1 when a measurement could not be made."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("what", choices=MEASUREMENTS)
    what: str = parser.parse_args().what
    try:
        MEASUREMENTS[what]()
    except StepError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
