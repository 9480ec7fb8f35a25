"""What a page with cards does, for tests of the whole stack."""

import asyncio
from contextlib import suppress

from livekit import rtc

from devstack.caller import Caller
from voice_contract.confirmations import (
    CardsShown,
    ConfirmationResult,
    Confirmations,
    ConfirmationVote,
    PendingConfirmation,
)
from voice_contract.names import CONFIRM_METHOD, CONFIRMATIONS_METHOD


async def rpc(caller: Caller, method: str, payload: str = "") -> str:
    """Call a method of the agent's."""
    assert caller.agent is not None
    return await caller.room.local_participant.perform_rpc(
        destination_identity=caller.agent.identity, method=method, payload=payload
    )


async def acknowledge(caller: Caller, *shown: PendingConfirmation) -> None:
    """Tell the agent that the page shows those cards."""
    ids = CardsShown(shown=[card.id for card in shown])
    await rpc(caller, CONFIRMATIONS_METHOD, ids.model_dump_json())


async def cards(caller: Caller) -> list[PendingConfirmation]:
    """The open questions; a page asks for them until there is an agent that tells."""
    async with asyncio.timeout(15):
        while True:
            if caller.agent is not None:
                with suppress(rtc.RpcError):
                    answer = await rpc(caller, CONFIRMATIONS_METHOD)
                    return Confirmations.model_validate_json(answer).pending
            await asyncio.sleep(0.1)


async def pushed_card(caller: Caller) -> PendingConfirmation:
    """The card that the agent pushed last."""
    async with asyncio.timeout(15):
        while True:
            pushed = [one for one in caller.messages if isinstance(one, Confirmations)]
            if pushed and pushed[-1].pending:
                return pushed[-1].pending[-1]
            await asyncio.sleep(0.05)


async def vote(
    caller: Caller, card: PendingConfirmation, approved: bool, *, digest: str | None = None
) -> str:
    """The caller's answer on the card. Returns: what counts."""
    wish = ConfirmationVote(id=card.id, digest=digest or card.digest, approved=approved)
    answer = await rpc(caller, CONFIRM_METHOD, wish.model_dump_json())
    return ConfirmationResult.model_validate_json(answer).state
