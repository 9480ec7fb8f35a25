"""What the commands of our packages have in common."""

import argparse
import sys


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """
    The arguments of this process, which ends with exit code 2 when they are wrong.

    An argument that is not UTF-8 is wrong too: Python would pass it on as text that no database
    takes and no terminal prints.
    """
    try:
        "".join(sys.argv[1:]).encode()
    except UnicodeEncodeError:
        parser.error("an argument is not UTF-8 text")
    return parser.parse_args()
