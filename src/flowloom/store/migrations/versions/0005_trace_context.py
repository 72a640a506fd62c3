"""The trace that a run belongs to when its caller named one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
TABLE, COLUMN = "flow_runs", "trace_context"


def upgrade() -> None:
    """Add what a database of the schema before lacks; one that was made by today's tables lacks nothing."""
    if COLUMN not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns(TABLE)}:
        op.add_column(TABLE, sa.Column(COLUMN, sa.Text))


def downgrade() -> None:
    """Runs go on without the trace of their caller."""
    op.drop_column(TABLE, COLUMN)
