"""Writes of which nobody knows whether they are done: settled before the same can begin again."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from agent_worker.tools.doubts import FIRST_PAUSE_S, LONGEST_PAUSE_S
from agent_worker.tools.events import GateEvents
from agent_worker.tools.invocations import Invocation, Outcome
from agent_worker.tools.journal import MemoryJournal
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.restore import restore
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.tools.tool import (
    Answer,
    BackendUnavailable,
    IdempotencyKey,
    Target,
    Tool,
    ToolRefused,
    make_rule,
    tool,
)
from call_record.journal import Recorded
from tests.support.gate_scene import Probe, Scene, asked, outcome, push, send
from voice_contract.journal import (
    ConfirmationAsked,
    Entry,
    ToolFailed,
    ToolFinished,
    ToolProposed,
    ToolStarted,
    ToolUnknown,
)
from voice_contract.journal import ToolRefused as RefusedEntry

pytestmark = pytest.mark.usefixtures("virtual_time")

SAYS = GatePhrases()
UNCHECKED: Any = Answer.model_construct
LOST = ConnectionResetError("the answer was lost")
AWAY = BackendUnavailable(retry_after_s=99)


class Told(GateEvents):
    """What the caller is to be told."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[str, str, bool]] = []

    def settled(self, invocation: Invocation) -> None:
        assert invocation.outcome is not None
        outcome = invocation.outcome
        self.outcomes.append((outcome.kind, outcome.say, invocation.late))


class Shop:
    """A backend that honours keys, and can lose its answers."""

    def __init__(self, *moods: Exception | None) -> None:
        self.moods = list(moods)
        """What it does with the answers to its next requests; the last one for all that follow."""
        self.effects: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self.hours_are_unique = False

    def request(self, key: str, what: str) -> None:
        """One request with an idempotency key."""
        self.keys.append(key)
        mood = self.moods.pop(0) if len(self.moods) > 1 else self.moods[0]
        if isinstance(mood, BackendUnavailable):
            raise mood
        if (key, what) not in self.effects:
            self.effects.append((key, what))
        if mood is not None:
            raise mood


@tool(effect="write", timeout_s=0.5, idempotent=True, max_per_call=3, backend="shop")
async def book(hour: int, *, shop: Shop, key: IdempotencyKey) -> Answer:
    """Book an hour; looks beforehand whether it is free."""
    if shop.hours_are_unique and any(what == f"book {hour}" for _, what in shop.effects):
        raise ToolRefused(f"{hour} o'clock is not free.")
    shop.request(key, f"book {hour}")
    return Answer(say=f"Booked for {hour} o'clock.")


@tool(effect="write", confirm="Refund {dollars}?", timeout_s=0.5, idempotent=True, backend="shop")
async def refund(dollars: int, *, shop: Shop, key: IdempotencyKey) -> Answer:
    """Refund an amount."""
    shop.request(key, f"refund {dollars}")
    return Answer(say=f"{dollars} dollars are on their way.")


def scene_of(shop: Shop, *tools: Tool, told: Told | None = None, **options: Any) -> Scene:
    """A call with *tools*, which work in *shop*."""
    scene = Scene(tools=tools, events=told, **options)
    scene.gate._resources.append(shop)
    return scene


@pytest.fixture
def told() -> Told:
    return Told()


@tool(effect="write", timeout_s=0.5, idempotent=True, backend="shop", details=["reason"])
async def call_back(reason: str, *, shop: Shop, key: IdempotencyKey) -> Answer:
    """Order a call-back."""
    shop.request(key, f"call back: {reason}")
    return Answer(say="A colleague calls you back.")


async def agree(scene: Scene, invocation: Invocation, approved: bool = True) -> Any:
    """The caller's answer to the question of *invocation*, and what comes of it."""
    scene.vote(await asked(invocation), approved)
    return await outcome(invocation)


async def test_lost_answer_is_found_out_in_the_background_and_told(told: Told) -> None:
    """With the same key, though no question, policy or budget is passed again."""
    shop = Shop(LOST, LOST, LOST, AWAY, None)
    scene = scene_of(
        shop, replace(refund, guards=replace(refund.guards, max_per_call=1)), told=told
    )
    unknown = await agree(scene, scene.propose("refund", {"dollars": 10}))
    assert (unknown.kind, unknown.say) == ("unknown", SAYS.in_doubt)
    await asyncio.sleep(10)
    assert [kind for kind, _, _ in told.outcomes] == ["unknown", "done"]
    assert told.outcomes[-1] == ("done", "10 dollars are on their way.", True)
    assert len(set(shop.keys)) == 1 and len(shop.effects) == 1
    assert len(scene.wrote(ConfirmationAsked)) == len(scene.wrote(ToolStarted)) == 1
    assert [one.say for one in scene.wrote(ToolFinished)] == ["10 dollars are on their way."]


