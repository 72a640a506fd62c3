"""How Alembic reaches the database: the URL comes from the caller, never from a file.

On PostgreSQL each migration is a transaction, and may step out of it to build an index. On SQLite all are one, which
begins with the right to write: another process that migrates waits for it, and then finds nothing to do.
"""

import sqlite3

from alembic import context
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from flowloom.store import online, tables

SQLITE_WAITS_SECONDS = 60


def _let_us_begin(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


engine = create_engine(context.config.attributes["url"])
is_sqlite = engine.dialect.name == "sqlite"
if is_sqlite:
    engine = create_engine(engine.url, connect_args={"timeout": SQLITE_WAITS_SECONDS})
    event.listen(engine, "connect", _let_us_begin)
    event.listen(engine, "begin", _begin)
with engine.connect() as connection:
    if not is_sqlite:
        connection.exec_driver_sql(f"SET lock_timeout = '{online.LOCK_SECONDS}s'")
        connection.commit()
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        transactional_ddl=True,
        transaction_per_migration=not is_sqlite,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
