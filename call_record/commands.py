"""What `python -m call_record` does. Each command prints, and returns its exit code."""

import sys
import time
from collections.abc import Awaitable, Callable, Sequence

from call_record import calls, erasure, export, journal, show
from call_record.erasure import Erasure
from call_record.follow_up import Step, StepState
from call_record.record import Record
from call_record.verification import Finding, Verdict, collect, verify

DONE = 0
BROKEN = 1
"""A journal is not as it was written."""
UNUSABLE = 2
"""Bad arguments, settings or database."""
MISSING = 3
"""No such call."""
IN_PROGRESS = 4
"""The call is not ended."""

Command = Callable[[Record, str], Awaitable[int]]


async def for_each(record: Record, call_ids: Sequence[str], command: Command) -> int:
    """Do *command* for every call. Returns: the highest exit code."""
    codes = [await command(record, call_id) for call_id in call_ids]
    return max(codes, default=MISSING)


def show_call(*, every_entry: bool) -> Command:
    """Print the conversation, or every entry."""

    async def command(record: Record, call_id: str) -> int:
        call = await calls.read(record, call_id)
        if call is None:
            return await _tombstone(record, call_id)
        recorded = await journal.read(record, call_id)
        print(show.heading(call))
        lines = show.every_entry(recorded) if every_entry else show.conversation(call, recorded)
        for line in lines:
            print(line)
        return DONE

    return command


def verify_call(*, expect_mac: bytes | None) -> Command:
    """Say whether the journal is as it was written."""

    async def command(record: Record, call_id: str) -> int:
        finding = await verify(record, call_id, expect_mac=expect_mac)
        print(f"{call_id}: {_verdict(finding)}")
        return {Verdict.BROKEN: BROKEN, Verdict.MISSING: MISSING}.get(finding.verdict, DONE)

    return command


async def export_call(record: Record, call_id: str) -> int:
    """Print the call as JSON lines."""
    async with record.database.reading() as connection:
        evidence = await collect(connection, call_id)
    if evidence.tail is None and evidence.tombstone is None:
        return _missing(call_id)
    for line in export.lines(call_id, evidence):
        print(line)
    return DONE


def erase_call(*, why: str, end: bool) -> Command:
    """Erase what was said and done."""

    async def command(record: Record, call_id: str) -> int:
        if end:
            await erasure.end(record, call_id, "erased")
        match await erasure.erase(record, call_id, why):
            case Erasure.ERASED:
                print(f"{call_id}: erased")
                _tell(await erasure.left_outside(record, call_id))
                return DONE
            case Erasure.NOT_ENDED:
                print(
                    f"Call {call_id} is in progress; --end ends it before it is erased.",
                    file=sys.stderr,
                )
                return IN_PROGRESS
            case Erasure.MISSING:
                return await _tombstone(record, call_id)

    return command


async def retain(record: Record, days: float, why: str) -> int:
    """Remove the calls that ended more than *days* days ago."""
    before_ms = record.clock.now_ms() - round(days * 86_400_000)
    started_s = time.monotonic()
    removed = await erasure.remove_ended_before(record, before_ms, why, _tell)
    print(f"{removed} calls removed in {time.monotonic() - started_s:.1f} s")
    return DONE


async def _tombstone(record: Record, call_id: str) -> int:
    finding = await verify(record, call_id)
    if finding.verdict is Verdict.MISSING:
        return _missing(call_id)
    print(f"{call_id}: {_verdict(finding)}")
    return BROKEN if finding.verdict is Verdict.BROKEN else DONE


def _tell(left: Sequence[Step]) -> None:
    """Print what the operator must erase in other systems."""
    for one in left:
        certain = one.state is StepState.DONE
        what = f", as {one.external_id}" if one.external_id else "" if certain else ", perhaps"
        print(
            show.plain(
                f"{one.call_id}: not erased there: {one.step} was sent to {one.target}{what}"
            )
        )


def _missing(call_id: str) -> int:
    print(f"There is no call {show.plain(call_id)}.", file=sys.stderr)
    return MISSING


def _verdict(finding: Finding) -> str:
    tomb = finding.tombstone
    why = show.plain(tomb.why) if tomb else ""
    match finding.verdict:
        case Verdict.INTACT:
            return f"intact, {finding.entries} entries, last MAC {finding.last_mac.hex()}"
        case Verdict.ERASED:
            return (
                f"intact, {finding.erased} of {finding.entries} entries erased ({why}), "
                f"last MAC {finding.last_mac.hex()}"
            )
        case Verdict.REMOVED:
            return f"removed ({why}), last MAC {finding.last_mac.hex()}"
        case Verdict.BROKEN:
            where = "" if finding.seq is None else f" at entry {finding.seq}"
            return f"BROKEN{where}: {finding.problem}"
        case Verdict.MISSING:
            return "there is no such call"
