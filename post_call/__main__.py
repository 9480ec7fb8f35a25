"""`python -m post_call`: do the work after calls, until SIGTERM; or retry or skip parked steps."""

import argparse
import asyncio
import sys

from call_record.database import DATABASE_DOWN, what_is_wrong
from call_record.prepare import prepare, refuse_missing_file
from post_call import commands, executor_id
from post_call.settings import PostCallSettings
from service_base import logs
from service_base.command_line import parse
from service_base.serve import serve
from service_base.settings import load_or_exit, or_exit

EXIT_CODES = """exit codes: 0 done; 2 bad arguments, settings or database; 3 no such step is
parked"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(
        allow_abbrev=False,
        prog="python -m post_call",
        description="The work after calls. Without a command: do it, until SIGTERM.",
        epilog=EXIT_CODES,
    )
    subs = root.add_subparsers(dest="command")
    listed = subs.add_parser(
        "list", help="print the steps that are not settled", allow_abbrev=False
    )
    listed.add_argument(
        "--failed",
        action="store_true",
        help="only parked ones: given up until you retry or skip them",
    )
    for name, text in (
        ("retry", "try parked steps again"),
        ("skip", "leave parked steps undone for good"),
    ):
        command = subs.add_parser(name, help=text, epilog=EXIT_CODES, allow_abbrev=False)
        command.add_argument("call_id")
        command.add_argument("step", nargs="?", help="as `list` shows it; left out: all of them")
    return root


def main() -> int:
    """Returns: the exit code."""
    arguments = parse(parser())
    settings = load_or_exit(PostCallSettings)
    if arguments.command is None:
        _serve(settings)
        return commands.DONE
    try:
        with or_exit():
            refuse_missing_file(settings.database_url)
        return asyncio.run(_run(arguments, settings))
    except DATABASE_DOWN as error:
        print(f"PARLEY_DATABASE_URL: {what_is_wrong(error)}", file=sys.stderr)
        return commands.UNUSABLE


def _serve(settings: PostCallSettings) -> None:
    # DBOS takes a second to import, which commands should not.
    from post_call.app import build

    logs.configure("post-call", level=settings.log_level)
    with or_exit():
        asyncio.run(prepare(settings.database_url))
        app = build(settings, executor_id.take(settings.run_dir, settings.post_call_executor_id))
    serve(app, settings.post_call_host, settings.post_call_port)


async def _run(arguments: argparse.Namespace, settings: PostCallSettings) -> int:
    record = commands.open_record(settings)
    try:
        if arguments.command == "list":
            return await commands.show(record, failed=arguments.failed)
        command = commands.retry if arguments.command == "retry" else commands.skip
        return await command(record, arguments.call_id, arguments.step)
    finally:
        await record.close()


if __name__ == "__main__":
    sys.exit(main())
