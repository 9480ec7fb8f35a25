"""Callers who stay out, and an index to tell how long a caller has talked today."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table; widen the index."""
    op.create_table(
        "deny_entry",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("caller", sa.String(200), primary_key=True),
        sa.Column("call_id", sa.String(36), primary_key=True),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
    )
    op.drop_index("call_by_caller", "call")
    op.create_index("call_by_caller", "call", ["caller", "ended_at_ms"])