@pytest.mark.parametrize("between", ["declined", "expired", "refused", "away"])
async def test_wish_while_in_doubt_never_gets_a_key_of_its_own(between: str) -> None:
    """Whatever becomes of a second wish, a third one does not do it twice."""
    shop = Shop(LOST)
    scene = scene_of(shop, refund)
    assert (await agree(scene, scene.propose("refund", {"dollars": 10}))).kind == "unknown"
    for number in (2, 3):
        scene.turn_id = f"turn-{number}"
        if between == "away":
            shop.moods = [AWAY]
        again = scene.propose("refund", {"dollars": 10})
        await asyncio.sleep(0.2)
        if again.is_asking:
            if between == "expired":
                scene.turning.seconds += 31
                scene.questions.expire()
            else:
                scene.vote(again, between != "declined")
        said = await outcome(again)
        assert (said.kind, said.say) == ("refused", SAYS.still_in_doubt)
    assert len(shop.effects) == 1 and len(set(shop.keys)) == 1
    assert [one.guard for one in scene.wrote(RefusedEntry)] == ["doubt", "doubt"]
    await scene.gate.aclose()


async def test_wish_that_meets_a_settled_doubt_is_told_and_asked() -> None:
    """The earlier one went through; a yes does it once more, with a key of its own."""
    shop = Shop(LOST)
    scene = scene_of(shop, book)
    assert (await scene.call("book", {"hour": 3})).kind == "unknown"
    shop.moods = [None]
    scene.turn_id = "turn-2"
    again = await asked(scene.propose("book", {"hour": 3}))
    assert again.question is not None
    assert again.question.title == (
        "The earlier one went through. Booked for 3 o'clock. Shall I do it once more?"
    )
    assert again.question.full.endswith("In full: hour: 3. Yes or no?")
    first, done = shop.keys[0], await agree(scene, again)
    assert done.kind == "done"
    assert shop.keys[-1] != first
    assert set(shop.keys[:-1]) == {first}


async def test_wish_in_the_moment_in_which_a_doubt_is_settled_is_asked() -> None:
    """What the caller has heard by then is only that nobody knows."""
    scene = scene_of(Shop(LOST), book)
    first = scene.propose("book", {"hour": 3})
    assert (await outcome(first)).kind == "unknown"
    first.told = True
    again = scene.propose("book", {"hour": 3}, turn_id="turn-2")
    scene.gate._doubts.settle(first, Outcome("done", "Booked for 3 o'clock."))
    question = (await asked(again)).question
    assert question is not None
    assert question.title.startswith("The earlier one went through. Booked for 3 o'clock.")
    scene.gate.close()


@tool(effect="write", timeout_s=0.5, idempotent=True)
async def pay_any(amount: int | float, *, shop: Shop, key: IdempotencyKey) -> Answer:
    """Pay a number of either kind, as a JSON Schema's `number` is."""
    shop.request(key, f"pay {amount}")
    return Answer(say="Paid.")


@tool(effect="write", timeout_s=0.5, idempotent=True)
async def pay_exact(amount: Decimal, *, shop: Shop, key: IdempotencyKey) -> Answer:
    """Pay an exact amount."""
    shop.request(key, f"pay {amount}")
    return Answer(say="Paid.")


@pytest.mark.parametrize(
    ("pay", "first", "then"),
    [
        (pay_any, 10, 10.0),
        (pay_any, 10.0, 10),
        (pay_exact, "10", "10.00"),
        (pay_exact, 10, "1E+1"),
    ],
)
async def test_same_number_in_another_form_waits_for_the_doubt_too(
    pay: Tool, first: Any, then: Any
) -> None:
    """A model writes 10, then 10.0: that is no other payment."""
    shop = Shop(LOST)
    scene = scene_of(shop, pay)
    assert (await scene.call(pay.name, {"amount": first})).kind == "unknown"
    again = await scene.call(pay.name, {"amount": then}, turn_id="turn-2")
    assert again.say == SAYS.still_in_doubt
    assert len(set(shop.keys)) == 1
    await scene.gate.aclose()


