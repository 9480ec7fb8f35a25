"""`POST /v1/audio/transcriptions`: speech to text."""

import re
from dataclasses import dataclass

import structlog
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from service_base.problems import BadRequest, read_body
from speech_server.audio import read_wav
from speech_server.errors import UnsupportedLanguage
from speech_server.metrics import REAL_TIME_FACTOR
from speech_server.models import Models
from speech_server.recognizer import RATE_HZ, Recognizer
from speech_server.requests import supervised, while_connected
from speech_server.settings import SpeechSettings
from speech_server.work_queue import WorkQueue

log = structlog.get_logger()

FORMATS = ("json", "text", "verbose_json")
FIELDS_MAX = 32


@dataclass(frozen=True)
class Transcript:
    """What was heard, and the duration of the audio."""

    text: str
    audio_s: float


class Transcriptions:
    """The endpoint, an ASGI application. Accepts any model name."""

    def __init__(self, models: Models, queue: WorkQueue, settings: SpeechSettings) -> None:
        self._models = models
        self._queue = queue
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Raises: ServiceError: NotReady, Busy, TimedOut, BodyTooLarge, BadRequest and its kinds,
            AudioTooLong.
        """
        async with supervised("stt", limit_s=self._settings.speech_timeout_s):
            recognizer = self._models.recognizer
            async with self._queue.admit():
                request = Request(scope, receive)
                limit_bytes = self._settings.speech_max_upload_bytes
                body = await read_body(request, limit_bytes=limit_bytes)
                file, answer_format = await _read_form(scope, body)
                transcript = await while_connected(receive, self._transcribe(recognizer, file))
            await _answer(transcript, answer_format)(scope, receive, send)

    async def _transcribe(self, recognizer: Recognizer, file: bytes) -> Transcript:
        limit_s = self._settings.speech_max_audio_s

        def call() -> Transcript:
            pcm = read_wav(file, rate_hz=RATE_HZ, limit_s=limit_s)
            return Transcript(recognizer.transcribe(pcm), len(pcm) / RATE_HZ)

        transcript, duration_s = await self._queue.run(call)
        REAL_TIME_FACTOR.labels("stt").observe(duration_s / transcript.audio_s)
        log.info(
            "transcription.completed",
            audio_ms=round(1000 * transcript.audio_s),
            duration_ms=round(1000 * duration_s),
            words=len(transcript.text.split()),
        )
        return transcript


async def _read_form(scope: Scope, body: bytes) -> tuple[bytes, str]:
    """The file and the answer's format."""

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        async with Request(scope, replay).form(max_files=1, max_fields=FIELDS_MAX) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise BadRequest("The body must be multipart/form-data with a file named `file`.")
            return await file.read(), _check_options(form)
    except HTTPException as error:
        raise BadRequest("The body is not well-formed multipart/form-data.") from error


def _check_options(form: FormData) -> str:
    language = str(form.get("language") or "en")
    if not re.fullmatch(r"(?i)en([-_].{1,16})?|english", language):
        raise UnsupportedLanguage
    if str(form.get("stream") or "false").lower() != "false":
        raise BadRequest("Transcripts are not streamed; send no `stream`.")
    answer_format = str(form.get("response_format") or "json")
    if answer_format not in FORMATS:
        raise BadRequest(f"`response_format` must be one of {', '.join(FORMATS)}.")
    return answer_format


def _answer(transcript: Transcript, answer_format: str) -> Response:
    headers = {"Cache-Control": "no-store"}
    if answer_format == "text":
        return PlainTextResponse(transcript.text + "\n", headers=headers)
    document: dict[str, object] = {"text": transcript.text}
    if answer_format == "verbose_json":
        document |= {
            "task": "transcribe",
            "language": "english",
            "duration": round(transcript.audio_s, 3),
        }
    return JSONResponse(document, headers=headers)
