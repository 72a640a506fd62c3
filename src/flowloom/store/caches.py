"""What flows keep between steps and runs: cache entries, set and added to within the transaction of their step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from flowloom.store import tables

ENTRIES = tables.cache_entries.c
# An entry that a transaction has made and not filled yet; no JSON value is empty.
_UNFILLED: Final = b""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry is kept. `scope` is "company", "flow:<id>" or "run:<id>", the last with `run_id`."""

    company_id: int
    scope: str
    key: str
    run_id: int | None = None


def place(company_id: int, flow_id: int, origin_run_id: int, scope: str, key: str) -> Place:
    """The place of a key for a run; `scope` is "run", "flow" or "company"."""
    match scope:
        case "run":
            return Place(company_id, f"run:{origin_run_id}", key, origin_run_id)
        case "flow":
            return Place(company_id, f"flow:{flow_id}", key)
        case _:
            return Place(company_id, scope, key)


def load(connection: Connection, where: Place, now: datetime) -> bytes | None:
    """The JSON of an entry; None when there is none or it has expired."""
    alive = or_(ENTRIES.expires_at.is_(None), ENTRIES.expires_at > now)
    value: bytes | None = connection.scalar(select(ENTRIES.value).where(*_at(where), alive))
    return value


def put(
    connection: Connection, where: Place, value: bytes, expires_at: datetime | None, at: datetime
) -> None:
    """Set an entry to a JSON value."""
    changes = {"value": value, "expires_at": expires_at, "updated_at": at}
    connection.execute(_upsert(connection, {**_row(where, at), **changes}, changes))


def append(
    connection: Connection, where: Place, value: bytes, expires_at: datetime | None, at: datetime
) -> None:
    """Add a JSON value to the list that an entry holds; nobody else's is lost.

    What was no list becomes the first item of one. An expiry is set anew where one is given, else it stays.
    """
    made = {**_row(where, at), "value": _UNFILLED, "expires_at": None, "updated_at": at}
    # Whether it was there or not, the row is held from here on.
    held = _upsert(connection, made, {"key": where.key}).returning(
        ENTRIES.id, ENTRIES.value, ENTRIES.expires_at
    )
    row = connection.execute(held).one()
    is_alive = row.expires_at is None or row.expires_at > at
    changes = {
        "value": _added(row.value if is_alive else _UNFILLED, value),
        "expires_at": expires_at or (row.expires_at if is_alive else None),
        "updated_at": at,
    }
    connection.execute(update(tables.cache_entries).where(ENTRIES.id == row.id).values(changes))


def _added(old: bytes, value: bytes) -> bytes:
    """The JSON list of the items of `old` and of this one."""
    if old in (_UNFILLED, b"[]"):
        return b"[" + value + b"]"
    items = old[1:-1] if old.startswith(b"[") else old
    return b"[" + items + b"," + value + b"]"


def drop(connection: Connection, where: Place) -> None:
    """Delete an entry, if it is there."""
    connection.execute(delete(tables.cache_entries).where(*_at(where)))


def _at(where: Place) -> tuple[Any, ...]:
    return (
        ENTRIES.company_id == where.company_id,
        ENTRIES.scope == where.scope,
        ENTRIES.key == where.key,
    )


def _row(where: Place, at: datetime) -> dict[str, Any]:
    return {
        "company_id": where.company_id,
        "scope": where.scope,
        "key": where.key,
        "run_id": where.run_id,
        "created_at": at,
    }


def _upsert(connection: Connection, row: dict[str, Any], changes: dict[str, Any]) -> Any:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    unique = [ENTRIES.company_id, ENTRIES.scope, ENTRIES.key]
    statement = dialect.insert(tables.cache_entries).values(row)
    return statement.on_conflict_do_update(index_elements=unique, set_=changes)
