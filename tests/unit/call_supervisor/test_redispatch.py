"""Each call gets its one agent back, whatever fails in between."""

import asyncio

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from call_record import calls, workers
from call_record.tables import CallState
from call_record.verification import Verdict, verify
from tests.support.calls import requested, the_call
from tests.unit.call_supervisor.world import World
from voice_contract.dispatch import DispatchMetadata
from voice_contract.names import agent_identity
from voice_contract.room import RoomState


async def conversation(world: World) -> str:
    """A call in which caller and agent are."""
    call_id = await requested(world.record, "sam", room=4)
    world.room(call_id).people.add("sam")
    await world.joins(call_id)
    await world.pass_time(3)
    return call_id


async def served_by(world: World, call_id: str, attempt: int) -> None:
    """Check that the agent of *attempt* has the call, and that no other one is in the room."""
    call = await the_call(world.record, call_id)
    assert (call.state, call.attempt, call.owner) == (CallState.LIVE, attempt, f"job-{attempt}")
    assert world.agents_in(call_id) == [agent_identity(call_id, attempt)]
    assert world.room(call_id).state == RoomState(attempt=attempt, state="live")


async def test_job_that_renews_is_left_alone(world: World) -> None:
    """And its join is noted once."""
    call_id = await conversation(world)
    await world.pass_time(60)
    await served_by(world, call_id, 1)
    assert (await the_call(world.record, call_id)).joined_at_ms is not None
    assert "dispatch" not in world.rooms.asked


async def test_job_that_stands_still_is_replaced_and_removed(world: World) -> None:
    """Fenced first, then out of the room, only then is the next one sent."""
    call_id = await conversation(world)
    world.agents[0].renews = False
    world.rooms.asked.clear()
    await world.pass_time(4)
    await served_by(world, call_id, 2)
    acts = [one for one in world.rooms.asked if one not in ("people", "all")]
    assert acts == ["show", "remove", "withdraw", "dispatch", "show"]


async def test_job_given_back_is_replaced_at_the_next_look(world: World) -> None:
    """Nobody waits 2.5 s for what is known."""
    call_id = await conversation(world)
    agent = world.agents[0]
    agent.renews = False
    assert await calls.give_back(world.record, call_id, 1, agent.owner)
    await world.pass_time(0.25)
    call = await the_call(world.record, call_id)
    assert (call.attempt, call.owner) == (2, "job-2")


async def test_dispatch_that_is_lost_is_repeated(world: World) -> None:
    """Each time as a new attempt, so that two jobs never share one."""
    call_id = await requested(world.record, "sam", room=4)
    world.room(call_id).people.add("sam")
    world.agents_come = False
    await world.pass_time(8)
    attempt = (await the_call(world.record, call_id)).attempt
    assert attempt == 3
    world.agents_come = True
    await world.pass_time(5)
    await served_by(world, call_id, 4)


async def test_worker_that_registers_late_gets_the_call(world: World) -> None:
    """The caller is told that there is nobody, and no attempt is wasted on it."""
    call_id = await requested(world.record, "sam", room=1)
    await workers.leave(world.record, "worker")
    world.room(call_id).people.add("sam")
    world.agents_come = False
    await world.pass_time(8)
    assert world.room(call_id).state == RoomState(attempt=1, state="no-agent")
    assert (await the_call(world.record, call_id)).attempt == 1
    world.agents_come = True
    await workers.register(world.record, "worker", 1)
    await world.pass_time(0.5)
    await served_by(world, call_id, 2)


@pytest.mark.parametrize("joined", [True, False], ids=["live", "requested"])
async def test_call_without_an_agent_for_too_long_ends_as_no_agent(
    world: World, joined: bool
) -> None:
    """Whether it had one before or never."""
    if joined:
        call_id = await conversation(world)
        world.agents[0].renews = False
    else:
        call_id = await requested(world.record, "sam", room=1)
        world.room(call_id).people.add("sam")
    await workers.leave(world.record, "worker")
    await world.pass_time(58)
    assert (await the_call(world.record, call_id)).state is not CallState.ENDED
    assert world.room(call_id).state is not None
    assert world.room(call_id).state == RoomState(attempt=2 if joined else 1, state="no-agent")
    while (await the_call(world.record, call_id)).state in (CallState.REQUESTED, CallState.LIVE):
        await world.pass_time(0.25)
    await world.pass_time(0.5)
    call = await the_call(world.record, call_id)
    assert (call.state, call.end_reason) == (CallState.ENDED, "no-agent")
    assert call_id not in world.rooms.rooms
    assert (await verify(world.record, call_id)).verdict is Verdict.INTACT


async def test_caller_who_is_away_gets_the_agent_when_it_is_back(world: World) -> None:
    """The dead one is fenced at once; nobody is sent to an empty room."""
    call_id = await conversation(world)
    world.agents[0].renews = False
    world.room(call_id).people.discard("sam")
    world.rooms.asked.clear()
    await world.pass_time(10)
    call = await the_call(world.record, call_id)
    assert (call.attempt, call.owner) == (2, None)
    assert "dispatch" not in world.rooms.asked
    world.room(call_id).people.add("sam")
    await world.pass_time(1.5)
    await served_by(world, call_id, 3)


