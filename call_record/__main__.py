"""`python -m call_record show | verify | export | erase | retention | put-out | migrate | users`"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from call_record import calls, commands, keys, put_out, users
from call_record.commands import UNUSABLE, Command
from call_record.database import DATABASE_DOWN, what_is_wrong
from call_record.keys import UnknownKey
from call_record.prepare import prepare, refuse_missing_file
from call_record.record import Record, open_record
from call_record.settings import RecordSettings
from call_record.show import plain
from service_base.command_line import parse
from service_base.settings import SettingsError, load_or_exit

EXIT_CODES = """exit codes: 0 done; 1 a journal is broken; 2 bad arguments, settings or database;
3 no such call; 4 the call is in progress"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(
        allow_abbrev=False,
        prog="python -m call_record",
        description="The record of calls.",
        epilog=EXIT_CODES,
    )
    subs = root.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return subs.add_parser(
            name, help=text, description=text, epilog=EXIT_CODES, allow_abbrev=False
        )

    def of_calls(name: str, text: str) -> argparse.ArgumentParser:
        added = command(name, text)
        which = added.add_mutually_exclusive_group(required=True)
        which.add_argument("call_id", nargs="?", help="the call's id")
        which.add_argument("--caller", help="all calls of this caller")
        added.add_argument(
            "--tenant", metavar="T", help="with --caller: the caller's tenant, if it has one"
        )
        return added

    shown = of_calls("show", "Print what was said and done.")
    shown.add_argument("--all", action="store_true", help="every entry, as stored")
    verified = of_calls("verify", "Check that a journal is as it was written.")
    verified.add_argument(
        "--expect-mac",
        type=_mac,
        metavar="HEX",
        help="a MAC that was exported: fails when the journal's end was cut off since",
    )
    of_calls("export", "Print the entries as JSON lines, the last MAC in the last one.")
    erased = of_calls("erase", "Erase what was said and done; the chain still verifies.")
    erased.add_argument("--why", type=_why, required=True, help="kept for good: no personal data")
    erased.add_argument("--end", action="store_true", help="end a call in progress first")
    retained = command("retention", "Remove old calls; a tombstone is left of each.")
    retained.add_argument("--days", type=_days, required=True, help="age of the ended calls")
    retained.add_argument("--why", type=_why, default="retention")
    put_out.add_arguments(
        command("put-out", "Keep a caller out of a call or of every call; list those callers.")
    )
    command("migrate", "Make or update the tables; make the journals' key if there is none.")
    made = command("users", "Give each service a PostgreSQL user with the rights that it needs.")
    made.add_argument(
        "--passwords",
        type=Path,
        metavar="FOLDER",
        help="set their passwords from FOLDER/<service>/pgpass; else they stay as they are",
    )
    return root


def _why(text: str) -> str:
    if not 0 < len(text.strip()) <= 200:
        raise argparse.ArgumentTypeError("expected 1 to 200 characters")
    return text.strip()


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1
    if not 0 <= days <= 36_500:
        raise argparse.ArgumentTypeError("expected a number of days, a hundred years at most")
    return days


def _mac(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise argparse.ArgumentTypeError("expected the hexadecimal MAC of an export") from None


async def run(arguments: argparse.Namespace, settings: RecordSettings) -> int:
    """
    Do what *arguments* say.

    Returns: the exit code.
    """
    if arguments.command == "migrate":
        keys.ensure(settings.journal_keys_file)
        await prepare(settings.database_url)
        print("The tables and the journals' key are ready.")
        return commands.DONE
    if arguments.command == "users":
        print(f"Ready: {', '.join(await users.grant(settings.database_url, arguments.passwords))}.")
        return commands.DONE
    refuse_missing_file(settings.database_url)
    record = open_record(settings, connections=1)
    try:
        if arguments.command == "retention":
            return await commands.retain(record, arguments.days, arguments.why)
        if arguments.command == "put-out":
            return await put_out.run(record, arguments)
        if arguments.tenant and arguments.caller is None:
            print("--tenant belongs to --caller; a call knows its tenant.", file=sys.stderr)
            return UNUSABLE
        call_ids = await _call_ids(record, arguments)
        return await commands.for_each(record, call_ids, _command(arguments))
    finally:
        await record.close()


async def _call_ids(record: Record, arguments: argparse.Namespace) -> list[str]:
    if arguments.caller is None:
        return [arguments.call_id]
    known = await calls.of_caller(record, arguments.caller)
    found = [call.call_id for call in known if call.tenant == arguments.tenant]
    if not found:
        others = ", ".join(sorted({call.tenant or "none" for call in known}))
        hint = f" All of that name are of tenant {others}: see --tenant." if others else ""
        print(plain(f"There is no call of {arguments.caller}.{hint}"), file=sys.stderr)
    return found


def _command(arguments: argparse.Namespace) -> Command:
    match arguments.command:
        case "show":
            return commands.show_call(every_entry=arguments.all)
        case "verify":
            return commands.verify_call(expect_mac=arguments.expect_mac)
        case "export":
            return commands.export_call
        case _:
            return commands.erase_call(why=arguments.why, end=arguments.end)


def main() -> int:
    """Returns: the exit code."""
    arguments = parse(parser())
    settings = load_or_exit(RecordSettings)
    try:
        return asyncio.run(run(arguments, settings))
    except (SettingsError, UnknownKey) as error:
        print(error.args[0], file=sys.stderr)
    except DATABASE_DOWN as error:
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return commands.DONE
        print(f"PARLEY_DATABASE_URL: {what_is_wrong(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