async def test_long_result_is_asked_about_once_more_in_short() -> None:
    """A card has room for a question, not for a report."""

    async def run(number: int, *, probe: Probe, key: str) -> Answer:
        await probe.work("push", key)
        return Answer(say="A long report. " * 100)

    scene = Scene(tools=[replace(push, run=run)])
    scene.probe.errors = [LOST] * 3
    assert (await scene.call("push")).kind == "unknown"
    scene.probe.errors.clear()
    question = (await asked(scene.propose("push", turn_id="turn-2"))).question
    assert question is not None and len(question.title) < 300
    assert question.title.endswith("[...] Shall I do it once more?")
    scene.gate.close()


async def test_doubt_about_the_second_one_is_settled_too() -> None:
    """The first went through unheard, the second is in doubt: there is no third meanwhile."""
    shop = Shop(LOST)
    scene = scene_of(shop, book)
    assert (await scene.call("book", {"hour": 3})).kind == "unknown"
    shop.moods = [None]
    scene.turn_id = "turn-2"
    again = await asked(scene.propose("book", {"hour": 3}))
    shop.moods = [LOST]
    assert (await agree(scene, again)).kind == "unknown"
    scene.turn_id = "turn-3"
    assert (await scene.call("book", {"hour": 3})).say == SAYS.still_in_doubt
    assert len(set(shop.keys)) == 2
    await scene.gate.aclose()


async def test_wish_after_the_result_was_heard_is_a_wish_like_any_other() -> None:
    """Who knows that the first one went through, and asks again, wants another."""
    shop = Shop(LOST, LOST, LOST, None)
    scene = scene_of(shop, refund)
    first = scene.propose("refund", {"dollars": 10})
    await agree(scene, first)
    await asyncio.sleep(3)
    assert first.outcome is not None and first.outcome.kind == "done"
    first.told = True
    scene.turn_id = "turn-2"
    second = await asked(scene.propose("refund", {"dollars": 10}))
    assert second.question is not None and second.question.title == "Refund 10?"
    await agree(scene, second)
    assert len({key for key, _ in shop.effects}) == 2


async def test_refusal_settles_a_doubt_only_where_it_answers_the_key() -> None:
    """ "3 o'clock is not free" may be our own booking."""
    shop = Shop(LOST, None)
    shop.hours_are_unique = True
    scene = scene_of(shop, book)
    assert (await scene.call("book", {"hour": 3})).kind == "unknown"
    await asyncio.sleep(5)
    scene.turn_id = "turn-2"
    assert (await scene.call("book", {"hour": 3})).say == SAYS.still_in_doubt
    assert scene.wrote(ToolFailed) == []

    marked = Shop(LOST, LOST, LOST, ToolRefused("The order is too old.", settles=True))
    scene = scene_of(marked, refund)
    await agree(scene, scene.propose("refund", {"dollars": 10}))
    await asyncio.sleep(3)
    assert [one.reason for one in scene.wrote(ToolFailed)] == ["The order is too old."]
    scene.turn_id = "turn-2"
    fresh = await asked(scene.propose("refund", {"dollars": 10}))
    assert fresh.question is not None and fresh.question.title == "Refund 10?"
    scene.gate.close()


async def test_refusal_without_a_doubt_is_a_refusal() -> None:
    """The first try says no: nothing was done."""
    scene = Scene()
    scene.probe.errors = [ToolRefused("Not today.")]
    assert (await scene.call("push")).say == "Not today."
    scene.probe.errors = [TimeoutError(), ToolRefused("Not today.")]
    assert (await scene.call("push", turn_id="turn-2")).kind == "unknown"
    await scene.gate.aclose()


@pytest.mark.parametrize("error", [LOST, KeyError("answer"), AWAY], ids=type)
async def test_write_is_sent_again_within_its_time_then_doubted(error: Exception) -> None:
    """A timeout of the tool's own HTTP client is no answer; "nothing was done" is one."""
    shop = Shop(error, None)
    scene = scene_of(shop, refund)
    done = await agree(scene, scene.propose("refund", {"dollars": 10}))
    assert done.kind == ("failed" if error is AWAY else "done")
    assert len(shop.effects) == (0 if error is AWAY else 1)


