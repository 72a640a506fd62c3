"""The indexes of lists of runs that are narrowed by flow, time, trigger, end or warnings."""

import sqlalchemy as sa

from flowloom.store import online, tables

revision = "0006"
down_revision = "0005"
NEW = [
    "ix_flow_runs_good",
    "ix_flow_runs_by_flow",
    "ix_flow_runs_by_version",
    "ix_flow_runs_trigger",
    "ix_flow_runs_flow_trigger",
    "ix_flow_runs_started",
    "ix_flow_runs_flow_started",
    "ix_flow_runs_schedule",
    "ix_flow_runs_warned",
    "ix_flow_runs_bad",
    "ix_flow_runs_flow_bad",
    "ix_flow_runs_bad_started",
]
# The ones before `by_flow` and `by_version`, which do the same and more.
RUNS = sa.Table(
    "flow_runs",
    sa.MetaData(),
    *(sa.Column(name, sa.BigInteger) for name in ("id", "flow_id", "flow_version_id")),
)
REPLACED = [
    sa.Index("ix_flow_runs_flow", RUNS.c.flow_id, RUNS.c.id),
    sa.Index("ix_flow_runs_version", RUNS.c.flow_version_id, RUNS.c.id),
]


def upgrade() -> None:
    """Add what a database of the schema before lacks; one that was made by today's tables lacks nothing."""
    for name in NEW:
        online.add_index(tables.runs, name)
    online.add_index(tables.payloads, "ix_payloads_listed")
    for index in REPLACED:
        online.drop_index("flow_runs", str(index.name))


def downgrade() -> None:
    """Lists are as slow as before."""
    for index in REPLACED:
        online.add_index(RUNS, str(index.name))
    for name in NEW:
        online.drop_index("flow_runs", name)
    online.drop_index("payloads", "ix_payloads_listed")
