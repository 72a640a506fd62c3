"""Moving an installation from one database to another, SQLite to PostgreSQL or back, and its large bodies with it.

The source is only read, and held so that no server works on it. A move that was cut short is begun again and goes on;
it counts as done only when both databases hold the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, create_engine, make_url, select

from flowloom import errors
from flowloom.store import blobs, bodies, connections, copying, counters, schema, secrets, tables, tallies
from flowloom.store.database import Database
from flowloom.store.lease import Lease


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved: the count and hash of each table, how many large bodies, and those that were not there."""

    tables: dict[str, tallies.Tally]
    bodies: int
    missing: list[str]


def move(
    source_url: str,
    target_url: str,
    places: tuple[blobs.Blobs, blobs.Blobs] | None,
    vault: secrets.Vault,
    told: copying.Told = lambda _point: None,
) -> Moved:
    """Copy everything, large bodies from the first of `places` to the second, and compare.

    Raises Conflict while a server works on either, when the target holds other data, and when they differ in the end.
    """
    if found := schema.check(source_url):
        raise errors.Conflict(f"{found[0][0].upper()}{found[0][1:]}.")
    if make_url(source_url) == make_url(target_url):
        raise errors.Invalid.field("to", "The target is the database that is to be moved; name another one.")
    schema.upgrade(target_url)
    source, target = Database(source_url), Database(target_url)
    try:
        with Lease(source, wait_seconds=0), Lease(target, wait_seconds=0):
            return _moved(source_url, target_url, places, vault, told)
    finally:
        source.close()
        target.close()


def _moved(
    source_url: str,
    target_url: str,
    places: tuple[blobs.Blobs, blobs.Blobs] | None,
    vault: secrets.Vault,
    told: copying.Told,
) -> Moved:
    # Their own: what a server asks is over soon, and a table may be long.
    read, write = (create_engine(url, hide_parameters=True) for url in (source_url, target_url))
    try:
        _require_key(read, vault)
        copying.prepare(write, make_url(source_url).render_as_string())
        missing = bodies.copy(read, *places, told) if places else []
        copying.rows(read, write, told)
        counters.take_over(read, write)
        found = _compared(tallies.of_all(read), tallies.of_all(write))
        copying.finish(write)
        return Moved(found, sum(1 for _ in bodies.named(read)) if places else 0, missing)
    finally:
        read.dispose()
        write.dispose()


def _compared(kept: dict[str, tallies.Tally], copied: dict[str, tallies.Tally]) -> dict[str, tallies.Tally]:
    differing = [
        f"{name} ({was.rows} and {copied[name].rows} rows)"
        for name, was in kept.items()
        if was != copied[name]
    ]
    if differing:
        raise errors.Conflict(
            f"The copy differs from the source in {', '.join(differing)}: the source was changed since the move began. "
            "Empty the target and move again."
        )
    return kept


def _require_key(source: Engine, vault: secrets.Vault) -> None:
    """Raises Invalid when the secret key, which the moved installation needs too, is not the one that was used."""
    column = tables.connections.c
    sealed = select(column.company_id, column.secret).where(column.secret.is_not(None)).limit(1)
    with source.connect() as connection:
        row = connection.execute(sealed).first()
    if row is not None:
        vault.open(row.secret, context=connections.seal_context(row.company_id))
