"""Whether a company is set up, and the indexes of what its overview counts."""

import sqlalchemy as sa
from alembic import op

from flowloom.store import tables

revision = "0003"
down_revision = "0002"
INDEXES = {
    "ix_dead_letters_open": tables.dead_letters,
    "ix_flow_runs_failed": tables.runs,
    "ix_flow_runs_unfinished": tables.runs,
    "ix_metrics_runs": tables.metrics,
}


def upgrade() -> None:
    """Add what a database of the second schema lacks; one that was made by today's tables lacks nothing."""
    found = sa.inspect(op.get_bind())
    if "is_set_up" not in {column["name"] for column in found.get_columns("companies")}:
        op.add_column(
            "companies", sa.Column("is_set_up", sa.Boolean, nullable=False, server_default=sa.text("true"))
        )
    for name, table in INDEXES.items():
        if name not in {index["name"] for index in found.get_indexes(table.name)}:
            next(index for index in table.indexes if index.name == name).create(op.get_bind())


def downgrade() -> None:
    raise SystemExit("Schema 0003 cannot be taken back: go back to a copy of the database.")
