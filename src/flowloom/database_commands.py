"""The commands `flowloom db`: the schema, moving to another database, and whether all is there."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flowloom import console
from flowloom.console import AsJson, DatabaseUrl, DataDir
from flowloom.settings import Settings

if TYPE_CHECKING:
    from flowloom.store import blobs

TELL_SECONDS: Final = 5.0
app = typer.Typer(help="The database.", no_args_is_help=True)


@app.command("upgrade")
def upgrade(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Migrate the database to the newest schema, beside servers that work on it."""
    from flowloom.store import rights, schema

    settings = console.load(data_dir=data_dir, database_url=database_url)
    settings.data_dir.mkdir(rights.DIRECTORY_MODE, parents=True, exist_ok=True)
    changed = schema.upgrade(settings.database_url)
    console.show(
        {"schema": schema.HEAD, "changed": changed}, "Migrated." if changed else "Nothing to do.", as_json
    )


@app.command("check")
def check(
    with_blobs: Annotated[
        bool, typer.Option("--blobs", help="Also look for each large payload body.")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Tell whether the database can be reached and has the schema that this version needs; exit code 6 if not."""
    from flowloom.store import schema

    settings = console.load(data_dir=data_dir, database_url=database_url)
    revision, found = schema.look(settings.database_url)
    if with_blobs and not found:
        found = _missing(settings)
    about = {"schema": schema.HEAD, "revision": revision, "pending": schema.pending(revision)}
    console.show({**about, "faults": found}, "; ".join(found) or "The database is in order.", as_json)
    if found:
        raise typer.Exit(console.EXIT_CODES["busy"])


def _missing(settings: Settings) -> list[str]:
    from sqlalchemy import create_engine

    from flowloom.store import bodies

    engine = create_engine(settings.database_url)
    missing = bodies.missing(engine, _blobs(settings))
    engine.dispose()
    if not missing:
        return []
    return [f"{len(missing)} large payload bodies that rows name are not there, such as {missing[0]}"]


@app.command("downgrade")
def downgrade(
    force: Annotated[bool, typer.Option(help="Also when data is lost by it.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take the newest migration back, one step; first stop what needs it."""
    from flowloom.store import schema

    revision = schema.downgrade(
        console.load(data_dir=data_dir, database_url=database_url).database_url, force=force
    )
    console.show({"schema": revision, "changed": True}, f"The database is at schema {revision}.", as_json)


@app.command("move")
def move(
    to: Annotated[str, typer.Option(help="Database to move to: postgresql://... or sqlite:///...")],
    to_blobs: Annotated[
        str | None, typer.Option(help="Where to copy large payload bodies to: s3://... or file:///...")
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Copy the whole installation into another, empty database, and compare; a move that was cut short goes on."""
    from flowloom.store import move as moving
    from flowloom.store import secrets

    here = console.load(data_dir=data_dir, database_url=database_url)
    there = console.load(data_dir=data_dir, database_url=to, blob_url=to_blobs)
    places = (_blobs(here), _blobs(there)) if here.blob_url != there.blob_url else None
    vault = secrets.Vault(secrets.load_key(here))
    moved = moving.move(here.database_url, there.database_url, places, vault, _progress())
    counted = {name: tally.rows for name, tally in moved.tables.items()}
    about = {"tables": counted, "bodies": moved.bodies, "missing_bodies": moved.missing}
    console.show(about, _said(sum(counted.values()), moved.bodies, moved.missing), as_json)


def _blobs(settings: Settings) -> blobs.Blobs:
    from flowloom.store import blobs

    return blobs.open_blobs(settings.blob_url, settings.data_dir, lambda: datetime.now(UTC))


def _progress() -> Callable[[str], None]:
    """Tell now and then how far a move is."""
    counted: Counter[str] = Counter()
    told_at = time.monotonic()

    def told(point: str) -> None:
        nonlocal told_at
        counted[point] += 1
        if time.monotonic() - told_at > TELL_SECONDS:
            told_at = time.monotonic()
            console.note(
                f"{counted['body-copied']:,} bodies and {counted['batch-copied']:,} batches of rows copied"
            )

    return told


def _said(rows: int, bodies: int, missing: list[str]) -> str:
    lost = f" {len(missing)} bodies were not there before either." if missing else ""
    return (
        f"Moved {rows:,} rows and {bodies:,} large bodies; both databases hold the same.{lost}\n"
        "Set FLOWLOOM_DATABASE_URL, and FLOWLOOM_BLOB_URL if the bodies moved; keep the secret key; then start. "
        "Start nothing on the old database any more."
    )
