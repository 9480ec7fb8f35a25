"""Decides from the words whether the caller has finished, using the agent's templates."""

import asyncio
import re
from collections.abc import Callable, Iterable

from livekit.agents import LanguageCode
from livekit.agents.llm import ChatContext

from agent_worker.reasoning import forms, message_tags, yes_no
from agent_worker.reasoning.dialog import CallTool, Dialog, NotUnderstood, Say, follow
from agent_worker.reasoning.encoder import Encoder
from agent_worker.reasoning.known_numbers import KnownNumbers
from agent_worker.reasoning.listening import asks_to_wait
from agent_worker.reasoning.llm import user_turns
from agent_worker.reasoning.normalize import normalize
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn
from agent_worker.waits import Waits

FINISHED = 1.0
UNFINISHED = 0.0
SURELY = 0.62
"""The score from which a sentence that examples explain is complete: its half scores less."""
_SPELLED = re.compile(r"(?:^| )[b-hj-z](?: [a-z])*$|(?:^| )[a-z](?: [a-z])+$")
"""Ends in letters said one by one; a lone "a" or "I" is a word."""
_NUMBER = re.compile(r"(?:^| )#?(\d+)$")


class GrammarTurnDetector:
    """
    A turn detector for text, as LiveKit's sessions take them.

    After a sentence that a template accepts, the agent answers with the shortest delay. After one
    that may go on ("where is the", "hi,", "no,", "order one", "it's S M"), it waits for the
    longest.

    Args:
        numbers: Tell whether a number is whole.
        asked: The words of each question that waits for a yes or a no.
        has_model: Whether a model answers what no template knows.
        encoder: Has opinions for *templates*.
    """

    model = "grammar"
    provider = "local"

    def __init__(
        self,
        templates: Templates,
        waits: Waits,
        *,
        numbers: Iterable[KnownNumbers] = (),
        asked: Callable[[], Iterable[str]] = tuple,
        has_model: bool = False,
        encoder: Encoder | None = None,
    ) -> None:
        self._templates = templates
        self._waits = waits
        self._numbers = {one.slot: one for one in numbers}
        self._asked = asked
        self._has_model = has_model
        self._encoder = encoder

    async def unlikely_threshold(self, language: LanguageCode | None) -> float | None:
        return 0.5

    async def supports_language(self, language: LanguageCode | None) -> bool:
        return True

    async def predict_end_of_turn(
        self,
        chat_ctx: ChatContext,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - LiveKit's signature
    ) -> float:
        # "Wait" is no wish: the turns below are without it.
        last = message_tags.last_user(chat_ctx.items)
        turns = user_turns(chat_ctx.items, self._templates.zone)
        if last is None or not turns or asks_to_wait(last.text_content or ""):
            return FINISHED
        if yes_no.is_no_alone(turns[-1]):
            return UNFINISHED
        answers = (yes_no.read(turns[-1], about) for about in self._asked())
        if any(answer in yes_no.ANSWERS for answer in answers):
            return FINISHED
        if self._encoder is not None:
            await self._encoder.consider(turns)
        dialog = follow(self._templates, turns)
        if self._templates.is_unfinished(turns[-1]) or self._may_go_on(turns[-1], dialog):
            return UNFINISHED
        unknown = isinstance(dialog.move, NotUnderstood) or bool(dialog.choice)
        if self._has_model:
            if unknown:
                await asyncio.sleep(self._waits.unknown_s)
            return FINISHED
        # Little is lost: the answer could only be that it was not understood, or a question.
        return UNFINISHED if unknown or self._is_in_part(turns[-1], dialog) else FINISHED

    def _is_in_part(self, said: Turn, dialog: Dialog) -> bool:
        """
        Whether *said* may be the beginning of a wish: what the agent would ask for is missing, or
        only examples tell what it is, and not surely.
        """
        if dialog.filled:
            return False
        if isinstance(dialog.move, Say) and dialog.asked is not None:
            return True
        if self._templates.match(said) is not None:
            return False
        if isinstance(dialog.move, CallTool) and dialog.move.offer:
            return True
        candidates = self._templates.read(said).candidates
        return bool(candidates) and candidates[0].score < SURELY

    def _may_go_on(self, said: str, dialog: Dialog) -> bool:
        text = normalize(said)
        if _SPELLED.search(text) or self._goes_on_with(dialog):
            return True
        number = _NUMBER.search(text)
        if number is None:
            return False
        slots = dialog.move.arguments if isinstance(dialog.move, CallTool) else dialog.slots
        return all(
            known.may_go_on(number[1])
            for slot, known in self._numbers.items()
            if str(slots.get(slot)) == number[1]
        )

    def _goes_on_with(self, dialog: Dialog) -> bool:
        """Whether the value that was just answered, such as half a telephone number, may go on."""
        intent = dialog.intent or dialog.last_intent
        if intent is None:
            return False
        slots = dialog.slots if dialog.intent else dialog.spoken_of
        if (left_open := dialog.unsure.get(dialog.asked or "")) is not None:
            kind = self._templates.kind_of(intent, dialog.asked or "")
            return kind is not None and kind.may_go_on(left_open.value)
        return forms.may_go_on(self._templates, intent, slots, dialog.filled)
