"""Which ended calls after-call work was made for, so that nobody looks through all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add column and index."""
    op.add_column("call", sa.Column("taken", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute("UPDATE call SET taken = true WHERE call_id IN (SELECT call_id FROM follow_up)")
    op.create_index(
        "call_untaken",
        "call",
        ["ended_at_ms"],
        sqlite_where=sa.text("taken = 0"),
        postgresql_where=sa.text("NOT taken"),
    )
