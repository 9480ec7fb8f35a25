"""Calls, their journals, workers, the admission row, tombstones."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "call",
        sa.Column("call_id", sa.String(36), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(200)),
        sa.Column("worker_id", sa.String(200)),
        sa.Column("renewals", sa.BigInteger, nullable=False),
        sa.Column("caller", sa.String(200)),
        sa.Column("tenant", sa.String(200)),
        sa.Column("display_name", sa.String(200)),
        sa.Column("return_proof_hash", sa.LargeBinary),
        sa.Column("admitted_at_ms", sa.BigInteger, nullable=False),
        sa.Column("joined_at_ms", sa.BigInteger),
        sa.Column("ended_at_ms", sa.BigInteger),
        sa.Column("end_reason", sa.String(200)),
        sa.Column("key_id", sa.String(200), nullable=False),
        sa.Column("head_seq", sa.Integer, nullable=False),
        sa.Column("head_mac", sa.LargeBinary, nullable=False),
    )
    op.create_index("call_by_state", "call", ["state", "ended_at_ms"])
    op.create_index("call_by_caller", "call", ["caller"])
    op.create_table(
        "journal",
        sa.Column("call_id", sa.String(36), sa.ForeignKey("call.call_id"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(200), nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "worker",
        sa.Column("worker_id", sa.String(200), primary_key=True),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("presence", sa.BigInteger, nullable=False),
        sa.Column("draining", sa.Boolean, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
    )
    admission = op.create_table(
        "admission",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("n", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(admission, [{"id": 1, "n": 0}])
    op.create_table(
        "tombstone",
        sa.Column("call_id", sa.String(36), primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        sa.Column("last_seq", sa.Integer, nullable=False),
        sa.Column("last_mac", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.String(200), nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
    )
