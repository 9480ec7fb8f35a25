"""`POST /v1/audio/speech`: text to speech, streamed clause by clause."""

import base64
import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from typing import Literal

import structlog
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from speech_server.audio import wav_header
from speech_server.cache import ByteCache
from speech_server.clauses import clauses
from speech_server.errors import EmptyText, TextTooLong
from speech_server.metrics import CLAUSES, FIRST_BYTE_S, REAL_TIME_FACTOR
from speech_server.models import Models
from speech_server.requests import read_json, supervised, while_connected
from speech_server.settings import SpeechSettings
from speech_server.synthesizer import RATE_HZ, Synthesizer
from speech_server.work_queue import Urgency, WorkQueue

log = structlog.get_logger()

BYTES_PER_S = 2 * RATE_HZ
URGENCY_USUAL = 3
"""Of a request that does not say; RFC 9218 counts from 0, the most urgent, to 7."""


class SpeechRequest(BaseModel):
    """The body. `model`, `voice` and `instructions` are ignored: there is one voice."""

    input: str
    response_format: Literal["wav", "pcm"] = "wav"
    """24 kHz, mono, 16-bit; `pcm` has no header."""
    speed: float = Field(1.0, ge=0.5, le=2.0)
    stream_format: Literal["audio", "sse"] = "audio"
    """The sound itself, or server-sent events with the sound in base64."""


class Speech:
    """The endpoint, an ASGI application."""

    def __init__(self, models: Models, queue: WorkQueue, settings: SpeechSettings) -> None:
        self._models = models
        self._queue = queue
        self._settings = settings
        self._cache = ByteCache[tuple[str, float]](settings.speech_cache_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Raises: ServiceError: NotReady, Busy, TimedOut, BodyTooLarge, BadRequest and its kinds.
        """
        started = time.perf_counter()
        request_id = uuid.uuid4().hex
        async with supervised("tts", limit_s=self._settings.speech_timeout_s):
            voice = self._models.synthesizer
            async with self._queue.admit():
                request = Request(scope, receive)
                wish = await self._read(request)
                first, *rest = _to_say(wish)
                is_awaited = _is_awaited(request)
                # Before the response starts, so that an error in the first clause has its status.
                urgency = Urgency.NOW if is_awaited else Urgency.LATER
                speaking = self._speak(voice, first, wish.speed, urgency)
                sound = await while_connected(receive, speaking)
                first_byte_s = time.perf_counter() - started
                FIRST_BYTE_S.observe(first_byte_s)
                urgency = Urgency.SOON if is_awaited else Urgency.LATER
                stream = self._stream(voice, sound, rest, wish, urgency)
                await _answer(wish, stream, request_id)(scope, receive, send)
        log.info(
            "speech.answered",
            request_id=request_id,
            characters=len(wish.input),
            clauses=1 + len(rest),
            first_byte_ms=round(1000 * first_byte_s),
            duration_ms=round(1000 * (time.perf_counter() - started)),
        )

    async def _read(self, request: Request) -> SpeechRequest:
        characters = self._settings.speech_max_characters
        wish = await read_json(request, SpeechRequest, characters=characters)
        if len(wish.input) > characters:
            raise TextTooLong(
                f"The text has {len(wish.input)} characters; this server speaks up to {characters}."
            )
        return wish

    async def _speak(
        self, voice: Synthesizer, clause: str, speed: float, urgency: Urgency
    ) -> bytes:
        known = self._cache.get((clause, speed))
        CLAUSES.labels("model" if known is None else "cache").inc()
        if known is not None:
            return known
        sound, duration_s = await self._queue.run(lambda: voice.speak(clause, speed), urgency)
        if sound:
            REAL_TIME_FACTOR.labels("tts").observe(duration_s * BYTES_PER_S / len(sound))
        self._cache.put((clause, speed), sound)
        return sound

    async def _stream(
        self,
        voice: Synthesizer,
        first: bytes,
        rest: list[str],
        wish: SpeechRequest,
        urgency: Urgency,
    ) -> AsyncIterator[bytes]:
        header = wav_header(RATE_HZ) if wish.response_format == "wav" else b""
        yield header + first
        for clause in rest:
            yield await self._speak(voice, clause, wish.speed, urgency)


def _is_awaited(request: Request) -> bool:
    """Whether somebody waits for the sound: not if the header `Priority` (RFC 9218) is behind."""
    found = re.search(r"(?:^|,)\s*u=([0-7])(?![0-9])", request.headers.get("priority", ""))
    return found is None or int(found[1]) <= URGENCY_USUAL


def _to_say(wish: SpeechRequest) -> list[str]:
    parts = clauses(wish.input)
    if not parts:
        raise EmptyText
    return parts


def _answer(
    wish: SpeechRequest, stream: AsyncIterator[bytes], request_id: str
) -> StreamingResponse:
    headers = {"Cache-Control": "no-store", "X-Request-Id": request_id}
    if wish.stream_format == "sse":
        return StreamingResponse(_events(stream), headers=headers, media_type="text/event-stream")
    return StreamingResponse(stream, headers=headers, media_type=f"audio/{wish.response_format}")


async def _events(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for sound in stream:
        yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(sound).decode()})
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    yield _event({"type": "speech.audio.done", "usage": usage})


def _event(document: dict[str, object]) -> bytes:
    return f"data: {json.dumps(document)}\n\n".encode()
