"""Which run of another flow stands at a place, that is a step and a position, of a run; a retry takes the note over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from flowloom.store import database, tables

PAYLOADS = tables.payloads.c
_KEY: Final = [PAYLOADS.run_id, PAYLOADS.step_key, PAYLOADS.position, PAYLOADS.kind]


class Place(NamedTuple):
    """A step of a run, and the position of the payload it works on."""

    run_id: int
    step_key: str
    position: str


def note(company_id: int, place: Place, child_id: int, at: datetime) -> dict[str, Any]:
    """The row that says which run stands at a place from now on; see keep."""
    return {
        **place._asdict(),
        "company_id": company_id,
        "kind": "child",
        "state": {"of": place.position, "run": child_id},
        "bytes": 0,
        "created_at": at,
    }


def keep(connection: Connection, notes: Sequence[Mapping[str, Any]]) -> None:
    """Keep notes in place of those that there are of the same places."""
    if notes:
        kept = database.insert_or_replace(connection, tables.payloads, _KEY, ["state", "created_at"])
        connection.execute(kept, notes)


def find(connection: Connection, place: Place) -> int | None:
    """The run that stands at a place, if any: the run's own, or one that it took over."""
    noted = select(PAYLOADS.state).where(
        PAYLOADS.run_id == place.run_id,
        PAYLOADS.step_key == place.step_key,
        PAYLOADS.position == place.position,
        PAYLOADS.kind == "child",
    )
    state = connection.scalar(noted)
    return None if state is None else int(state["run"])
