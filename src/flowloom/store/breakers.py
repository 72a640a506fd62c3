"""Circuit breakers that are not closed and at rest, as all processes see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, case, delete, literal, or_, select, update

from flowloom.store import columns, database, tables

CIRCUITS = tables.circuits.c


class Kept(NamedTuple):
    """A circuit: failures in a row, and until when it is open, once it was opened."""

    connection_id: int
    failures: int
    opens_until: datetime | None


def load(connection: Connection) -> Sequence[Kept]:
    """All of them."""
    return [Kept(*row) for row in connection.execute(_KEPT)]


def find(connection: Connection, connection_id: int) -> Kept:
    """One of them."""
    row = connection.execute(_KEPT.where(CIRCUITS.connection_id == connection_id)).one_or_none()
    return Kept(connection_id, 0, None) if row is None else Kept(*row)


def fail(
    connection: Connection, connection_id: int, opens_until: datetime, threshold: int, *, is_trial: bool
) -> Kept:
    """A request failed: one more in a row, the last of which opens the circuit, as a trial does."""
    row = {"connection_id": connection_id, "failures": 0}
    connection.execute(database.insert_or_ignore(connection, tables.circuits), row)
    failures = CIRCUITS.failures + 1
    opens = literal(opens_until, columns.Instant)
    changed = update(tables.circuits).where(CIRCUITS.connection_id == connection_id)
    if not is_trial:
        # What was let out before it opened knows nothing of now.
        changed = changed.where(CIRCUITS.opens_until.is_(None))
    opened = opens if is_trial else case((failures >= threshold, opens), else_=CIRCUITS.opens_until)
    connection.execute(changed.values(failures=failures, opens_until=opened, tried_until=None))
    return find(connection, connection_id)


def succeed(connection: Connection, connection_id: int, *, is_trial: bool) -> bool:
    """A request went well, which closes the circuit, unless it opened after that was let out; whether it did."""
    closed = delete(tables.circuits).where(CIRCUITS.connection_id == connection_id)
    if not is_trial:
        closed = closed.where(CIRCUITS.opens_until.is_(None))
    return connection.execute(closed).rowcount == 1


def claim_trial(connection: Connection, connection_id: int, now: datetime, until: datetime) -> bool:
    """Be the one request that a half open circuit lets out, at the longest until then; False if another is."""
    is_free = or_(CIRCUITS.tried_until.is_(None), CIRCUITS.tried_until <= now)
    tried = update(tables.circuits).where(
        CIRCUITS.connection_id == connection_id, CIRCUITS.opens_until <= now, is_free
    )
    return connection.execute(tried.values(tried_until=until)).rowcount == 1


def give_back(connection: Connection, connection_id: int, until: datetime) -> None:
    """Nothing became of the trial that was claimed until then: another may be made."""
    tried = update(tables.circuits).where(
        CIRCUITS.connection_id == connection_id, CIRCUITS.tried_until == until
    )
    connection.execute(tried.values(tried_until=None))


_KEPT = select(CIRCUITS.connection_id, CIRCUITS.failures, CIRCUITS.opens_until)
