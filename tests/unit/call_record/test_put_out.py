"""`python -m call_record put-out`."""

import pytest

from call_record import calls, deny_list, erasure
from call_record.__main__ import parser
from call_record.admission import Admitted, Answer, Applicant, Refusal, admit
from call_record.deny_list import UNTIL_UNDONE_MS, DenyEntry
from call_record.put_out import run
from call_record.record import Record
from tests.support.calls import FakeClock, live
from voice_contract.ids import new_call_id
from voice_contract.limits import DENY_S

HOUR_MS = 3_600_000


class PutOut:
    """The command in this process."""

    def __init__(self, record: Record, output: pytest.CaptureFixture[str]) -> None:
        self._record = record
        self._output = output

    async def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Returns: exit code, stdout, stderr."""
        code = await run(self._record, parser().parse_args(["put-out", *arguments]))
        return code, *self._output.readouterr()


@pytest.fixture
def put_out(clocked: Record, capsys: pytest.CaptureFixture[str]) -> PutOut:
    return PutOut(clocked, capsys)


async def answer(record: Record, caller: str, tenant: str | None = None) -> Answer:
    """What the door says to a new call."""
    return await admit(record, new_call_id(), Applicant(caller, tenant))


async def test_put_out_of_a_call_keeps_its_caller_out_while_a_token_may_live(
    put_out: PutOut, clocked: Record, clock: FakeClock
) -> None:
    """The call's tenant is found by itself; other calls of the caller go on."""
    call_id = await live(clocked, "sam")
    code, out, _ = await put_out(call_id)
    assert code == 0
    assert out == (
        f"sam is put out of call {call_id} until 2025-06-15 15:35:20 UTC.\n"
        "The call supervisor ends the call now.\n"
    )
    assert await deny_list.denied(clocked, "sam", None, call_id)
    assert isinstance(await answer(clocked, "sam"), Admitted)
    clock.seconds += DENY_S
    assert not await deny_list.denied(clocked, "sam", None, call_id)


async def test_put_out_of_a_caller_holds_until_undone(
    put_out: PutOut, clocked: Record, clock: FakeClock
) -> None:
    """Its calls that go on are named, since they end; nobody else of that name is meant."""
    call_id = await live(clocked, "sam")
    code, out, err = await put_out("--caller", "sam")
    assert (code, err) == (0, "")
    assert out == (
        "sam is put out of every call until undone.\n"
        f"The call supervisor ends what goes on now: {call_id}.\n"
    )
    clock.seconds += 10 * 365 * 86_400
    assert await answer(clocked, "sam") is Refusal.NOT_ALLOWED
    assert isinstance(await answer(clocked, "sam", "shop"), Admitted)
    assert await put_out("--caller", "sam", "--undo") == (
        0,
        "sam may join again: every call.\n",
        "",
    )
    assert isinstance(await answer(clocked, "sam"), Admitted)


async def test_put_out_for_a_time_ends_by_itself(
    put_out: PutOut, clocked: Record, clock: FakeClock
) -> None:
    """To the second."""
    code, out, _ = await put_out("--caller", "kim", "--tenant", "shop", "--for", "2h")
    assert (code, out) == (
        0,
        "kim (tenant shop) is put out of every call until 2025-06-15 17:23:20 UTC.\n",
    )
    until_ms = clock.now_ms() + 2 * HOUR_MS
    assert await deny_list.read_all(clocked) == [DenyEntry("kim", "shop", None, until_ms)]
    clock.seconds += 2 * 3_600
    assert await deny_list.read_all(clocked) == []


@pytest.mark.parametrize(("first", "then"), [((), ("--for", "2h")), (("--for", "7d"), ())])
async def test_put_out_again_lets_nobody_in_earlier(
    put_out: PutOut, clocked: Record, first: tuple[str, ...], then: tuple[str, ...]
) -> None:
    """Neither a caller who is put out until undone, nor one of a call, whose default is short."""
    call_id = await live(clocked, "sam")
    who = ("--caller", "sam") if then else (call_id,)
    await put_out(*who, *first)
    before = await deny_list.read_all(clocked)
    code, out, err = await put_out(*who, *then)
    assert await deny_list.read_all(clocked) == before
    assert code == 0 and err.startswith("Note: that was so before, for longer than now asked for.")
    assert out.splitlines()[0].endswith("2025-06-22 15:23:20 UTC." if first else "until undone.")


async def test_put_out_again_for_longer_is_for_longer(
    put_out: PutOut, clocked: Record, clock: FakeClock
) -> None:
    """The time begins anew."""
    await live(clocked, "sam")
    await put_out("--caller", "sam", "--for", "2h")
    assert (await put_out("--caller", "sam", "--for", "3h"))[2] == ""
    assert [one.until_ms for one in await deny_list.read_all(clocked)] == [
        clock.now_ms() + 3 * HOUR_MS
    ]


