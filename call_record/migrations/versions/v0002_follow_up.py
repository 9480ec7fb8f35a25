"""The work after a call: its results, its steps, and the processes that do it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "follow_up",
        sa.Column("call_id", sa.String(36), sa.ForeignKey("call.call_id"), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("queued", sa.Integer, nullable=False),
        sa.Column("summary", sa.Text),
        sa.Column("action_items", sa.Text),
    )
    op.create_index("follow_up_by_state", "follow_up", ["state"])
    op.create_table(
        "follow_up_step",
        sa.Column("call_id", sa.String(36), sa.ForeignKey("follow_up.call_id"), primary_key=True),
        sa.Column("step", sa.String(100), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("dropped", sa.Integer, nullable=False),
        sa.Column("target", sa.String(200)),
        sa.Column("external_id", sa.String(200)),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "executor",
        sa.Column("executor_id", sa.String(200), primary_key=True),
        sa.Column("presence", sa.BigInteger, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
    )
