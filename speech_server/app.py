"""The speech server's routes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service_base.cores import cores
from service_base.health import health_routes
from service_base.metrics import METRICS_ROUTE, MetricsMiddleware
from speech_server.embeddings import EMBEDDING_MODEL, Embeddings
from speech_server.errors import EXCEPTION_HANDLERS
from speech_server.models import Models
from speech_server.settings import SpeechSettings
from speech_server.speech import Speech
from speech_server.synthesizer import voices
from speech_server.transcriptions import Transcriptions
from speech_server.work_queue import WorkQueue

MODELS = ("moonshine-tiny-en", "piper-en-us-joe")
THREADS_MAX = 8
"""Unless a setting says more: each two bring a copy of the voice, of about 100 MB."""
ENCODER_NICENESS = 10
"""An opinion that comes late does less harm than a late word."""


async def list_models(request: Request) -> Response:
    """`GET /v1/models`: for clients that choose from the list; requests may name any model."""
    ids = request.app.state.models
    data = [{"id": id, "object": "model", "created": 0, "owned_by": "local"} for id in ids]
    return JSONResponse({"object": "list", "data": data})


def build(settings: SpeechSettings) -> Starlette:
    """The application. Loading the models starts when it starts to serve."""
    has_encoder = settings.speech_encoder
    threads = settings.speech_threads or min(max(1, int(cores())), THREADS_MAX)
    models = Models(threads=threads, encoder=has_encoder)
    ears = WorkQueue("stt", workers=threads, queue=settings.speech_queue)
    voice = WorkQueue("tts", workers=voices(threads), queue=settings.speech_queue)
    meaning = WorkQueue(
        "encoder", workers=1, queue=settings.speech_queue, niceness=ENCODER_NICENESS
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        loading = asyncio.create_task(models.load())
        yield
        loading.cancel()
        ears.close()
        voice.close()
        meaning.close()

    embeddings = Route("/v1/embeddings", Embeddings(models, meaning, settings), methods=["POST"])
    app = Starlette(
        routes=[
            Route(
                "/v1/audio/transcriptions",
                Transcriptions(models, ears, settings),
                methods=["POST"],
            ),
            Route("/v1/audio/speech", Speech(models, voice, settings), methods=["POST"]),
            *([embeddings] if has_encoder else []),
            Route("/v1/models", list_models),
            *health_routes({"models": models.check}),
            METRICS_ROUTE,
        ],
        middleware=[Middleware(MetricsMiddleware)],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
    app.state.models = (*MODELS, *([EMBEDDING_MODEL] if has_encoder else []))
    return app
