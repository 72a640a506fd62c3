"""The first schema."""

from alembic import op

from flowloom.store import tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table. Until a first release this revision is the tables as they are declared."""
    tables.metadata.create_all(op.get_bind())


def downgrade() -> None:
    tables.metadata.drop_all(op.get_bind())