async def test_doubt_is_looked_into_with_pauses_that_grow_until_the_call_ends() -> None:
    """The backend gets no hail of requests, and none after the call."""
    shop = Shop(LOST)
    scene = scene_of(shop, refund)
    await agree(scene, scene.propose("refund", {"dollars": 10}))
    loop = asyncio.get_running_loop()
    before = len(shop.keys)
    started_s = loop.time()
    while loop.time() - started_s < 600:
        await asyncio.sleep(1)
        scene.turning.seconds += 11  # the breaker closes again
    sent = len(shop.keys) - before
    assert 600 / LONGEST_PAUSE_S / 2 < sent < 3 * (10 + 600 / LONGEST_PAUSE_S)
    await scene.gate.aclose()
    before = len(shop.keys)
    await asyncio.sleep(600)
    assert len(shop.keys) == before
    assert scene.wrote(ToolFinished) == []


async def test_backend_that_never_answers_gets_few_requests_at_once() -> None:
    """Each try hangs: the next one replaces it, so that none is left of them for other tools."""
    scene = Scene()
    scene.probe.release.clear()
    for number in (1, 2, 3, 4):
        assert (await scene.call("push", {"number": number})).kind == "unknown"
    for _ in range(60):
        await asyncio.sleep(5)
        scene.turning.seconds += 11  # the breaker closes again
    assert len(scene.probe.events) > 8
    assert all(len(one.tries) <= 1 for one in scene.gate.invocations)
    scene.probe.release.set()
    for _ in range(20):
        await asyncio.sleep(5)
        scene.turning.seconds += 11
    finished = [one.invocation_id for one in scene.wrote(ToolFinished)]
    assert sorted(finished) == ["fnc-1", "fnc-2", "fnc-3", "fnc-4"]


async def test_what_is_under_way_when_the_call_ends_is_still_on_record() -> None:
    """The answer to what was sent again comes while the gate closes."""
    scene = Scene()
    scene.probe.errors = [LOST] * 9
    assert (await scene.call("push")).kind == "unknown"
    scene.probe.errors.clear()
    scene.probe.release.clear()
    sent = len(scene.probe.events)
    await asyncio.sleep(FIRST_PAUSE_S * 1.3)
    assert len(scene.probe.events) == sent + 1
    closing = asyncio.create_task(scene.gate.aclose())
    await asyncio.sleep(0.1)
    scene.probe.release.set()
    await closing
    assert scene.kinds[-1] == "tool.finished"


async def test_doubt_is_not_looked_into_without_the_lease() -> None:
    """Another agent has the call: it looks into it."""
    scene = Scene()
    scene.probe.errors = [LOST, LOST, LOST]
    await scene.call("push")
    scene.lease.ours = False
    sent = len(scene.probe.events)
    await asyncio.sleep(60)
    assert len(scene.probe.events) == sent
    scene.probe.errors.clear()
    scene.lease.ours = True
    await asyncio.sleep(60)
    assert scene.kinds[-1] == "tool.finished"


# -- effects that are the same though they were wished in other words


class Diary:
    """Appointments, and what was cancelled with which key."""

    def __init__(self) -> None:
        self.upcoming = ["fitting on Friday", "fitting on Monday"]
        self.answers_lost = 0
        self.done: dict[str, str] = {}
        self.keys: list[str] = []
        self.answers: asyncio.Event | None = None
        """Set when the first answer may come, which is `mood`; None: at once."""
        self.mood: Exception | None = None

    async def cancel(self, key: str, appointment: str) -> None:
        """Once for each key."""
        self.keys.append(key)
        if self.answers is not None:
            await self.answers.wait()
            if self.mood is not None:
                raise self.mood
        if key not in self.done:
            self.done[key] = appointment
            self.upcoming.remove(appointment)
        if self.answers_lost:
            self.answers_lost -= 1
            raise ConnectionResetError


async def next_appointment(kind: str, *, diary: Diary) -> Target:
    """The caller's next appointment, or the next of its kind."""
    for one in diary.upcoming:
        if kind in one:
            return Target(one, {"kind": "fitting", "when": one.split()[-1]})
    raise ToolRefused("You have no appointment.")


@tool(
    effect="write",
    confirm="Cancel your {kind} on {when}?",
    idempotent=True,
    resolve=next_appointment,
    timeout_s=0.5,
)
async def cancel(kind: str = "", *, diary: Diary, target: Target, key: IdempotencyKey) -> Answer:
    """Cancel the next appointment."""
    await diary.cancel(key, target.id)
    return Answer(say=f"Your {target.id} is cancelled.")


def diary_scene(diary: Diary, *, confirmed: bool = True) -> Scene:
    guards = cancel.guards if confirmed else replace(cancel.guards, confirm=None)
    scene = Scene(tools=[replace(cancel, guards=guards)])
    scene.gate._resources.append(diary)
    return scene


