"""
The tables. `*_at_ms` is Unix time in milliseconds: for people, for retention, and for how long a
caller has talked today.
"""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)


class CallState(StrEnum):
    """docs/record.md says what moves a call from one state to the next."""

    REQUESTED = "requested"
    LIVE = "live"
    ENDING = "ending"
    ENDED = "ended"


OPEN = (CallState.REQUESTED, CallState.LIVE, CallState.ENDING)
"""States of calls that go on."""

metadata = MetaData()

call = Table(
    "call",
    metadata,
    Column("call_id", String(36), primary_key=True),
    Column("state", String(16), nullable=False),
    # One live agent: which one was sent, which job has the call, which worker was chosen for it,
    # the sign that it lives.
    Column("attempt", Integer, nullable=False),
    Column("owner", String(200)),
    Column("worker_id", String(200)),
    Column("renewals", BigInteger, nullable=False),
    # The caller; nothing is left of it when the call is erased.
    Column("caller", String(200)),
    Column("tenant", String(200)),
    Column("display_name", String(200)),
    Column("return_proof_hash", LargeBinary),
    Column("networks", String(60)),  # of an anonymous caller, under keyed names, blanks between
    Column("admitted_at_ms", BigInteger, nullable=False),
    Column("joined_at_ms", BigInteger),
    Column("ended_at_ms", BigInteger),
    Column("end_reason", String(200)),
    # The journal's head.
    Column("key_id", String(200), nullable=False),
    Column("head_seq", Integer, nullable=False),
    Column("head_mac", LargeBinary, nullable=False),
    # Whether after-call work was made for it, or none is to be made.
    Column("taken", Boolean, nullable=False, server_default=false()),
    Index("call_by_state", "state", "ended_at_ms"),
    Index("call_by_caller", "caller", "ended_at_ms"),
)

# Small: after-call work is made for most calls within a second of their end.
Index(
    "call_untaken",
    call.c.ended_at_ms,
    sqlite_where=~call.c.taken,
    postgresql_where=~call.c.taken,
)

journal = Table(
    "journal",
    metadata,
    Column("call_id", ForeignKey("call.call_id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("kind", String(200), nullable=False),
    Column("body", Text),
    Column("salt", LargeBinary),
    Column("digest", LargeBinary),  # in place of body and salt when they are erased
    Column("mac", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

worker = Table(
    "worker",
    metadata,
    Column("worker_id", String(200), primary_key=True),
    Column("capacity", Integer, nullable=False),
    Column("presence", BigInteger, nullable=False),
    Column("draining", Boolean, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("deployment", String(64), nullable=False, server_default=""),
    Column("suspect", Boolean, nullable=False, server_default=false()),
)

admission = Table(
    "admission",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("n", BigInteger, nullable=False),
)

queue_entry = Table(
    "queue_entry",
    metadata,
    Column("tenant", String(200), primary_key=True),  # empty: none
    Column("caller", String(200), primary_key=True),
    Column("rank", BigInteger, nullable=False),
    Column("networks", String(60)),
    Column("asked_at_ms", BigInteger, nullable=False),
)

deny_entry = Table(
    "deny_entry",
    metadata,
    Column("tenant", String(200), primary_key=True),  # empty: none
    Column("caller", String(200), primary_key=True),
    Column("call_id", String(36), primary_key=True),  # empty: any call
    Column("until_ms", BigInteger, nullable=False),
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("call_id", String(36), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("why", String(200), nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("last_mac", LargeBinary, nullable=False),
    Column("key_id", String(200), nullable=False),
    Column("mac", LargeBinary, nullable=False),
)

follow_up = Table(
    "follow_up",
    metadata,
    Column("call_id", ForeignKey("call.call_id"), primary_key=True),
    Column("state", String(16), nullable=False),
    # Each run is a workflow; the first one is 0. It is queued once `queued` has its number.
    Column("run", Integer, nullable=False),
    Column("queued", Integer, nullable=False),
    # JSON; nothing is left of it when the call is erased.
    Column("summary", Text),
    Column("action_items", Text),
    Index("follow_up_by_state", "state"),
)

follow_up_step = Table(
    "follow_up_step",
    metadata,
    Column("call_id", ForeignKey("follow_up.call_id"), primary_key=True),
    Column("step", String(100), primary_key=True),
    Column("position", Integer, nullable=False),  # in the order of the work
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("dropped", Integer, nullable=False),
    # Where something was sent to, and what it is called there.
    Column("target", String(200)),
    Column("external_id", String(200)),
    Column("at_ms", BigInteger, nullable=False),
)

executor = Table(
    "executor",
    metadata,
    Column("executor_id", String(200), primary_key=True),
    Column("presence", BigInteger, nullable=False),
    Column("gone", Boolean, nullable=False),
)
