"""The schema's version: whether the database has it, and migrating. Alembic is loaded only when needed.

A revision only adds, so that the code of the release before works on it too: see docs/decisions/0029.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from flowloom import errors
from flowloom.store import migrating, rights

MIGRATIONS = migrating.MIGRATIONS
# The newest revision in migrations/versions; a test holds the two together. They are numbered without gaps.
HEAD = "0006"


def current(connection: Connection) -> str | None:
    """The revision a database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def pending(found: str | None) -> list[str]:
    """The revisions that a database at this one still lacks."""
    return [f"{number:04}" for number in range(_number(found) + 1, int(HEAD) + 1)]


def faults(connection: Connection) -> list[str]:
    """What is wrong with the schema, in words; nothing when this version can work on it."""
    return _faults(current(connection))


def _faults(found: str | None) -> list[str]:
    if pending(found):
        was = f"at schema {found}, older than {HEAD}" if found else f"empty, not at schema {HEAD}"
        return [f"the database is {was}: `flowloom db upgrade` migrates it"]
    if _number(found) > int(HEAD) + 1:
        return [f"the database is at schema {found}, which is too new for this version with its {HEAD}"]
    return []


def _number(found: str | None) -> int:
    return int(found) if found is not None and found.isdigit() else 0


def look(url: str) -> tuple[str | None, list[str]]:
    """The revision of a database that is not open yet and what is wrong, or why it cannot be opened. Makes nothing."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite" and not Path(parts.database or "").exists():
        return None, [f"there is no database {parts.database}"]
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            found = current(connection)
        return found, _faults(found)
    except DBAPIError as error:
        return None, [f"the database cannot be opened ({_reason(error)})"]
    finally:
        engine.dispose()


def check(url: str) -> list[str]:
    """What is wrong with it alone."""
    return look(url)[1]


def upgrade(url: str) -> bool:
    """Migrate a database to the newest schema; whether anything was to be done. Raises Busy, Conflict.

    One that is newer is left as it is: this version may be the last one that is still to be replaced.
    """
    try:
        if not _lacks(url):
            return False
        with migrating.alone(url):
            if is_ours := _lacks(url):
                migrating.up(url, HEAD)
        return is_ours
    except DBAPIError as error:
        raise errors.Busy(f"The database cannot be opened ({_reason(error)}).") from error


def _lacks(url: str) -> bool:
    """Whether there is anything to migrate. Raises Conflict for what a much newer version made."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                rights.close_database(engine.url)
            found = current(connection)
    finally:
        engine.dispose()
    if pending(found):
        return True
    if wrong := _faults(found):
        raise errors.Conflict(f"The database is of another Flowloom ({wrong[0]}); start a newer one.")
    return False


def downgrade(url: str, *, force: bool = False) -> str:
    """Take the newest migration back, one step; the revision after it.

    Raises Conflict when that loses data and is not forced, and for what cannot be taken back.
    """
    try:
        with migrating.alone(url):
            found, wrong = look(url)
            if wrong or found != HEAD:
                raise errors.Conflict(_not_at_head(wrong))
            loses = getattr(migrating.revision(found), "LOSES", None)
            if loses and not force:
                raise errors.Conflict(
                    f"Taking schema {found} back loses {loses}. Make a copy of the database, then say --force."
                )
            migrating.down(url, "-1")
        return f"{int(found) - 1:04}"
    except DBAPIError as error:
        raise errors.Busy(f"The database cannot be opened ({_reason(error)}).") from error


def _not_at_head(wrong: list[str]) -> str:
    why = f"{wrong[0]}." if wrong else "it has one that this version does not know; use the newer one."
    return f"Only a database at schema {HEAD} can be taken back by this version: {why}"


def _reason(error: DBAPIError) -> str:
    """What the driver says, on one line."""
    return " ".join(str(error.orig).split())
