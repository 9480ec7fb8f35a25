"""`python -m call_record put-out`: keep a caller out of a call or of all; list those callers."""

import argparse
import re
import shlex
import sys
from datetime import UTC, datetime

from call_record import calls, deny_list
from call_record.calls import Call
from call_record.commands import DONE, MISSING, UNUSABLE
from call_record.deny_list import UNTIL_UNDONE_MS, DenyEntry
from call_record.record import Record
from call_record.show import plain
from call_record.tables import CallState
from voice_contract.limits import DENY_S
from voice_contract.tokens import CALLER_NAME

UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LONGEST_S = 3_660 * UNITS_S["d"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What follows `put-out`."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("call_id", nargs="?", help="put the caller of this call out of it")
    which.add_argument(
        "--caller", type=_name, metavar="ID", help="put this caller out of every call"
    )
    which.add_argument("--list", action="store_true", help="print who is put out now")
    parser.add_argument(
        "--tenant", type=_name, metavar="T", help="the caller's tenant, if it has one"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--for",
        dest="for_s",
        type=duration_s,
        metavar="DURATION",
        help="such as 30m, 2h or 7d; default: 12 minutes for a call, by when every token for it "
        "is dead; until undone for a caller",
    )
    how.add_argument("--undo", action="store_true", help="let the caller in again")


def _name(text: str) -> str:
    if not CALLER_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            "expected 1 to 128 visible ASCII characters, none of them #, as every caller's name"
        )
    return text


def duration_s(text: str) -> float:
    """Seconds of `90s`, `30m`, `2h` or `7d`."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text.strip())
    seconds = int(found[1]) * UNITS_S[found[2]] if found else 0
    if not 0 < seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError("expected a time such as 30m, 2h or 7d, ten years at most")
    return seconds


async def run(record: Record, arguments: argparse.Namespace) -> int:
    """Do what *arguments* say. Returns: the exit code."""
    if arguments.list:
        if arguments.tenant or arguments.for_s or arguments.undo:
            return _wrong("--list takes no other option.")
        return await _list(record)
    if arguments.caller is not None:
        return await _caller(record, arguments)
    if arguments.tenant:
        return _wrong("--tenant belongs to --caller; a call knows its tenant.")
    return await _call(record, arguments)


async def _call(record: Record, arguments: argparse.Namespace) -> int:
    call = await calls.read(record, arguments.call_id)
    if call is None:
        print(f"There is no call {plain(arguments.call_id)}.", file=sys.stderr)
        return MISSING
    if arguments.undo:
        return await _let_in(record, call)
    if call.state is CallState.ENDED or call.caller is None:
        return _wrong(
            f"Call {call.call_id} has ended. "
            "To keep its caller out of other calls use --caller ID; `show` prints the id."
        )
    for_s = arguments.for_s or DENY_S
    entry = await deny_list.deny(
        record, call.caller, tenant=call.tenant, call_id=call.call_id, for_s=for_s
    )
    print(plain(f"{_who(entry)} is put out of call {call.call_id} {_until(entry)}."))
    _note_if_kept(record, entry, for_s)
    print("The call supervisor ends the call now.")
    return DONE


async def _let_in(record: Record, call: Call) -> int:
    caller = call.caller or ""
    lifted = await deny_list.allow(record, caller, tenant=call.tenant, call_id=call.call_id)
    if not lifted and await deny_list.denied(record, caller, call.tenant, call.call_id):
        tenant = ["--tenant", call.tenant] if call.tenant else []
        options = shlex.join(["--caller", caller, *tenant, "--undo"])
        return _wrong(plain(f"{caller} is put out of every call. To undo that use {options}."))
    return _undone(caller or "The caller", lifted)


async def _caller(record: Record, arguments: argparse.Namespace) -> int:
    caller, tenant = arguments.caller, arguments.tenant
    if arguments.undo:
        return _undone(caller, await deny_list.allow(record, caller, tenant=tenant))
    entry = await deny_list.deny(record, caller, tenant=tenant, for_s=arguments.for_s)
    print(plain(f"{_who(entry)} is put out of every call {_until(entry)}."))
    if arguments.for_s:
        _note_if_kept(record, entry, arguments.for_s)
    known = await calls.of_caller(record, caller)
    going_on = [call for call in known if call.tenant == tenant and _goes_on(call)]
    if going_on:
        which = ", ".join(call.call_id for call in going_on)
        print(f"The call supervisor ends what goes on now: {which}.")
    if not known:
        _note(f"there is no call of {caller}.")
    others = sorted({call.tenant or "none" for call in known if call.tenant != tenant})
    if others and not any(call.tenant == tenant for call in known):
        _note(f"all calls of {caller} are of tenant {', '.join(others)}: see --tenant.")
    return DONE


async def _list(record: Record) -> int:
    entries = await deny_list.read_all(record)
    for entry in sorted(entries, key=lambda one: (one.caller, one.tenant or "", one.until_ms)):
        what = f"call {entry.call_id}" if entry.call_id else "every call"
        print(plain(f"{_who(entry)}  {what}  {_until(entry)}"))
    if not entries:
        print("Nobody is put out.")
    return DONE


def _undone(caller: str, lifted: list[DenyEntry]) -> int:
    if not lifted:
        return _wrong(plain(f"{caller} is not put out; --list prints who is."))
    for entry in lifted:
        what = f"call {entry.call_id}" if entry.call_id else "every call"
        print(plain(f"{_who(entry)} may join again: {what}."))
    return DONE


def _goes_on(call: Call) -> bool:
    return call.state is not CallState.ENDED


def _who(entry: DenyEntry) -> str:
    return f"{entry.caller} (tenant {entry.tenant})" if entry.tenant else entry.caller


def _until(entry: DenyEntry) -> str:
    if entry.until_ms >= UNTIL_UNDONE_MS:
        return "until undone"
    until = datetime.fromtimestamp(entry.until_ms / 1000, UTC)
    return f"until {until.isoformat(' ', 'seconds').removesuffix('+00:00')} UTC"


def _note_if_kept(record: Record, entry: DenyEntry, for_s: float) -> None:
    """Say so when *entry* is an earlier one that lasts longer than was asked for now."""
    if entry.until_ms > record.clock.now_ms() + round(for_s * 1000):
        _note("that was so before, for longer than now asked for. To shorten it use --undo first.")


def _note(sentence: str) -> None:
    print(plain(f"Note: {sentence}"), file=sys.stderr)


def _wrong(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return UNUSABLE
