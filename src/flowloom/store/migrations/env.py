"""How Alembic reaches the database: the URL comes from the caller, never from a file."""

from alembic import context
from sqlalchemy import create_engine

from flowloom.store import tables

engine = create_engine(context.config.attributes["url"])
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=tables.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
