"""Calls that nobody ends but the supervisor, and what is left of those that ended."""

import pytest

from call_record import calls, deny_list, erasure, journal, put_out
from call_record.__main__ import parser
from call_record.tables import CallState
from call_record.verification import Verdict, verify
from tests.support.calls import requested, the_call
from tests.unit.call_supervisor.world import World
from voice_contract.ids import new_call_id
from voice_contract.room import RoomState


async def ended_as(world: World, call_id: str, reason: str) -> None:
    """Check that the call is sealed for *reason*, its room closed."""
    call = await the_call(world.record, call_id)
    assert (call.state, call.end_reason) == (CallState.ENDED, reason)
    assert call_id not in world.rooms.rooms
    assert (await verify(world.record, call_id)).verdict is Verdict.INTACT


async def test_requested_call_that_nobody_joins_ends_when_nobody_can_any_more(
    world: World,
) -> None:
    """30 s to join, 60 s of the SFU's leeway, and a margin; the slot is held until then."""
    call_id = await requested(world.record)
    world.room(call_id)
    world.agents_come = False
    await world.pass_time(99)
    assert (await the_call(world.record, call_id)).state is CallState.REQUESTED
    await world.pass_time(3)
    await ended_as(world, call_id, "no-caller")


async def test_live_call_whose_caller_is_gone_ends_after_the_grace_time(world: World) -> None:
    """When its job does not say so itself."""
    call_id = await requested(world.record, "sam")
    world.room(call_id).people.add("sam")
    agent = await world.joins(call_id)
    await world.pass_time(6)
    world.room(call_id).people.discard("sam")
    await world.pass_time(34)
    assert (await the_call(world.record, call_id)).state is CallState.LIVE
    await world.pass_time(7)
    assert (await the_call(world.record, call_id)).state is CallState.ENDING
    assert world.room(call_id).state == RoomState(attempt=1, state="ending")
    # The job that is there seals it.
    await journal.seal(world.record, call_id, 1, "caller-gone")
    agent.renews = False
    await world.pass_time(11)
    await ended_as(world, call_id, "caller-gone")


async def test_caller_who_comes_back_in_time_keeps_the_call(world: World) -> None:
    """Twice."""
    call_id = await requested(world.record, "sam")
    world.room(call_id).people.add("sam")
    await world.joins(call_id)
    await world.pass_time(6)
    for _ in range(2):
        world.room(call_id).people.discard("sam")
        await world.pass_time(29)
        world.room(call_id).people.add("sam")
        await world.pass_time(6)
    assert (await the_call(world.record, call_id)).state is CallState.LIVE


@pytest.mark.parametrize("away_s", [10, 60])
async def test_sfu_away_says_nothing_of_the_caller(world: World, away_s: int) -> None:
    """The grace time begins when the SFU is back."""
    call_id = await requested(world.record, "sam")
    world.room(call_id).people.add("sam")
    await world.joins(call_id)
    await world.pass_time(6)
    world.room(call_id).people.discard("sam")
    await world.pass_time(20)
    world.rooms.away = True
    await world.pass_time(away_s)
    world.rooms.away = False
    await world.pass_time(30)
    assert (await the_call(world.record, call_id)).state is CallState.LIVE
    await world.pass_time(12)
    assert (await the_call(world.record, call_id)).state is CallState.ENDING


async def test_ending_call_with_a_dead_job_is_sealed_for_its_reason(world: World) -> None:
    """What the job could not do any more."""
    call_id = await requested(world.record, "sam")
    world.room(call_id).people.add("sam")
    agent = await world.joins(call_id)
    await world.pass_time(3)
    await calls.end(world.record, call_id, "caller")
    agent.renews = False
    await world.pass_time(1)
    assert (await the_call(world.record, call_id)).state is CallState.ENDING
    await world.pass_time(3)
    await ended_as(world, call_id, "caller")


async def test_ending_call_whose_job_takes_too_long_is_sealed(world: World) -> None:
    """It held its slot for two minutes."""
    call_id = await requested(world.record, "sam")
    await world.joins(call_id)
    await world.pass_time(1)
    await calls.end(world.record, call_id, "agent")
    await world.pass_time(118)
    assert (await the_call(world.record, call_id)).state is CallState.ENDING
    await world.pass_time(9)
    await ended_as(world, call_id, "agent")