async def test_caller_who_is_back_soon_gets_the_agent_soon(world: World) -> None:
    """The attempt was raised and not sent: that is known, and not waited for."""
    call_id = await conversation(world)
    world.agents[0].renews = False
    world.room(call_id).people.discard("sam")
    while (await the_call(world.record, call_id)).attempt == 1:
        await world.pass_time(0.25)
    world.room(call_id).people.add("sam")
    await world.pass_time(1.5)
    await served_by(world, call_id, 3)


async def test_record_that_can_not_be_written_makes_nobody_dead(world: World) -> None:
    """Jobs could not renew either; they get their time anew."""
    call_id = await conversation(world)
    agent = world.agents[0]
    agent.renews = False
    tried = 0

    def refuse(_: object, __: object, statement: str, *___: object) -> None:
        nonlocal tried
        if statement.startswith("UPDATE call SET attempt"):
            tried += 1
            raise OperationalError("", None, ConnectionError("read only"))

    engine = world.record.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", refuse)
    await world.pass_time(4)
    event.remove(engine, "before_cursor_execute", refuse)
    assert tried == 1
    agent.renews = True
    await world.pass_time(3)
    await served_by(world, call_id, 1)


async def test_webhook_makes_the_look_happen_now(world: World) -> None:
    """And no more than that."""
    call_id = await requested(world.record, "sam", room=4)
    await world.pass_time(0.25)
    world.room(call_id).people.add("sam")
    world.supervisor.look_at(call_id)
    await world.look()
    assert (await the_call(world.record, call_id)).joined_at_ms is not None


async def test_sfu_away_burns_no_attempt(world: World) -> None:
    """It is back, and then the call is."""
    call_id = await conversation(world)
    world.agents[0].renews = False
    world.rooms.away = True
    await world.pass_time(20)
    assert (await the_call(world.record, call_id)).attempt == 1
    world.rooms.away = False
    await world.pass_time(2)
    await served_by(world, call_id, 2)


async def test_agent_that_can_not_be_removed_keeps_the_next_one_away(world: World) -> None:
    """Two agents would be heard."""
    call_id = await conversation(world)
    world.agents[0].renews = False
    world.rooms.refuses = {"remove"}
    world.rooms.asked.clear()
    await world.pass_time(12)
    assert "dispatch" not in world.rooms.asked
    world.rooms.refuses = set()
    await world.pass_time(3)
    attempt = (await the_call(world.record, call_id)).attempt
    await served_by(world, call_id, attempt)


async def test_stale_agent_that_comes_late_is_removed_within_a_second(world: World) -> None:
    """Its dispatch was on the way when it was fenced."""
    call_id = await conversation(world)
    world.agents[0].renews = False
    await world.pass_time(4)
    world.room(call_id).people.add(agent_identity(call_id, 1))
    await world.pass_time(1.25)
    await served_by(world, call_id, 2)


async def test_newer_agent_is_never_removed(world: World) -> None:
    """A look that is out of date does no harm."""
    call_id = await conversation(world)
    world.room(call_id).people |= {agent_identity(call_id, 7), f"agent-{call_id}-x", "agent-1"}
    await world.pass_time(10)
    assert "remove" not in world.rooms.asked


async def test_call_whose_agents_die_again_and_again_is_tried_with_growing_pauses(
    world: World,
) -> None:
    """And ended as `no-agent`, not tried for ever."""
    call_id = await conversation(world)

    async def dies_at_once(metadata: DispatchMetadata) -> None:
        agent = await world.joins(metadata.call_id, metadata.attempt)
        agent.renews = False
        await calls.give_back(world.record, agent.call_id, agent.attempt, agent.owner)

    world.rooms.on_dispatch = dies_at_once
    world.agents[0].renews = False
    world.rooms.asked.clear()
    await world.pass_time(66)
    assert 8 <= world.rooms.asked.count("dispatch") <= 14
    call = await the_call(world.record, call_id)
    assert (call.state, call.end_reason) == (CallState.ENDED, "no-agent")


async def test_two_supervisors_send_one_agent(world: World) -> None:
    """One of them wins the raise."""
    call_id = await conversation(world)
    other = world.another_supervisor()
    world.agents[0].renews = False
    for _ in range(16):
        world.clock.seconds += 0.25
        await workers.heartbeat(world.record, "worker")
        await asyncio.gather(world.supervisor.poll(), other.poll())
        await asyncio.gather(world.supervisor.settle(), other.settle())
    await served_by(world, call_id, 2)
    assert world.rooms.asked.count("dispatch") == 1


@pytest.mark.parametrize("requests", range(8))
async def test_supervisor_killed_between_two_steps_leaves_nothing_half_done(
    world: World, requests: int
) -> None:
    """The next one, which knows nothing, completes it: one agent, a journal that verifies."""
    call_id = await conversation(world)
    world.agents[0].renews = False
    await world.pass_time(2.25)
    # Before the first, second ... request of the recovery: list, show, list, remove ...
    world.rooms.kill_before = len(world.rooms.asked) + requests
    for _ in range(4):
        await world.pass_time(0.25)
    assert world.rooms.killed
    await world.restart()
    await world.pass_time(8)
    attempt = (await the_call(world.record, call_id)).attempt
    assert attempt in (2, 3)
    await served_by(world, call_id, attempt)
    assert (await verify(world.record, call_id)).verdict is Verdict.INTACT
