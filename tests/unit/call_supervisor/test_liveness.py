"""What a supervisor concludes from what it saw."""

import pytest

from call_record.snapshot import OpenCall
from call_record.tables import CallState
from call_record.workers import Worker
from call_supervisor.liveness import Liveness, Need
from call_supervisor.timeouts import Timeouts

TIMES = Timeouts()


def a_call(
    *, owner: str | None = "job", renewals: int = 5, attempt: int = 1, worker: str | None = "w"
) -> OpenCall:
    """A live call as it was read."""
    return OpenCall(
        call_id="c",
        state=CallState.LIVE,
        attempt=attempt,
        owner=owner,
        worker_id=worker,
        renewals=renewals,
        caller="sam",
        tenant=None,
        joined_at_ms=0,
    )


def a_worker(presence: int = 1, *, name: str = "w", draining: bool = False) -> Worker:
    """A worker as it was read, with room for two calls."""
    return Worker(name, 2, presence, draining, gone=False, deployment=name, suspect=False)


class Looks:
    """A watch that looks four times a second, at calls and workers that may change."""

    def __init__(self) -> None:
        self.liveness = Liveness(TIMES)
        self.now_s = 100.0
        self.presence = 0
        self.workers = ["w"]

    def until(self, seconds: float, *calls: OpenCall, workers_live: bool = True) -> None:
        """Look for so long."""
        for _ in range(round(seconds / 0.25)):
            self.now_s += 0.25
            self.presence += workers_live
            found = [a_worker(self.presence, name=name) for name in self.workers]
            self.liveness.look(self.now_s, self.now_s + 0.01, calls, found)


def test_watch_job_standing_still_for_2_5_s_is_dead() -> None:
    """Not earlier."""
    looks, call = Looks(), a_call()
    looks.until(2.5, call)
    assert looks.liveness.need(call) is None
    looks.until(0.5, call)
    assert looks.liveness.need(call) is Need.STILL


def test_watch_job_that_renews_is_never_dead() -> None:
    """However long the call lasts."""
    looks = Looks()
    for renewals in range(2, 40):
        call = a_call(renewals=renewals)
        looks.until(1, call)
        assert looks.liveness.need(call) is None


def test_watch_job_that_starts_has_8_s() -> None:
    """Loading models may hold it up."""
    looks, call = Looks(), a_call(renewals=1)
    looks.until(7.75, call)
    assert looks.liveness.need(call) is None
    looks.until(0.75, call)
    assert looks.liveness.need(call) is Need.STILL


def test_watch_job_that_starts_on_a_worker_that_is_silent_is_dead_sooner() -> None:
    """The worker took it along."""
    looks, call = Looks(), a_call(renewals=1)
    looks.until(3, call, workers_live=False)
    assert [worker.worker_id for worker in looks.liveness.silent_workers] == ["w"]
    assert looks.liveness.need(call) is Need.STILL


def test_watch_claim_given_back_needs_an_agent_at_once() -> None:
    """The worker knows that its job died."""
    looks, call = Looks(), a_call(owner=None, renewals=7)
    looks.until(0.25, call)
    assert looks.liveness.need(call) is Need.GIVEN_BACK


def test_watch_attempt_that_nobody_claims_is_lost_after_3_2_s() -> None:
    """So long a stalled worker may hold the request."""
    looks, call = Looks(), a_call(owner=None, renewals=0)
    looks.until(3, call)
    assert looks.liveness.need(call) is None
    looks.until(0.75, call)
    assert looks.liveness.need(call) is Need.UNCLAIMED


@pytest.mark.parametrize("worker", ["v", None])
def test_watch_attempt_without_a_worker_that_is_there_is_lost_at_once(worker: str | None) -> None:
    """Nobody will claim it: the chosen worker has gone, or none had a free slot."""
    looks, call = Looks(), a_call(owner=None, renewals=0, worker=worker)
    looks.until(0.25, call)
    assert looks.liveness.need(call) is Need.UNCLAIMED


def test_watch_attempt_for_a_worker_that_falls_silent_is_lost_with_it() -> None:
    """It is not waited for any longer than a worker is."""
    looks, call = Looks(), a_call(owner=None, renewals=0)
    looks.until(3, call, workers_live=False)
    assert looks.liveness.need(call) is Need.UNCLAIMED


def test_watch_that_was_asleep_for_a_second_starts_over() -> None:
    """Everybody may have been: nobody is called dead for it."""
    looks, call = Looks(), a_call()
    looks.until(2.5, call)
    looks.now_s += 5
    looks.until(2.5, call)
    assert looks.liveness.need(call) is None
    assert looks.liveness.silent_workers == []
    looks.until(0.5, call)
    assert looks.liveness.need(call) is Need.STILL


def test_watch_that_was_told_that_the_record_was_away_starts_over() -> None:
    """Jobs could not renew either."""
    looks, call = Looks(), a_call()
    looks.until(2.75, call)
    looks.liveness.start_over()
    looks.until(2.5, call)
    assert looks.liveness.need(call) is None


def test_watch_slow_answers_count_against_death() -> None:
    """Only the time between an answer and the next question is surely without a renewal."""
    liveness, call = Liveness(TIMES), a_call()
    for look in range(4):
        liveness.look(look * 0.95, look * 0.95 + 0.9, [call], [])
    assert liveness.need(call) is None
    liveness.look(3.8, 4.7, [call], [])
    assert liveness.need(call) is Need.STILL


@pytest.mark.parametrize("changed", [{"attempt": 2}, {"owner": "other"}, {"renewals": 6}])
def test_watch_any_change_is_a_sign_of_life(changed: dict[str, object]) -> None:
    """Attempt, owner, renewals."""
    looks, call = Looks(), a_call()
    looks.until(3, call)
    moved = call._replace(**changed)  # type: ignore[arg-type]
    looks.until(0.25, moved)
    assert looks.liveness.need(moved) is None


def test_watch_counts_slots_that_workers_have_free() -> None:
    """Those of draining and silent workers are none."""
    liveness = Liveness(TIMES)
    found = [a_worker(), a_worker(name="v"), a_worker(name="drains", draining=True)]
    waiting = a_call(owner=None, renewals=0, worker=None)._replace(call_id="d")
    liveness.look(1.0, 1.0, [a_call(), waiting], found)
    assert liveness.free_slots == 3


def test_watch_call_may_have_its_own_slot_again() -> None:
    """A worker that is full of calls, this one among them, can be sent another agent for it."""
    liveness, call = Liveness(TIMES), a_call()
    other = call._replace(call_id="d")
    elsewhere = call._replace(call_id="e", worker_id=None)
    liveness.look(1.0, 1.0, [call, other, elsewhere], [a_worker()])
    assert liveness.free_slots == 0
    assert liveness.has_slot_for(call)
    assert not liveness.has_slot_for(elsewhere)
