"""Whether a company is set up, and the indexes of what its overview counts."""

import sqlalchemy as sa

from flowloom.store import online, tables

revision = "0003"
down_revision = "0002"
LOSES = "whether a company is set up: its administrator is not asked to"
INDEXES = {
    "ix_dead_letters_open": tables.dead_letters,
    "ix_flow_runs_failed": tables.runs,
    "ix_flow_runs_unfinished": tables.runs,
    "ix_metrics_runs": tables.metrics,
}


def upgrade() -> None:
    """Add what a database of the second schema lacks; one that was made by today's tables lacks nothing."""
    is_set_up = sa.Column("is_set_up", sa.Boolean, nullable=False, server_default=sa.text("true"))
    online.add_column("companies", is_set_up)
    for name, table in INDEXES.items():
        online.add_index(table, name)


def downgrade() -> None:
    for name, table in INDEXES.items():
        online.drop_index(table.name, name)
    online.drop_column("companies", "is_set_up")
