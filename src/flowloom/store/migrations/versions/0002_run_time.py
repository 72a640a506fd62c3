"""The run-time: what dead letters, waits, caps, caches, pools, lookups, connectors and notifications are kept in."""

import sqlalchemy as sa
from alembic import op

from flowloom.store import tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what a database of the first schema lacks; one that was made by today's tables lacks nothing."""
    found = sa.inspect(op.get_bind())
    known = set(found.get_table_names())
    tables.metadata.create_all(op.get_bind())
    for table in tables.metadata.sorted_tables:
        if table.name in known:
            _complete(table, found)


def _complete(table: sa.Table, found: sa.Inspector) -> None:
    columns = {column["name"] for column in found.get_columns(table.name)}
    for column in table.columns:
        if column.name not in columns:
            op.add_column(table.name, sa.Column(column.name, column.type, nullable=column.nullable,
                                                server_default=column.server_default))  # fmt: skip
    indexes = {index["name"] for index in found.get_indexes(table.name)}
    for index in table.indexes:
        if index.name not in indexes:
            index.create(op.get_bind())
    for name in {"ix_flow_runs_queue", "ix_flow_runs_started", "ix_flow_runs_serial"} & indexes:
        op.drop_index(str(name), table.name)


def downgrade() -> None:
    raise SystemExit("Schema 0002 cannot be taken back: go back to a copy of the database.")
