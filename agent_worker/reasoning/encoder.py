"""Asks a sentence encoder for opinions: in time, or not at all."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from itertools import chain, repeat
from typing import Literal

import numpy as np
import structlog

from agent_worker.reasoning.opinions import Opinion, Opinions, Vectors, in_words
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn

log = structlog.get_logger()

ANSWER_WITHIN_S = 0.1
"""A caller waits for no opinion longer than this."""
CATCH_UP_WITHIN_S = 0.5
"""An agent that takes a call over apologizes a little later rather than lose the thread."""
TURNS_MAX = 50
"""As many of the last turns count."""
BATCH_MAX = 64
BATCH_WITHIN_S = 30.0
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 15.0)
"""Between tries to learn the examples; the last one repeats."""
FAILURES_MAX = 3
"""After so many in a row the encoder is left alone for a while: each costs a caller's time."""
AWAY_S = 10.0

Outcome = Literal["given", "late", "unavailable", "not-ready"]


class EncoderUnavailable(Exception):
    """The encoder did not answer, or not with vectors."""


Embed = Callable[[Sequence[str]], Awaitable[Vectors]]
"""Encodes texts. Raises: EncoderUnavailable."""


class Encoder:
    """
    Fills *opinions*, which *templates* heed, for one call.

    Until `learn` has returned, and whenever the encoder fails or is late, there is no opinion.

    Args:
        count: Counts sentences by what came of them.
        pauses_s: Between tries to learn.
    """

    def __init__(
        self,
        templates: Templates,
        opinions: Opinions,
        embed: Embed,
        count: Callable[[Outcome, int], None] = lambda _outcome, _sentences: None,
        *,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        self._templates = templates
        self._opinions = opinions
        self._embed = embed
        self._count = count
        self._pauses_s = pauses_s
        self._labels: Sequence[str] = ()
        self._examples: Vectors = np.empty((0, 0), np.float32)
        self._learned = asyncio.Event()
        self._asking = asyncio.Lock()
        """So that the turn detector and the model wait for one answer, and go by the same one."""
        self._failures = 0
        self._away_until_s = 0.0
        self._is_told = False

    async def learn(self) -> None:
        """Fetch the vectors of the agent's examples, however long it takes."""
        examples = dict.fromkeys(
            (in_words(one.text), one.label) for one in self._templates.wishes.examples
        )
        texts = [text for text, _ in examples]
        batches = [texts[at : at + BATCH_MAX] for at in range(0, len(texts), BATCH_MAX)]
        if not batches:
            return
        self._examples = np.concatenate([await self._patiently(batch) for batch in batches])
        self._labels = [label for _, label in examples]
        self._learned.set()
        log.info("encoder.learned", examples=len(texts))

    async def consider(self, turns: Iterable[Turn], *, within_s: float = ANSWER_WITHIN_S) -> None:
        """Settle the opinions on *turns* of which there are none yet, *within_s* seconds."""
        async with self._asking:
            doubtful = map(self._templates.in_doubt, list(turns)[-TURNS_MAX:])
            texts = [
                text
                for text in dict.fromkeys(doubtful)
                if text is not None and text not in self._opinions
            ]
            if not texts:
                return
            outcome, opinions = await self._ask(texts, within_s)
            self._count(outcome, len(texts))
            for text, opinion in zip(texts, opinions, strict=True):
                self._opinions.settle(text, opinion)

    async def catch_up(self, turns: Iterable[Turn]) -> None:
        """Settle the opinions on *turns* of a call that another agent has begun."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP_WITHIN_S):
                await self._learned.wait()
        await self.consider(turns, within_s=CATCH_UP_WITHIN_S)

    async def _ask(
        self, texts: Sequence[str], within_s: float
    ) -> tuple[Outcome, Sequence[Opinion | None]]:
        none = [None] * len(texts)
        if not self._learned.is_set():
            return "not-ready", none
        now_s = asyncio.get_running_loop().time()
        if now_s < self._away_until_s:
            return "unavailable", none
        try:
            async with asyncio.timeout(within_s):
                vectors = await self._embed(texts)
            if vectors.shape[1] != self._examples.shape[1]:
                raise EncoderUnavailable("its vectors have another length than before")
        except (EncoderUnavailable, TimeoutError) as error:
            self._tell(error)
            self._failures += 1
            if self._failures >= FAILURES_MAX:
                self._away_until_s = now_s + AWAY_S
            return "late" if isinstance(error, TimeoutError) else "unavailable", none
        self._failures = 0
        return "given", [Opinion.of(one, self._labels, self._examples) for one in vectors]

    async def _patiently(self, texts: Sequence[str]) -> Vectors:
        pauses_s = chain(self._pauses_s, repeat(self._pauses_s[-1]))
        while True:
            try:
                async with asyncio.timeout(BATCH_WITHIN_S):
                    return await self._embed(texts)
            except (EncoderUnavailable, TimeoutError) as error:
                self._tell(error)
            await asyncio.sleep(next(pauses_s))

    def _tell(self, error: Exception) -> None:
        """Log it, once in a call."""
        if not self._is_told:
            log.warning("encoder.unavailable", error=str(error) or type(error).__name__)
        self._is_told = True
