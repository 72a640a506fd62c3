"""The trace that a run belongs to when its caller named one."""

import sqlalchemy as sa

from flowloom.store import online

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add what a database of the schema before lacks; one that was made by today's tables lacks nothing."""
    online.add_column("flow_runs", sa.Column("trace_context", sa.Text))


def downgrade() -> None:
    """Runs go on without the trace of their caller."""
    online.drop_column("flow_runs", "trace_context")