@pytest.mark.parametrize("kind", ["", "fitting"])
async def test_next_appointment_is_cancelled_once_though_the_next_is_another(kind: str) -> None:
    """What is asked, shown, journalled and sent again is the one that was found at first."""
    diary = Diary()
    diary.answers_lost = 4
    scene = diary_scene(diary)
    first = await asked(scene.propose("cancel"))
    assert first.question is not None and first.question.title == "Cancel your fitting on Friday?"
    assert (await agree(scene, first)).kind == "unknown"
    scene.turn_id = "turn-2"
    again = await asked(scene.propose("cancel", {"kind": kind}))
    assert again.question is not None
    # By other words it means the next one: nothing of the first one's is asked once more.
    told = "" if kind else "The earlier one went through. Your fitting on Friday is cancelled. "
    assert again.question.title == told + "Cancel your fitting on Monday?"
    scene.vote(again, False)
    await outcome(again)
    assert list(diary.done.values()) == ["fitting on Friday"]
    (started,) = scene.wrote(ToolStarted)
    assert (started.target, started.shown) == (
        "fitting on Friday",
        {"kind": "fitting", "when": "Friday"},
    )


async def test_same_effect_in_other_words_waits_for_the_doubt_too() -> None:
    """The digest of the effect leaves out the words by which its target was found."""
    diary = Diary()
    diary.answers_lost = 99
    scene = diary_scene(diary)
    await agree(scene, scene.propose("cancel"))
    diary.upcoming.insert(0, "fitting on Friday")  # as a backend does that shows what was
    scene.turn_id = "turn-2"
    assert (await scene.call("cancel", {"kind": "Friday"})).say == SAYS.still_in_doubt
    scene.turning.seconds += 60  # the breaker closes again
    other = await asked(scene.propose("cancel", {"kind": "Monday"}))
    assert other.question is not None and other.question.title == "Cancel your fitting on Monday?"
    await scene.gate.aclose()


async def test_next_agent_knows_what_the_one_before_acted_on() -> None:
    """The same effect, asked for in other words after a recovery, waits for the doubt."""
    diary = Diary()
    diary.answers_lost = 99
    before = diary_scene(diary)
    await agree(before, before.propose("cancel"))
    await before.gate.aclose()
    heir = diary_scene(diary)
    recorded = [
        Recorded(number, 0, 1, entry.kind, entry, b"")
        for number, entry in enumerate(before.memory.entries)
    ]
    restore(heir.gate, ResultDelivery(SAYS), heir.memory, recorded)
    diary.upcoming.insert(0, "fitting on Friday")  # as a backend does that shows what was
    heir.turn_id = "turn-2"
    assert (await heir.call("cancel", {"kind": "Friday"})).say == SAYS.still_in_doubt
    await heir.gate.aclose()


async def test_target_that_is_not_found_is_a_refusal() -> None:
    """In the author's words, before any question."""
    diary = Diary()
    scene = diary_scene(diary)
    refused = await scene.call("cancel", {"kind": "repair"})
    assert (refused.kind, refused.say) == ("refused", "You have no appointment.")
    assert [one.guard for one in scene.wrote(RefusedEntry)] == ["resolve"]
    broken = replace(cancel, guards=replace(cancel.guards, resolve=None))
    assert broken.guards.resolve is None


async def test_one_effect_in_two_ways_is_asked_and_done_once_in_a_turn() -> None:
    """A model that proposes "the next one" and "the fitting" means one of them."""
    diary = Diary()
    scene = diary_scene(diary)
    first, second = scene.propose("cancel"), scene.propose("cancel", {"kind": "fitting"})
    question = "Cancel your fitting on Friday?"
    assert (await outcome(second)).say == SAYS.busy_asking.format(question=question)
    assert (await agree(scene, first)).kind == "done"
    diary.upcoming.insert(0, "fitting on Friday")  # as a backend does that shows what was
    again = await scene.call("cancel", {"kind": "Friday"})
    assert (again.kind, again.say) == ("refused", "Your fitting on Friday is cancelled.")
    assert list(diary.done.values()) == ["fitting on Friday"]
    assert [one.guard for one in scene.wrote(RefusedEntry)] == ["duplicate"] * 2


