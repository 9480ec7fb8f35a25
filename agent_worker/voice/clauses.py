"""What is synthesized in one piece by a voice that cannot stream."""

import functools
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from livekit.agents import tts
from livekit.agents.tokenize import (
    BufferedSentenceStream,
    SentenceStream,
    SentenceTokenizer,
    blingfire,
)

from agent_worker.livekit_compat import without_markdown

SENTENCE_CHARS_MIN = 20
"""Shorter sentences that come together are synthesized together."""


def by_clause(voice: tts.TTS[Any]) -> tts.TTS[Any]:
    """*voice*, which gets text by the clause if it cannot stream."""
    if voice.capabilities.streaming:
        return voice
    return tts.StreamAdapter(tts=voice, sentence_tokenizer=Clauses())


async def plain(text: AsyncIterable[str]) -> AsyncIterator[str]:
    """*text* without markdown, piece by piece: LiveKit's own filter keeps back what ends one."""
    async for piece in text:
        yield without_markdown(piece)


class Clauses(SentenceTokenizer):
    """
    Sentences; and what a push ends with is whole: texts come whole or by the clause.

    LiveKit's own tokenizers wait for the sentence after, so "Of course." sounds when a model has
    written the next sentence, and never if it has stalled.
    """

    def __init__(self) -> None:
        self._sentences = blingfire.SentenceTokenizer(
            min_sentence_len=SENTENCE_CHARS_MIN, retain_format=True
        )

    def tokenize(self, text: str, *, language: str | None = None) -> list[str]:
        """The sentences of *text*."""
        return self._sentences.tokenize(text, language=language)

    def stream(self, *, language: str | None = None) -> SentenceStream:
        """Takes text as it comes."""
        return _ClauseStream(
            tokenizer=functools.partial(_tokens, self._sentences),
            min_token_len=SENTENCE_CHARS_MIN,
            min_ctx_len=SENTENCE_CHARS_MIN,
        )


class _ClauseStream(BufferedSentenceStream):
    def push_text(self, text: str) -> None:
        super().push_text(text)
        self.flush()


def _tokens(sentences: SentenceTokenizer, text: str) -> list[str]:
    return sentences.tokenize(text)
