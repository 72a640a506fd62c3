"""Running migrations: one process at a time, without holding up those that work on the database meanwhile."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import structlog
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from flowloom import errors
from flowloom.store import lease

log = structlog.get_logger(__name__)

MIGRATIONS: Final = Path(__file__).parent / "migrations"
# Whoever has this lock of PostgreSQL migrates.
LOCK: Final = lease.LOCK + 2
POLL_SECONDS: Final = 0.2
# A change of a table waits for those that use it, and whoever comes after waits for the change: it gives up soon, lets
# them pass and tries again.
LOCK_NOT_AVAILABLE: Final = "55P03"
TRIES: Final = 150
PAUSE_SECONDS: Final = 2.0


@contextlib.contextmanager
def alone(url: str) -> Iterator[None]:
    """Wait until no other process migrates, and keep others from it. On SQLite the transaction does that."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            if engine.dialect.name != "sqlite":
                # Asked again and again: a statement that waited would be one more that an index must wait for.
                while not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}):
                    time.sleep(POLL_SECONDS)
            yield
    finally:
        engine.dispose()


def up(url: str, target: str = "head", directory: Path = MIGRATIONS) -> None:
    """Migrate up to a revision. Raises errors.Conflict, Busy."""
    from alembic import command

    _patiently(lambda: command.upgrade(_config(url, directory), target))


def down(url: str, target: str, directory: Path = MIGRATIONS) -> None:
    """Migrate down to a revision. Raises errors.Conflict, Busy."""
    from alembic import command

    _patiently(lambda: command.downgrade(_config(url, directory), target))


def revision(name: str, directory: Path = MIGRATIONS) -> ModuleType:
    """The module of a revision."""
    from alembic.script import ScriptDirectory

    found = ScriptDirectory.from_config(_config("", directory)).get_revision(name)
    assert found is not None
    return found.module


def _config(url: str, directory: Path) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(directory / "versions"))
    config.attributes["url"] = url
    return config


def _patiently(migrate: Callable[[], None]) -> None:
    """What was done before a try gave up stays: each migration goes on where it was."""
    from alembic.util import CommandError

    for tries_left in reversed(range(TRIES)):
        try:
            migrate()
            return
        except CommandError as error:
            raise errors.Conflict(
                f"The database is of another Flowloom ({error}); start the one that made it, or a newer one."
            ) from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            log.warning("migration_waits", reason="a transaction works on a table that is to be changed")
            if not tries_left:
                raise _never(error) from error
            time.sleep(PAUSE_SECONDS)


def _never(error: DBAPIError) -> errors.Busy:
    said = " ".join(str(error.orig).split())
    return errors.Busy(
        f"The schema could not be changed for {TRIES * PAUSE_SECONDS / 60:.0f} minutes ({said}): a transaction holds "
        "on to a table. End it (see pg_stat_activity) and run `flowloom db upgrade` again; what is done stays done."
    )
