"""Which ended calls after-call work was made for, so that nobody looks through all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add column and index. Only what is to be taken yet is written: all others wait meanwhile."""
    # With a default PostgreSQL adds a column without touching a row.
    op.add_column("call", sa.Column("taken", sa.Boolean, nullable=False, server_default=sa.true()))
    op.execute(
        "UPDATE call SET taken = false WHERE NOT EXISTS "
        "(SELECT 1 FROM follow_up WHERE follow_up.call_id = call.call_id)"
    )
    with op.batch_alter_table("call") as table:
        table.alter_column("taken", server_default=sa.false())
    op.create_index(
        "call_untaken",
        "call",
        ["ended_at_ms"],
        sqlite_where=sa.text("taken = 0"),
        postgresql_where=sa.text("NOT taken"),
    )