@pytest.mark.parametrize("everywhere", [True, False], ids=["everywhere", "here"])
async def test_caller_who_was_put_out_is_removed_and_stays_out(
    world: World, everywhere: bool
) -> None:
    """The SFU would let it in again with the token that it has."""
    call_id = await requested(world.record, "sam")
    world.room(call_id).people.add("sam")
    agent = await world.joins(call_id)
    await world.pass_time(2)
    await deny_list.deny(world.record, "kim", call_id=call_id)
    await deny_list.deny(world.record, "sam", tenant="another")
    await deny_list.deny(world.record, "sam", call_id=new_call_id())
    await world.pass_time(2)
    assert (await the_call(world.record, call_id)).state is CallState.LIVE
    which = ["--caller", "sam"] if everywhere else [call_id]
    assert await put_out.run(world.record, parser().parse_args(["put-out", *which])) == 0
    await world.pass_time(0.25)
    assert "sam" not in world.room(call_id).people
    assert (await the_call(world.record, call_id)).state is CallState.ENDING
    agent.renews = False
    await world.pass_time(4)
    await ended_as(world, call_id, "put-out")
    world.room(call_id).people.add("sam")
    world.supervisor.look_at(call_id)
    await world.pass_time(4)
    assert call_id not in world.rooms.rooms


async def test_room_of_an_ended_call_is_closed_on_who_joins_it(world: World) -> None:
    """A token that is still good makes the room again; it is closed again."""
    call_id = await requested(world.record, "sam")
    await erasure.end(world.record, call_id, "caller")
    for _ in range(2):
        world.room(call_id).people.add("sam")
        world.supervisor.look_at(call_id)
        await world.pass_time(3.5)
        assert call_id not in world.rooms.rooms


async def test_room_of_a_call_that_just_ended_is_left_to_its_agent(world: World) -> None:
    """It says goodbye first."""
    call_id = await requested(world.record, "sam")
    world.room(call_id)
    await world.pass_time(5)
    await erasure.end(world.record, call_id, "caller")
    world.supervisor.look_at(call_id)
    await world.pass_time(2.5)
    assert call_id in world.rooms.rooms
    await world.pass_time(2)
    assert call_id not in world.rooms.rooms


async def test_room_of_a_call_that_the_last_look_did_not_know_is_left_alone(world: World) -> None:
    """It was admitted since."""
    call_id = await requested(world.record, "sam")
    world.room(call_id)
    for _ in range(3):
        assert await world.supervisor._endings.close(call_id, world.clock.seconds)
        world.clock.seconds += 10
    assert call_id in world.rooms.rooms


async def test_room_that_is_no_calls_is_left_alone(world: World) -> None:
    """Others may use the SFU too; a webhook about it changes nothing."""
    for name in (new_call_id(), "meeting", "../etc"):
        world.room(name).people.add("somebody")
        world.supervisor.look_at(name)
    await world.pass_time(20)
    assert len(world.rooms.rooms) == 3


async def test_room_of_a_call_that_goes_on_is_never_closed(world: World) -> None:
    """Whatever webhooks say."""
    call_id = await requested(world.record, "sam")
    world.room(call_id).people.add("sam")
    await world.joins(call_id)
    for _ in range(20):
        world.supervisor.look_at(call_id)
        await world.pass_time(1)
    assert "delete" not in world.rooms.asked


async def test_page_is_told_again_when_the_sfu_forgot(world: World) -> None:
    """A restarted SFU has no metadata."""
    call_id = await requested(world.record, "sam")
    world.room(call_id).people.add("sam")
    await world.joins(call_id)
    await world.pass_time(1)
    world.room(call_id).state = None
    await world.pass_time(6)
    assert world.room(call_id).state == RoomState(attempt=1, state="live")


@pytest.mark.parametrize("asked", [10, 5_000])
async def test_webhooks_are_bounded_between_two_looks(world: World, asked: int) -> None:
    """However many come."""
    for number in range(asked):
        world.supervisor.look_at(f"room-{number}")
    assert len(world.supervisor._asked) == min(asked, 1_000)
