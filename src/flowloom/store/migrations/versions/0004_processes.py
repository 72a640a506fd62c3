"""Several processes on one database: who they are, who works on which run, and what their connectors share."""

import sqlalchemy as sa
from alembic import op

from flowloom.store import tables

revision = "0004"
down_revision = "0003"
TABLES = [tables.processes, tables.turns, tables.circuits]


def upgrade() -> None:
    """Add what a database of the schema before lacks; one that was made by today's tables lacks nothing."""
    found = sa.inspect(op.get_bind())
    if "worker_id" not in {column["name"] for column in found.get_columns("flow_runs")}:
        op.add_column("flow_runs", sa.Column("worker_id", sa.BigInteger))
    if "ix_flow_runs_worked" not in {index["name"] for index in found.get_indexes("flow_runs")}:
        worked = next(index for index in tables.runs.indexes if index.name == "ix_flow_runs_worked")
        worked.create(op.get_bind())
    tables.metadata.create_all(op.get_bind(), TABLES)


def downgrade() -> None:
    """Take away what only several processes need."""
    tables.metadata.drop_all(op.get_bind(), TABLES)
    op.drop_index("ix_flow_runs_worked", "flow_runs")
    op.drop_column("flow_runs", "worker_id")
