"""Workers by the registration under which the SFU sends them calls."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; workers of the version before register without them."""
    op.add_column(
        "worker", sa.Column("deployment", sa.String(64), nullable=False, server_default="")
    )
    op.add_column(
        "worker", sa.Column("suspect", sa.Boolean, nullable=False, server_default=sa.false())
    )