async def test_details_make_no_other_effect() -> None:
    """The reason may be worded in any way while it is in doubt whether a call-back is ordered."""
    shop = Shop(LOST)
    scene = scene_of(shop, call_back)
    assert (await scene.call("call_back", {"reason": "my order"})).kind == "unknown"
    scene.turn_id = "turn-2"
    again = await scene.call("call_back", {"reason": "the order I made"})
    assert again.say == SAYS.still_in_doubt
    assert len(set(shop.keys)) == 1
    await scene.gate.aclose()


async def test_two_wordings_at_once_are_one_effect_and_none_waits_for_ever() -> None:
    """Both are proposed before either has begun."""
    scene = scene_of(Shop(None), call_back)
    both = [scene.propose("call_back", {"reason": reason}) for reason in ("a", "b")]
    assert [(await outcome(one)).kind for one in both] == ["done", "refused"]
    assert (await outcome(both[1])).say == "A colleague calls you back."


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("ends", ["done", "unknown", "failed"])
async def test_same_effect_in_other_words_waits_for_the_one_under_way(
    confirmed: bool, ends: str
) -> None:
    """Not only for a doubt: the answer to the first may still come."""
    diary = Diary()
    scene = diary_scene(diary, confirmed=confirmed)
    diary.answers = asyncio.Event()
    first = scene.propose("cancel")
    if confirmed:
        scene.vote(await asked(first), True)
    scene.turn_id = "turn-2"
    second = scene.propose("cancel", {"kind": "Friday"})
    await asyncio.sleep(0.1)
    assert len(diary.keys) == 1 and not second.is_asking
    diary.upcoming = ["fitting on Friday", "fitting on Monday"]  # it shows what was, too
    diary.mood = {"done": None, "unknown": LOST, "failed": AWAY}[ends]
    diary.answers.set()
    assert (await outcome(first)).kind == ends
    if ends == "failed" and confirmed:
        scene.vote(await asked(second), True)
    assert (await outcome(second)).say == {
        "done": "Your fitting on Friday is cancelled.",
        "unknown": SAYS.in_doubt,
        "failed": SAYS.away,
    }[ends]
    assert len(set(diary.keys)) == (2 if ends == "failed" else 1)
    await scene.gate.aclose()


# -- the agent after the one that died


def heir_of(scene: Scene, entries: list[Entry], told: Told | None = None, **options: Any) -> Scene:
    """The agent that takes the call over; *scene*'s backend goes on."""
    heir = Scene(tools=scene.tools.values(), events=told, **options)
    heir.gate._resources[1:] = scene.gate._resources[1:]
    heir.probe = scene.probe
    at_ms = heir.turning.now_ms()
    recorded = [Recorded(i, at_ms, 1, one.kind, one, b"") for i, one in enumerate(entries)]
    restore(heir.gate, ResultDelivery(SAYS), heir.memory, recorded)
    return heir


def begun(scene: Scene, name: str) -> list[Entry]:
    """A write that the dead agent had begun."""
    arguments = scene.tools[name].arguments.canonical({})
    return [
        ToolProposed(invocation_id="fnc-1", tool=name, arguments=arguments, turn_id="turn-1"),
        ToolStarted(
            invocation_id="fnc-1",
            tool=name,
            effect="write",
            arguments=arguments,
            idempotency_key="call-1:k",
        ),
    ]


@pytest.mark.parametrize("trouble", ["lease", "away", "breaker", "journal"])
async def test_what_was_begun_never_ends_as_failed(told: Told, trouble: str) -> None:
    """It may be done: so it is unknown until its key is answered, and then it is told."""
    dead = Scene()
    heir = heir_of(dead, begun(dead, "push"), told)
    match trouble:
        case "lease":
            heir.lease.ours = False
        case "away":
            heir.probe.errors = [AWAY] * 20
        case "journal":
            heir.memory.healthy = False
        case _:
            breaker = heir.gate._guards._backends.of("push").breaker
            for _ in range(20):
                breaker.failed()
    (invocation,) = heir.gate.invocations
    assert (await outcome(invocation)).kind == "unknown"
    assert heir.kinds == ["tool.unknown"]
    heir.lease.ours = heir.memory.healthy = True
    heir.probe.errors.clear()
    heir.turning.seconds += 60
    await asyncio.sleep(120)
    assert heir.kinds == ["tool.unknown", "tool.finished"]
    assert told.outcomes[-1] == ("done", "Pushed.", True)
    assert heir.probe.keys and set(heir.probe.keys) == {"call-1:k"}