async def test_list_says_who_is_put_out_of_what(put_out: PutOut, clocked: Record) -> None:
    """A line each, in order of their names; nothing in a name steers the terminal."""
    assert await put_out("--list") == (0, "Nobody is put out.\n", "")
    call_id = await live(clocked, "sam")
    await put_out(call_id)
    await deny_list.deny(clocked, "kim\x1b[31m", tenant="shop", for_s=None)
    assert (await put_out("--list"))[1].splitlines() == [
        "kim [31m (tenant shop)  every call  until undone",
        f"sam  call {call_id}  until 2025-06-15 15:35:20 UTC",
    ]


async def test_option_cut_short_is_refused(put_out: PutOut) -> None:
    """`--call ID` is not taken for `--caller ID`, who would be a caller that does not exist."""
    with pytest.raises(SystemExit):
        await put_out("--call", "an-id")


async def test_undo_for_one_call_of_a_caller_who_is_out_of_every_call_says_so(
    clocked: Record, put_out: PutOut
) -> None:
    """Nobody is told that a caller may join who may not."""
    call_id = await live(clocked, "sso|sam")
    await put_out("--caller", "sso|sam")
    code, _, error = await put_out(call_id, "--undo")
    assert (code, error) == (
        2,
        "sso|sam is put out of every call. To undo that use --caller 'sso|sam' --undo.\n",
    )


async def test_undo_of_a_caller_lifts_what_concerns_single_calls_too(
    put_out: PutOut, clocked: Record
) -> None:
    """Undone for one call, others stay; undone for the caller, none does."""
    one, other = await live(clocked, "sam"), await live(clocked, "sam")
    for call_id in (one, other):
        assert (await put_out(call_id))[0] == 0
    await put_out("--caller", "sam")
    assert await put_out(one, "--undo") == (0, f"sam may join again: call {one}.\n", "")
    assert len(await deny_list.read_all(clocked)) == 2
    code, out, _ = await put_out("--caller", "sam", "--undo")
    assert (code, len(out.splitlines())) == (0, 2)
    assert await deny_list.read_all(clocked) == []


async def test_put_out_says_in_a_sentence_what_is_wrong(put_out: PutOut, clocked: Record) -> None:
    """Nothing is done then."""
    call_id = await live(clocked, "sam")
    await erasure.end(clocked, call_id, "caller")
    expected = [
        ((call_id,), 2, f"Call {call_id} has ended. To keep its caller out of other calls"),
        ((new_call_id(),), 3, "There is no call "),
        ((call_id, "--undo"), 2, "sam is not put out; --list prints who is."),
        (("--caller", "sam", "--undo"), 2, "sam is not put out; --list prints who is."),
        ((call_id, "--tenant", "shop"), 2, "--tenant belongs to --caller;"),
        (("--list", "--undo"), 2, "--list takes no other option."),
    ]
    for arguments, code, sentence in expected:
        found_code, out, err = await put_out(*arguments)
        assert (found_code, out) == (code, "") and err.startswith(sentence), arguments
    assert await deny_list.read_all(clocked) == []


async def test_put_out_of_a_caller_in_the_wrong_tenant_is_noted(
    put_out: PutOut, clocked: Record
) -> None:
    """It is done as it was said: a caller may be kept out before its first call."""
    await live(clocked, "someone")
    assert isinstance(await answer(clocked, "kim", "shop"), Admitted)
    code, out, err = await put_out("--caller", "kim")
    assert (code, out) == (0, "kim is put out of every call until undone.\n")
    assert err == "Note: all calls of kim are of tenant shop: see --tenant.\n"
    assert [one.until_ms for one in await deny_list.read_all(clocked)] == [UNTIL_UNDONE_MS]
    assert len(await calls.not_ended(clocked)) == 2


@pytest.mark.parametrize("text", ["", "30", "m", "0m", "1.5h", "2 h", "9999999d", "1w", "\u0663h"])
def test_time_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With an example of one that is."""
    with pytest.raises(SystemExit) as exit_:
        parser().parse_args(["put-out", "--caller", "sam", "--for", text])
    assert exit_.value.code == 2
    assert "expected a time such as 30m, 2h or 7d" in capsys.readouterr().err


async def test_put_out_of_a_caller_who_never_called_is_noted(
    put_out: PutOut, clocked: Record
) -> None:
    """It may be a slip of the pen; it is done as it was said."""
    code, out, err = await put_out("--caller", "smaantha")
    assert (code, out) == (0, "smaantha is put out of every call until undone.\n")
    assert err == "Note: there is no call of smaantha.\n"
    assert len(await deny_list.read_all(clocked)) == 1


@pytest.mark.parametrize("name", ["", "c" * 129, "sam\n", "sam smith", "s\u00e4m", "sam#2"])
def test_name_that_can_be_nobodys_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The token service admits none; printed on one line, some could not be undone."""
    for arguments in (["--caller", name], ["--caller", "sam", "--tenant", name]):
        with pytest.raises(SystemExit) as exit_:
            parser().parse_args(["put-out", *arguments])
        assert exit_.value.code == 2
        assert "expected 1 to 128 visible ASCII characters" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1_800), ("7d", 604_800)])
def test_time_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    """Seconds, minutes, hours, days."""
    assert parser().parse_args(["put-out", "--list", "--for", text]).for_s == seconds
