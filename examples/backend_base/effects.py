"""
Effects happen once: an `Idempotency-Key`, the effect, its row in the ledger and the answer are one
transaction.

The first request with a key decides the answer, a refusal included. Every later one with the same
key, path and body gets that answer again and changes nothing.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import String, Text, inspect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column
from starlette.requests import Request
from starlette.responses import Response

from examples.backend_base.database import Session
from examples.backend_base.errors import NotFound, Refusal
from examples.backend_base.ledger import LedgerColumns
from examples.backend_base.payloads import answer
from service_base.problems import ServiceError, problem

KEY_HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,200}")


class KeyMissing(ServiceError):
    """This request needs an Idempotency-Key header of 1 to 200 visible ASCII characters."""

    status = 400
    code = "idempotency-key-required"


class KeyReused(ServiceError):
    """This Idempotency-Key was already used for another request."""

    status = 422
    code = "idempotency-key-reused"


class KeyColumns:
    """A table's columns for a key, what it was used for, and the answer of every repetition."""

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of method, path and body."""
    requests: Mapped[int]
    """How often the key was sent with the same body, the first time included."""
    status: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)


@dataclass(frozen=True)
class Done:
    """An effect that happened: `kind` and `subject` go to the ledger, `answer` to the client."""

    kind: str
    subject: str
    answer: BaseModel
    status: int = 200


def key_of(request: Request) -> str:
    """The request's key. Raises: KeyMissing."""
    key = request.headers.get(KEY_HEADER, "")
    if not KEY.fullmatch(key):
        raise KeyMissing
    return key


def fingerprint(request: Request, body: BaseModel) -> str:
    """By which a repetition is told from another request with the same key."""
    text = "\n".join((request.method, request.url.path, body.model_dump_json()))
    return hashlib.sha256(text.encode()).hexdigest()


async def once(
    session: Session, row: KeyColumns, entry: LedgerColumns, effect: Callable[[], Awaitable[Done]]
) -> Response:
    """
    Do *effect* in *session* unless the key of *row*, a new row, is known there.

    What *effect* has written is rolled back where it raises; `NotFound` and `Refusal` become the
    answer that is kept.

    Args: entry: A new row of the ledger, which gets the effect's kind and subject if it happens.
    Raises: KeyReused; what else *effect* raises, which does not use up the key.
    """
    if not await _claim(session, row):
        return await _replay(session, row)
    try:
        async with session.begin_nested():
            done = await effect()
            entry.kind, entry.subject = done.kind, done.subject
            session.add(entry)
            await session.flush()
        response = answer(done.answer, done.status)
    except (Refusal, NotFound) as refusal:
        response = problem(refusal.status, refusal.code, refusal.detail)
    row.status = response.status_code
    row.body = bytes(response.body).decode()
    return response


async def _claim(session: Session, row: KeyColumns) -> bool:
    # PostgreSQL waits here while another transaction holds the key; SQLite has waited before.
    try:
        async with session.begin_nested():
            session.add(row)
            await session.flush()
    except IntegrityError:
        return False
    return True


async def _replay(session: Session, sent: KeyColumns) -> Response:
    identity = inspect(type(sent)).primary_key_from_instance(sent)
    row = await session.get_one(type(sent), identity, with_for_update=True)
    if row.fingerprint != sent.fingerprint:
        raise KeyReused
    row.requests += 1
    assert row.status is not None and row.body is not None
    failed = row.status >= 400
    return Response(
        row.body,
        row.status,
        media_type="application/problem+json" if failed else "application/json",
        headers={"Cache-Control": "no-store", "Idempotency-Replayed": "true"},
    )
