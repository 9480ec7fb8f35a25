"""A token service of canned answers, for tests of the page alone: real HTTP, a real SFU."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from livekit import api
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from service_base.serve import background_server, bind
from tests.support.local_stack import ROOT, LocalStack, free_ports
from token_service import page_words
from token_service.static_site import SecurityHeaders, StaticSite
from voice_contract.follow_up import FollowUp
from voice_contract.ids import new_call_id
from voice_contract.names import AGENT_IDENTITY_PREFIX
from voice_contract.page_words import PageWords
from voice_contract.tokens import (
    CallView,
    Problem,
    QueueProblem,
    TranscriptLine,
    VoiceToken,
    VoiceTokenRequest,
)

CALLER = "caller-1"
AGENT_NAME = "The agent of the test"


@dataclass
class CannedService:
    """Admits everyone whom no refusal awaits, and keeps what it was asked."""

    sfu: LocalStack
    url: str
    refusals: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    """Status, code and headers of the next answers to requests for a place."""
    positions: list[int] = field(default_factory=list)
    """In the queue, told along with the next of them."""
    transcript: list[TranscriptLine] = field(default_factory=list)
    """Of every call."""
    follow_ups: list[FollowUp] = field(default_factory=list)
    """The next answers; the last one stays."""
    asked: list[str | None] = field(default_factory=list)
    """The call of each request for a place."""
    ended: list[str] = field(default_factory=list)
    """The calls that were ended here."""
    call_id: str = field(default_factory=new_call_id)
    """The call that is given."""

    def app(self) -> Starlette:
        """The routes."""
        call = "/api/calls/{call_id}"
        return Starlette(
            routes=[
                Route("/api/voice-token", self._voice_token, methods=["POST"]),
                Route("/api/page", page_words.answer(PageWords())),
                Route(call, self._view),
                Route(f"{call}/end", self._end, methods=["POST"]),
                Route(f"{call}/follow-up", self._follow_up),
                Mount("/", StaticSite(ROOT / "web" / "dist")),
            ],
            middleware=[Middleware(SecurityHeaders, rtc_url=self.sfu.sfu_url)],
        )

    def token(self, call_id: str, identity: str) -> str:
        """A token for *identity* in the call's room; an agent does not count as one of its two."""
        is_agent = identity.startswith(AGENT_IDENTITY_PREFIX)
        grants = api.VideoGrants(room_join=True, room=call_id, can_update_own_metadata=is_agent)
        return (
            api.AccessToken(self.sfu.key.api_key, self.sfu.key.secret)
            .with_identity(identity)
            .with_name(AGENT_NAME if is_agent else "")
            .with_kind("agent" if is_agent else "standard")
            .with_ttl(timedelta(seconds=60))
            .with_grants(grants)
            .to_jwt()
        )

    async def _voice_token(self, request: Request) -> Response:
        wish = VoiceTokenRequest.model_validate_json(await request.body())
        self.asked.append(wish.call_id)
        if self.refusals:
            status, code, headers = self.refusals.pop(0)
            problem = Problem(
                type="about:blank", title=code, status=status, code=code, detail="A sentence."
            )
            if self.positions:
                problem = QueueProblem(**vars(problem), position=self.positions.pop(0))
            return Response(
                problem.model_dump_json(),
                status,
                media_type="application/problem+json",
                headers=headers,
            )
        place = VoiceToken(
            rtc_url=self.sfu.sfu_url,
            token=self.token(self.call_id, CALLER),
            expires_at=datetime.now(UTC) + timedelta(seconds=30),
        )
        return Response(place.model_dump_json(), media_type="application/json")

    async def _view(self, request: Request) -> Response:
        call_id = request.path_params["call_id"]
        ended = call_id in self.ended
        view = CallView(
            call_id=call_id,
            state="ended" if ended else "live",
            end_reason="caller" if ended else None,
            transcript=self.transcript,
        )
        return Response(view.model_dump_json(), media_type="application/json")

    async def _end(self, request: Request) -> Response:
        self.ended.append(request.path_params["call_id"])
        return Response(status_code=204)

    async def _follow_up(self, _: Request) -> Response:
        if not self.follow_ups:
            return Response(FollowUp(state="waiting").model_dump_json(), 200)
        answer = self.follow_ups.pop(0) if len(self.follow_ups) > 1 else self.follow_ups[0]
        return Response(answer.model_dump_json(), media_type="application/json")


@asynccontextmanager
async def canned_service(sfu: LocalStack) -> AsyncIterator[CannedService]:
    """The service with an SFU, listening."""
    (port,) = free_ports(1)
    service = CannedService(sfu, f"http://127.0.0.1:{port}")
    async with listening(service.app(), port):
        yield service


@asynccontextmanager
async def listening(app: ASGIApp, port: int) -> AsyncIterator[None]:
    """Serve *app* on 127.0.0.1."""
    server = background_server(app)
    serving = asyncio.create_task(server.serve(sockets=[bind("127.0.0.1", port)]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
