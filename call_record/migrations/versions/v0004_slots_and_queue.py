"""Workers by the registration under which the SFU sends them calls, and the queue before them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add columns and table; workers of the version before register without the columns."""
    op.create_table(
        "queue_entry",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("caller", sa.String(200), primary_key=True),
        sa.Column("rank", sa.BigInteger, nullable=False),
        sa.Column("networks", sa.String(60)),
        sa.Column("asked_at_ms", sa.BigInteger, nullable=False),
    )
    op.add_column("call", sa.Column("networks", sa.String(60)))
    op.add_column(
        "worker", sa.Column("deployment", sa.String(64), nullable=False, server_default="")
    )
    op.add_column(
        "worker", sa.Column("suspect", sa.Boolean, nullable=False, server_default=sa.false())
    )
