"""Alembic runs the migrations in the connection and transaction of `call_record.prepare`."""

import logging

from alembic import context

from call_record.tables import metadata

logging.getLogger("alembic").setLevel(logging.WARNING)
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
