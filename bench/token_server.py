"""The servers that `python -m bench token` compares, each in a process of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal

from sqlalchemy import Column, MetaData, String, Table, insert
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from call_record.calls import Call
from call_record.database import Database
from service_base import logs
from service_base.serve import serve
from token_service.app import build
from token_service.responses import json_response
from token_service.room_tokens import RoomTokens
from token_service.rooms import Rooms
from token_service.settings import TokenSettings
from voice_contract.ids import new_call_id

Kind = Literal["bare", "without SFU", "whole"]

row = Table("bare", MetaData(), Column("call_id", String(36), primary_key=True))


class NoRooms(Rooms):
    """No SFU: what is measured is ours."""

    async def open(self, call: Call, deployment: str) -> None:
        """Nothing."""


def run(kind: Kind, settings: TokenSettings) -> None:
    """Serve until SIGTERM."""
    logs.configure("bench", level="ERROR")
    app = bare(settings) if kind == "bare" else build(settings)
    if kind == "without SFU":
        app.router.lifespan_context = without_sfu(app)
    serve(app, settings.token_host, settings.token_port)


def bare(settings: TokenSettings) -> Starlette:
    """The least that mints a token and durably stores that it did."""
    database = Database(settings.database_url)
    room_tokens = RoomTokens(settings.sfu_key(), settings.rtc_url)

    async def endpoint(_: Request) -> Response:
        call_id = new_call_id()
        async with database.writing() as connection:
            await connection.execute(insert(row).values(call_id=call_id))
        return json_response(room_tokens.token(call_id, "caller"))

    return Starlette(routes=[Route("/api/voice-token", endpoint, methods=["POST"])])


def without_sfu(app: Starlette):  # type: ignore[no-untyped-def]
    """The application's lifespan, with rooms that are not made."""
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with inner(app):
            admission = app.state.admission
            rooms = NoRooms(admission.rooms.client, admission.rooms.agent_name)
            app.state.admission = replace(admission, rooms=rooms)
            yield

    return lifespan


async def make_table(url: str) -> None:
    """The bare endpoint's."""
    database = Database(url)
    async with database.writing() as connection:
        await connection.run_sync(row.metadata.create_all)
    await database.close()
