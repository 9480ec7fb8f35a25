"""The RPC methods for the caller's page; any other participant is refused."""

import pytest
from livekit import rtc

from agent_worker.metrics import Metrics
from agent_worker.tools.client_actions import CALL_MAX, ClientActions
from agent_worker.tools.page_rpc import PAYLOAD_MAX_BYTES, PageRpc
from agent_worker.tools.tool import Caller
from examples.storefront.agent.actions import Navigate, StartOver
from tests.support.gate_scene import Scene, asked, outcome
from voice_contract.actions import ActionReport, ClientAction
from voice_contract.confirmations import (
    CardsShown,
    ConfirmationResult,
    Confirmations,
    ConfirmationVote,
)
from voice_contract.journal import (
    ClientActionOutcome,
    ClientActionProposed,
    ConfirmationAnswered,
    ConfirmationRefused,
)
from voice_contract.names import ACTION_OUTCOME_METHOD, CONFIRM_METHOD, CONFIRMATIONS_METHOD

pytestmark = pytest.mark.usefixtures("virtual_time")


class Page:
    """The methods as a page calls them, and the actions that it gets."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.pushed: list[ClientAction] = []
        self.actions = ClientActions(self.scene.memory, Metrics(None), self.pushed.append)
        caller = Caller("caller-1", "call-1")
        rpc = PageRpc(caller, self.scene.page, self.scene.questions, self.actions)
        self.methods = rpc.methods

    async def rpc(self, method: str, payload: str = "", sender: str = "caller-1") -> str:
        """Call *method* as *sender*."""
        call = rtc.RpcInvocationData("1", sender, payload, 5.0)
        answer: str = await self.methods[method](call)
        return answer


@pytest.fixture
async def page() -> Page:
    return Page()


async def test_page_asks_for_the_questions_and_is_known_to_show_them(page: Page) -> None:
    """From then on the agent need not read every argument aloud."""
    page.scene.page.has_cards = False
    empty = Confirmations.model_validate_json(await page.rpc(CONFIRMATIONS_METHOD))
    assert empty.pending == []
    assert page.scene.page.has_cards
    invocation = await asked(page.scene.propose("pay", {"amount": 5}))
    shown = Confirmations.model_validate_json(await page.rpc(CONFIRMATIONS_METHOD))
    assert [card.digest for card in shown.pending] == [invocation.full_digest]


async def test_stranger_who_asks_for_the_questions_learns_none(page: Page) -> None:
    """Nor is the caller's page taken for one that shows cards."""
    page.scene.page.has_cards = False
    await asked(page.scene.propose("pay", {"amount": 5}))
    with pytest.raises(rtc.RpcError):
        await page.rpc(CONFIRMATIONS_METHOD, sender="stranger")
    assert not page.scene.page.has_cards
    page.scene.gate.close()


async def test_page_says_which_cards_it_shows(page: Page) -> None:
    """Only then can a yes that is said mean them; a stranger shows nothing."""
    invocation = await asked(page.scene.propose("pay", {"amount": 5}))
    question = invocation.question
    assert question is not None
    shown = CardsShown(shown=[question.id, "another"]).model_dump_json()
    with pytest.raises(rtc.RpcError):
        await page.rpc(CONFIRMATIONS_METHOD, shown, sender="stranger")
    await page.rpc(CONFIRMATIONS_METHOD)
    assert not question.is_known
    await page.rpc(CONFIRMATIONS_METHOD, shown)
    assert question.is_known
    known_s = page.scene.turning.boot_s()
    page.scene.turning.seconds += 5
    # A page that reconnects says it again: a yes that began before that counts.
    await page.rpc(CONFIRMATIONS_METHOD, shown)
    assert question.was_known_at(known_s)
    page.scene.gate.close()


@pytest.mark.parametrize(
    "payload", ["null", "[]", '{"shown": ["' + '","'.join("123456789") + '"]}', " " * 5_000]
)
async def test_malformed_list_of_cards_is_refused(page: Page, payload: str) -> None:
    """More than can be open, or too large."""
    with pytest.raises(rtc.RpcError) as refused:
        await page.rpc(CONFIRMATIONS_METHOD, payload)
    assert refused.value.code == 1400


async def test_vote_counts_and_may_be_repeated(page: Page) -> None:
    """The answer is the state that counts."""
    invocation = await asked(page.scene.propose("pay", {"amount": 5}))
    assert invocation.question is not None
    vote = ConfirmationVote(
        id=invocation.question.id, digest=invocation.question.digest, approved=True
    )
    for _ in range(3):
        answer = await page.rpc(CONFIRM_METHOD, vote.model_dump_json())
        assert ConfirmationResult.model_validate_json(answer).state == "approved"
    assert (await outcome(invocation)).kind == "done"
    assert [entry.by for entry in page.scene.wrote(ConfirmationAnswered)] == ["screen"]


async def test_stranger_is_refused_everywhere_and_its_vote_is_on_record(page: Page) -> None:
    """Whoever is in the room besides the caller learns nothing and steers nothing."""
    page.scene.page.has_cards = False
    invocation = await asked(page.scene.propose("pay", {"amount": 5}))
    assert invocation.question is not None
    vote = ConfirmationVote(
        id=invocation.question.id, digest=invocation.question.digest, approved=True
    )
    for method in page.methods:
        with pytest.raises(rtc.RpcError) as refused:
            await page.rpc(method, vote.model_dump_json(), sender="stranger")
        assert refused.value.code == 1403
    assert invocation.outcome is None and not page.scene.page.has_cards
    assert page.scene.wrote(ConfirmationRefused) == [
        ConfirmationRefused(confirmation_id="", sender="stranger", reason="stranger")
    ]


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "null",
        "{}",
        '{"id": "x", "digest": "y", "approved": true}',
        '{"id": "x", "digest": "' + "d" * 64 + '", "approved": 1, "admin": true}',
        " " * (PAYLOAD_MAX_BYTES + 1),
    ],
)
@pytest.mark.parametrize("method", [CONFIRM_METHOD, ACTION_OUTCOME_METHOD])
async def test_malformed_payload_is_refused(page: Page, method: str, payload: str) -> None:
    """Of the caller, too; nothing of it is repeated in the answer."""
    with pytest.raises(rtc.RpcError) as refused:
        await page.rpc(method, payload)
    assert refused.value.code == 1400
    assert page.scene.memory.entries == []


async def test_action_is_pushed_and_its_outcome_is_on_record_once(page: Page) -> None:
    """The page may repeat its report; the first counts."""
    page.actions.suggest(Navigate(to="orders"))
    (action,) = page.pushed
    for result in ("declined", "done"):
        report = ActionReport.model_validate({"id": action.id, "outcome": result})
        assert await page.rpc(ACTION_OUTCOME_METHOD, report.model_dump_json()) == ""
    assert page.scene.memory.entries == [
        ClientActionProposed(action_id=action.id, action="navigate", arguments={"to": "orders"}),
        ClientActionOutcome(action_id=action.id, outcome="declined"),
    ]


async def test_report_of_an_action_that_was_not_suggested_is_refused(page: Page) -> None:
    """It is not put on record."""
    report = ActionReport(id="made-up", outcome="done")
    with pytest.raises(rtc.RpcError):
        await page.rpc(ACTION_OUTCOME_METHOD, report.model_dump_json())
    assert page.scene.memory.entries == []


async def test_actions_of_a_call_are_bounded(page: Page) -> None:
    """A tool that suggests without end reaches the page so often."""
    for _ in range(CALL_MAX + 5):
        page.actions.suggest(StartOver())
    assert len(page.pushed) == CALL_MAX
