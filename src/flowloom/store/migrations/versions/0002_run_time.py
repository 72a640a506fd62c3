"""The run-time: what dead letters, waits, caps, caches, pools, lookups, connectors and notifications are kept in."""

import sqlalchemy as sa
from alembic import op

from flowloom import errors
from flowloom.store import online, tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what a database of the first schema lacks; one that was made by today's tables lacks nothing."""
    known = set(sa.inspect(op.get_bind()).get_table_names())
    tables.metadata.create_all(op.get_bind())
    for table in tables.metadata.sorted_tables:
        if table.name in known:
            _complete(table)


def _complete(table: sa.Table) -> None:
    for column in table.columns:
        new = sa.Column(
            column.name, column.type, nullable=column.nullable, server_default=column.server_default
        )
        online.add_column(table.name, new)
    for index in table.indexes:
        online.add_index(table, str(index.name))
    for name in ("ix_flow_runs_queue", "ix_flow_runs_started", "ix_flow_runs_serial"):
        online.drop_index("flow_runs", name)


def downgrade() -> None:
    raise errors.Conflict("Schema 0002 cannot be taken back: go back to a copy of the database.")