async def test_doubt_outlives_its_agent() -> None:
    """The next agent looks into it, and no wish passes before it is settled."""
    shop = Shop(LOST)
    scene = scene_of(shop, refund)
    await agree(scene, scene.propose("refund", {"dollars": 10}))
    scene.gate.leave()
    heir = heir_of(scene, scene.memory.entries)
    heir.turn_id = "turn-2"
    assert (await heir.call("refund", {"dollars": 10})).say == SAYS.still_in_doubt
    shop.moods = [None]
    await asyncio.sleep(60)
    assert [one.say for one in heir.wrote(ToolFinished)] == ["10 dollars are on their way."]
    third = heir_of(scene, [*scene.memory.entries, *heir.memory.entries])
    third.turn_id = "turn-3"
    question = (await asked(third.propose("refund", {"dollars": 10}))).question
    assert question is not None and question.title.startswith("The earlier one went through.")
    third.gate.close()
    assert len(shop.effects) == 1


async def test_doubt_about_a_start_without_its_proposal_is_looked_into() -> None:
    """The proposal was lost; what was begun is on record all the same."""
    dead = Scene()
    heir = heir_of(dead, begun(dead, "push")[1:])
    (invocation,) = heir.gate.invocations
    assert (await outcome(invocation)).kind == "done"
    assert heir.probe.keys == ["call-1:k"]


async def test_doubt_without_its_key_is_not_sent_again() -> None:
    """It would be another effect."""
    dead = Scene()
    proposed, _ = begun(dead, "push")
    heir = heir_of(dead, [proposed, ToolUnknown(invocation_id="fnc-1", reason="timeout")])
    await asyncio.sleep(60)
    heir.turn_id = "turn-2"
    assert (await heir.call("push")).say == SAYS.not_again
    assert heir.probe.keys == []


async def test_what_the_second_agent_found_out_stands_before_the_third_ones_wishes() -> None:
    """Settled at once after the takeover, and nobody heard of it."""
    dead = Scene()
    entries = begun(dead, "push")
    heir = heir_of(dead, entries)
    (invocation,) = heir.gate.invocations
    assert (await outcome(invocation)).kind == "done"
    third = heir_of(dead, [*entries, *heir.memory.entries])
    third.turn_id = "turn-2"
    question = (await asked(third.propose("push"))).question
    assert question is not None and question.title.startswith("The earlier one went through.")
    third.gate.close()


async def test_doubt_of_another_version_bars_its_tool() -> None:
    """Its arguments are others by now, so nobody can say whether a wish means the same."""
    dead = Scene()
    odd = [
        one.model_copy(update={"arguments": {"number": 1, "colour": "red"}})
        for one in begun(dead, "push")
    ]
    heir = heir_of(dead, odd)
    assert heir.kinds == ["tool.unknown"]
    assert (await heir.call("push", turn_id="turn-2")).say == SAYS.not_again
    third = heir_of(dead, [*odd, *heir.memory.entries])
    assert (await third.call("push", turn_id="turn-3")).say == SAYS.not_again
    assert dead.probe.keys == []


async def test_once_more_that_was_asked_by_the_agent_before_is_done_on_a_yes() -> None:
    """The caller clicks on the card, which says that the earlier one went through."""
    shop = Shop(LOST)
    scene = scene_of(shop, book)
    assert (await scene.call("book", {"hour": 3})).kind == "unknown"
    shop.moods = [None]
    scene.turn_id = "turn-2"
    await asked(scene.propose("book", {"hour": 3}))
    scene.gate.leave()
    heir = heir_of(scene, scene.memory.entries)
    again = next(one for one in heir.gate.invocations if one.is_asking)
    assert (await agree(heir, again)).kind == "done"
    assert len(set(shop.keys)) == 2


async def test_tool_that_raises_what_is_no_exception_is_in_doubt() -> None:
    """A group that holds a cancellation, or an exit: the call goes on, and it is sent again."""
    raised: list[BaseException] = [BaseExceptionGroup("", [asyncio.CancelledError()]), SystemExit()]

    async def run(number: int, *, probe: Probe, key: str) -> Answer:
        await probe.work("push", key)
        if raised:
            raise raised.pop(0)
        return Answer(say="Pushed.")

    scene = Scene(tools=[replace(push, run=run)])
    assert (await scene.call("push")).kind == "unknown"
    await asyncio.sleep(10)
    assert scene.kinds[-2:] == ["tool.unknown", "tool.finished"]
    assert len(set(scene.probe.keys)) == 1 and len(scene.probe.keys) == 3


