"""A job's claim on its call, on a real record."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from agent_worker import claim as claiming
from agent_worker.claim import CallClaim, NotClaimed, claim_call
from agent_worker.metrics import Metrics
from agent_worker.settings import WorkerSettings
from call_record import lease
from call_record.record import Record
from call_record.tables import CallState
from call_record.verification import Verdict, verify
from call_record.writer import JournalWriter
from service_base.settings import load
from tests.support.calls import fence, requested, the_call
from voice_contract.dispatch import DispatchMetadata
from voice_contract.ids import new_call_id
from voice_contract.journal import UserTurn

ClaimIt = Callable[[str], AbstractAsyncContextManager[CallClaim]]


@pytest.fixture
def claim_it(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClaimIt:
    """Claims the call of that id, as a job does, and renews oftener."""
    monkeypatch.setattr(lease, "EVERY_S", 0.05)
    settings = load(
        WorkerSettings,
        database_url=database_url,
        journal_keys_file=tmp_path / "journal-keys.yaml",
        _env_file=None,
    )

    def claim_one(call_id: str) -> AbstractAsyncContextManager[CallClaim]:
        dispatch = DispatchMetadata(call_id=call_id, attempt=1, caller="caller-1")
        return claim_call(
            settings, dispatch, owner="worker/job", worker_id="worker", metrics=Metrics(None)
        )

    return claim_one


async def test_claim_renews_and_seals(record: Record, claim_it: ClaimIt) -> None:
    """From the claim to the end: the call is live, then ended, and its journal is intact."""
    call_id = await requested(record)
    async with claim_it(call_id) as claim:
        assert (await the_call(record, call_id)).state is CallState.LIVE
        assert claim.may_act()
        claim.keep()
        claim.keep()
        async with asyncio.timeout(15):
            while (await the_call(record, call_id)).renewals < 2:
                await asyncio.sleep(0.05)
        claim.journal.write(UserTurn(text="Hello"))
        assert await claim.seal("caller")
        assert await claim.seal("caller")
        assert not claim.may_act()
    call = await the_call(record, call_id)
    assert (call.state, call.end_reason) == (CallState.ENDED, "caller")
    assert (await verify(record, call_id)).verdict is Verdict.INTACT


async def test_claim_of_a_call_that_is_given_to_another_is_lost(
    record: Record, claim_it: ClaimIt
) -> None:
    """At its next renewal the job knows, and does nothing more."""
    call_id = await requested(record)
    async with claim_it(call_id) as claim:
        seen = (await the_call(record, call_id)).seen
        assert await fence(record, call_id, seen)
        claim.keep()
        assert await asyncio.wait_for(claim.lost(), 15) == "stale"
        assert not claim.may_act()
        assert not await claim.seal("caller")
    assert (await the_call(record, call_id)).state is CallState.LIVE


async def test_renewal_after_the_seal_logs_nothing_and_one_of_a_lost_call_a_warning(
    record: Record, claim_it: ClaimIt
) -> None:
    """A job expects its lease to end with a call that it ended itself, and not otherwise."""
    with capture_logs() as lines:
        async with claim_it(await requested(record)) as claim:
            assert await claim.seal("caller")
            await claim.lease.renew()
            assert claim.lease.lost.is_set()
        assert lines == []
        call_id = await requested(record, "caller-2")
        async with claim_it(call_id) as claim:
            seen = (await the_call(record, call_id)).seen
            assert await fence(record, call_id, seen)
            await claim.lease.renew()
    assert [(line["event"], line["log_level"]) for line in lines] == [("lease.lost", "warning")]


async def test_claim_without_the_record_is_kept_for_a_while(
    record: Record, claim_it: ClaimIt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that cannot renew goes on talking for a time; effects stop much sooner."""
    monkeypatch.setattr(claiming, "TALK_WITHOUT_RECORD_S", 0.0)
    call_id = await requested(record)
    async with claim_it(call_id) as claim:
        claim.keep()
        assert await asyncio.wait_for(claim.lost(), 5) == "record-unavailable"


async def test_claim_that_let_go_renews_no_more(record: Record, claim_it: ClaimIt) -> None:
    """So that another agent is sent; it may take up renewing again when its room is back."""
    call_id = await requested(record)
    async with claim_it(call_id) as claim:
        claim.keep()
        claim.let_go()
        before = (await the_call(record, call_id)).renewals
        await asyncio.sleep(0.2)
        assert (await the_call(record, call_id)).renewals == before


async def test_job_that_cannot_write_renews_over_its_own_connection(
    record: Record, claim_it: ClaimIt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept alive by its worker's, it would talk on without a journal and do nothing."""
    proved: list[int] = []
    async with claim_it(await requested(record)) as claim:
        monkeypatch.setattr(claim, "_renewals", SimpleNamespace(prove=_listens(proved), close=bool))
        assert claim._prove()
        monkeypatch.setattr(JournalWriter, "healthy", False)
        assert not claim._prove()
    assert proved == [1]


def _listens(proved: list[int]) -> Callable[[], bool]:
    def prove() -> bool:
        proved.append(1)
        return True

    return prove


async def test_claim_of_an_unknown_call_is_refused(record: Record, claim_it: ClaimIt) -> None:
    """A job whose call is not in the record says nothing in the room."""
    with pytest.raises(NotClaimed) as refused:
        async with claim_it(new_call_id()):
            pass
    assert refused.value.reason == "stale"


async def test_claim_without_a_record_is_refused_in_time(
    record: Record, claim_it: ClaimIt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor sends another agent then; this one must not come late."""
    monkeypatch.setattr(claiming, "CLAIM_WITHIN_S", 0.5)
    settings = load(
        WorkerSettings,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/none/parley.db",
        journal_keys_file=tmp_path / "journal-keys.yaml",
        _env_file=None,
    )
    dispatch = DispatchMetadata(call_id=new_call_id(), attempt=1, caller="caller-1")
    with pytest.raises(NotClaimed) as refused:
        async with claim_call(
            settings, dispatch, owner="worker/job", worker_id="worker", metrics=Metrics(None)
        ):
            pass
    assert refused.value.reason == "record-unavailable"
