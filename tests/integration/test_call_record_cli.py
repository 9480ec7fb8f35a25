"""`python -m call_record` as an operator runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from call_record import calls, deny_list, erasure, journal
from call_record.__main__ import parser, run
from call_record.record import Record
from call_record.settings import RecordSettings
from service_base.settings import load
from tests.support.calls import live
from tests.support.local_stack import ROOT
from voice_contract.journal import UserTurn


class Cli:
    """The command in this process, as its `main` runs it."""

    def __init__(self, url: str, folder: Path, output: pytest.CaptureFixture[str]) -> None:
        keys_file = folder / "journal-keys.yaml"
        self.settings = load(
            RecordSettings, database_url=url, journal_keys_file=keys_file, _env_file=None
        )
        self.output = output

    async def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Returns: exit code, stdout, stderr."""
        code = await run(parser().parse_args(arguments), self.settings)
        return code, *self.output.readouterr()


@pytest.fixture
def cli(database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(database_url, tmp_path, capsys)


def process(
    folder: Path, *arguments: str, module: str = "call_record", **settings: str
) -> tuple[int, str]:
    """The command in a process of its own. Returns: exit code and output."""
    variables = {name: value for name, value in os.environ.items() if name[:7] != "PARLEY_"}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**variables, "PYTHONPATH": str(ROOT), "PARLEY_RUN_DIR": str(folder), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout


async def two_calls(record: Record) -> tuple[str, str]:
    """An ended call and one in progress, both of sam."""
    ended, going_on = await live(record, "sam"), await live(record, "kim")
    await journal.append(record, ended, 1, [UserTurn(text="Where is order seven?")])
    await erasure.end(record, ended, "caller")
    return ended, going_on


async def test_operator_puts_a_caller_out_and_lets_it_in_again(cli: Cli, record: Record) -> None:
    """From the command line to what the door and the supervisor read."""
    _, going_on = await two_calls(record)
    assert (await cli("put-out", going_on))[0] == 0
    assert await deny_list.denied(record, "kim", None, going_on)
    code, out, _ = await cli("put-out", "--list")
    assert code == 0 and out.startswith(f"kim  call {going_on}  until ")
    assert (await cli("put-out", going_on, "--undo"))[0] == 0
    assert not await deny_list.denied(record, "kim", None, going_on)


async def test_operator_shows_verifies_exports_erases_and_removes(cli: Cli, record: Record) -> None:
    """One call's whole life after its end, each step with its exit code."""
    ended, going_on = await two_calls(record)
    code, out, _ = await cli("show", ended)
    assert code == 0 and "caller: Where is order seven?" in out
    code, out, _ = await cli("show", "--all", "--caller", "kim")
    assert code == 0 and "call.claimed" in out
    code, out, _ = await cli("export", ended)
    last = json.loads(out.splitlines()[-1])
    assert code == 0 and last["last_seq"] == len(out.splitlines()) - 1 == 5
    code, out, _ = await cli("verify", ended, "--expect-mac", last["last_mac"])
    assert code == 0 and f"intact, 5 entries, last MAC {last['last_mac']}" in out

    code, _, err = await cli("erase", going_on, "--why", "asked")
    assert code == 4 and "in progress" in err
    code, _, _ = await cli("erase", "--caller", "kim", "--why", "asked", "--end")
    assert code == 0
    code, out, _ = await cli("verify", going_on)
    assert code == 0 and "4 of 4 entries erased (asked)" in out
    code, _, err = await cli("show", "--caller", "kim")
    assert code == 3 and "no call of kim" in err

    async with record.database.writing() as connection:
        await connection.exec_driver_sql(
            "UPDATE journal SET body = '{}' WHERE seq = 3 AND body IS NOT NULL"
        )
    code, out, _ = await cli("verify", ended)
    assert code == 1 and "BROKEN at entry 3" in out

    code, out, _ = await cli("retention", "--days", "0")
    assert code == 0 and out.startswith("2 calls removed")
    assert await calls.read(record, ended) is None
    code, out, _ = await cli("show", ended)
    assert code == 0 and "removed (retention)" in out


def test_operator_without_a_database_is_told(tmp_path: Path) -> None:
    """A sentence and exit code 2; nothing is made by looking."""
    code, output = process(tmp_path, "show", "x")
    assert (code, list(tmp_path.iterdir())) == (2, []) and "there is no database" in output
    assert process(tmp_path, "migrate")[0] == 0
    assert process(tmp_path, "verify", "x") == (3, "x: there is no such call\n")
    away = "postgresql+asyncpg://x@127.0.0.1:1/x"
    code, output = process(tmp_path, "show", "x", PARLEY_DATABASE_URL=away)
    assert code == 2 and output.startswith("PARLEY_DATABASE_URL: ") and output.count("\n") == 1
    assert "Connect call failed" in output and "migrate" not in output


@pytest.mark.parametrize("module", ["call_record", "post_call"])
def test_operator_with_an_argument_that_is_no_text_is_told(tmp_path: Path, module: str) -> None:
    """Bytes that are not UTF-8, as a terminal with another encoding sends them."""
    command = "show" if module == "call_record" else "retry"
    code, output = process(tmp_path, command, "caf\udce9", module=module)
    assert code == 2 and output.endswith("error: an argument is not UTF-8 text\n")
    assert "Traceback" not in output


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["show"],
        ["show", "x", "--caller", "y"],
        ["erase", "x"],
        ["erase", "x", "--why", " "],
        ["verify", "x", "--expect-mac", "hello"],
        ["retention"],
        ["retention", "--days", "-1"],
    ],
    ids=" ".join,
)
def test_operator_with_a_wrong_command_is_told(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is opened."""
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err