async def test_approved_write_goes_on_with_the_agent_for_which_this_one_leaves() -> None:
    """It was not begun when the call moved: the caller has said yes, and asks no more."""

    async def slow_rule(*, probe: Probe) -> None:
        """It takes its time."""
        await asyncio.sleep(0.4)

    patient = replace(send, guards=replace(send.guards, policy=(make_rule(slow_rule),)))
    scene = Scene(tools=[patient])
    scene.vote(await asked(scene.propose("send")), True)
    await asyncio.sleep(0.1)
    scene.gate.leave()
    await scene.gate.aclose()
    assert "tool.refused" not in scene.kinds
    heir = heir_of(scene, scene.memory.entries)
    (invocation,) = heir.gate.invocations
    assert (await outcome(invocation)).kind == "done"
    assert scene.probe.events == ["send 1"]


# -- what a tool returned is done


@pytest.mark.parametrize(
    "answer",
    [
        Answer(say="Pushed \ud800.", data={"a\udfff": ["\ud800", {"b": "\ud800"}]}),
        Answer(say="Pushed.", data={"when": object()}),
        Answer(say="Pushed.", data={"much": "x" * 70_000}),
        Answer(say="Pushed. " * 20_000),
        UNCHECKED(),
        UNCHECKED(say=3, data=[object()], actions=None),
        None,
        "Pushed.",
    ],
    ids=["surrogates", "no JSON", "large", "long", "empty", "odd", "none", "text"],
)
async def test_what_returned_is_done_whatever_it_returned(answer: object) -> None:
    """The effect happened: no odd answer may make it a failure, or have it done again."""
    scene = Scene(tools=[replace(push, run=_returning(answer))])
    done = await scene.call("push")
    assert done.kind == "done"
    assert done.answer is not None and done.answer.model_dump_json()
    (finished,) = scene.wrote(ToolFinished)
    assert finished.model_dump_json()
    assert scene.kinds.count("tool.started") == 1


async def test_read_that_returns_no_answer_failed() -> None:
    """There is nothing to say."""
    scene = Scene()
    scene = Scene(tools=[replace(scene.tools["look"], run=_returning(None))])
    assert (await scene.call("look")).kind == "failed"


async def test_page_that_cannot_take_an_action_does_not_undo_what_is_done() -> None:
    """Nor does a journal that raises."""

    class Broken(MemoryJournal):
        def write(self, entry: Entry) -> None:
            if isinstance(entry, ToolFinished) and entry.data:
                raise RuntimeError("no")
            super().write(entry)

    journal = Broken()
    scene = Scene(
        tools=[replace(push, run=_returning(Answer(say="Pushed.", data={"a": 1})))],
        journal=journal,
    )
    assert (await scene.call("push")).kind == "done"
    assert journal.entries[-1] == ToolFinished(invocation_id="fnc-1", say="Pushed.")


def _returning(answer: object) -> Any:
    async def run(number: int = 1, *, probe: Probe, key: str = "") -> object:
        return answer

    return run


# -- nothing begins when it may no longer


@pytest.mark.parametrize("what", ["lease", "call"])
async def test_write_that_waits_for_its_backend_does_not_begin_too_late(what: str) -> None:
    """It waited for a place; meanwhile the lease was lost, or the call was over."""
    patient = replace(send, guards=replace(send.guards, timeout_s=5, confirm=None, max_per_call=9))
    scene = Scene(tools=[patient])
    scene.probe.release.clear()
    busy = [scene.propose("send", {"number": number}) for number in (1, 2, 3, 4)]
    fifth = scene.propose("send", {"number": 5})
    await asyncio.sleep(0.2)
    if what == "lease":
        scene.lease.ours = False
    else:
        scene.gate.close()
    scene.probe.release.set()
    assert (await outcome(fifth)).kind == "not-begun"
    await asyncio.gather(*map(outcome, busy))
    assert "send 5" not in scene.probe.events
    assert [one.reason for one in scene.wrote(ToolFailed)] == ["not begun"]


async def test_retry_does_not_begin_after_the_call() -> None:
    """The backend said that it did nothing; then the caller hung up."""
    patient = replace(push, guards=replace(push.guards, timeout_s=5))
    scene = Scene(tools=[patient])
    scene.probe.errors = [BackendUnavailable(retry_after_s=1)]
    invocation = scene.propose("push")
    await asyncio.sleep(0.5)
    scene.gate.close()
    assert (await outcome(invocation)).kind == "not-begun"
    assert len(scene.probe.events) == 1
