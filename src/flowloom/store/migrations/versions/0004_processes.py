"""Several processes on one database: who they are, who works on which run, and what their connectors share."""

import sqlalchemy as sa

from flowloom.store import online, tables

revision = "0004"
down_revision = "0003"
TABLES = [tables.processes, tables.turns, tables.circuits]


def upgrade() -> None:
    """Add what a database of the schema before lacks; one that was made by today's tables lacks nothing."""
    online.add_column("flow_runs", sa.Column("worker_id", sa.BigInteger))
    online.add_index(tables.runs, "ix_flow_runs_worked")
    online.add_tables(TABLES)


def downgrade() -> None:
    """Take away what only several processes need."""
    online.drop_tables(TABLES)
    online.drop_index("flow_runs", "ix_flow_runs_worked")
    online.drop_column("flow_runs", "worker_id")
