"""The indexes of lists of runs that are narrowed by flow, time, trigger, end or warnings."""

from flowloom.store import online, tables

revision = "0006"
down_revision = "0005"
NEW = [
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


def upgrade() -> None:
    """Add what a database of the schema before lacks; one that was made by today's tables lacks nothing."""
    for name in NEW:
        online.add_index(tables.runs, name)
    online.add_index(tables.payloads, "ix_payloads_company")


def downgrade() -> None:
    """Lists are as slow as before."""
    for name in NEW:
        online.drop_index("flow_runs", name)
    online.drop_index("payloads", "ix_payloads_company")
