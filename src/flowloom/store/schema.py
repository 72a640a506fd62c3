"""The schema's version: whether the database is migrated, and migrating it. Alembic is loaded only when needed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from flowloom import errors
from flowloom.store import rights

MIGRATIONS = Path(__file__).parent / "migrations"
# The newest revision in migrations/versions; a test holds the two together.
HEAD = "0005"


def current(connection: Connection) -> str | None:
    """The revision a database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def faults(connection: Connection) -> list[str]:
    """What is wrong with the schema, in words; nothing when it is the newest."""
    found = current(connection)
    return [] if found == HEAD else [f"the database is at schema {found or 'none'}, not {HEAD}"]


def check(url: str) -> list[str]:
    """The same for a database that is not open yet, or why it cannot be opened. Makes nothing."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite" and not Path(parts.database or "").exists():
        return [f"there is no database {parts.database}"]
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return faults(connection)
    except DBAPIError as error:
        return [f"the database cannot be opened ({_reason(error)})"]
    finally:
        engine.dispose()


def upgrade(url: str) -> bool:
    """Migrate a database to the newest schema; whether anything was to be done. Raises Busy, Conflict."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                rights.close_database(engine.url)
            if current(connection) == HEAD:
                return False
        _run_alembic(url)
        return True
    except DBAPIError as error:
        raise errors.Busy(f"The database cannot be opened ({_reason(error)}).") from error
    finally:
        engine.dispose()


def _run_alembic(url: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise errors.Conflict(
            f"The database is of another Flowloom ({error}); start the one that made it, or a newer one."
        ) from error


def _reason(error: DBAPIError) -> str:
    """What the driver says, on one line."""
    return " ".join(str(error.orig).split())
