"""What a run left behind and finds again when it is claimed: its start payload, its checkpoints, its failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, bindparam, case, func, select

from flowloom.store import database, tables

PAYLOADS, LETTERS = tables.payloads.c, tables.dead_letters.c
# More than this of a run's past is not read at once.
RECALL_BYTES: Final = 4 * 1024 * 1024

# The notes of children are asked for one at a time.
_OF_RUNS = and_(PAYLOADS.run_id.in_(bindparam("run_ids", expanding=True)), PAYLOADS.kind != "child")
_WHOLE = select(tables.payloads).where(_OF_RUNS).order_by(PAYLOADS.id)
# Only the start payload comes with its body.
_LIGHT = (
    select(
        *(column for column in PAYLOADS if column.name not in ("body", "blob")),
        case((PAYLOADS.kind == "start", PAYLOADS.body)).label("body"),
        case((PAYLOADS.kind == "start", PAYLOADS.blob)).label("blob"),
    )
    .where(_OF_RUNS)
    .order_by(PAYLOADS.id)
)


@dataclass(slots=True)
class Claimed:
    """A run that this process works on now, with everything that was recorded of it before."""

    row: Row[Any]
    recorded: list[Row[Any]] = field(default_factory=list)
    failures: list[Row[Any]] = field(default_factory=list)
    # What failed in the run that this one repeats, and is to be tried again in its place.
    tried_again: list[Row[Any]] = field(default_factory=list)


def fill(connection: Connection, claimed: Mapping[int, Claimed]) -> None:
    """Put to each claimed run what was recorded of it."""
    fresh = [id for id, one in claimed.items() if one.row.fence == 1 and one.row.retry_flow_run_id is None]
    if fresh:
        for record in connection.execute(_WHOLE, {"run_ids": fresh}):
            claimed[record.run_id].recorded.append(record)
    for id in sorted(claimed.keys() - fresh):
        recall(connection, claimed[id])


def recall(connection: Connection, claimed: Claimed) -> None:
    """Put to a run that was begun before its past; bodies stay where they are when together they are large."""
    run_id = claimed.row.id
    size_bytes = connection.scalar(select(func.sum(PAYLOADS.bytes)).where(PAYLOADS.run_id == run_id)) or 0
    checkpoints = _WHOLE if size_bytes <= RECALL_BYTES else _LIGHT
    claimed.recorded += connection.execute(checkpoints, {"run_ids": [run_id]})
    failures = select(
        LETTERS.step_key, LETTERS.position, LETTERS.digest, LETTERS.message, LETTERS.error_class
    )
    claimed.failures += connection.execute(failures.where(LETTERS.run_id == run_id))
    tried_again = failures.where(
        LETTERS.run_id == claimed.row.retry_flow_run_id, LETTERS.redrive_run_id == run_id
    )
    claimed.tried_again += connection.execute(tried_again)


def payload(connection: Connection, run_id: int, step_key: str, position: str) -> Row[Any]:
    """The row of a payload that an effect made. Raises Missing."""
    found = select(tables.payloads).where(
        PAYLOADS.run_id == run_id,
        PAYLOADS.step_key == step_key,
        PAYLOADS.position == position,
        PAYLOADS.kind == "effect",
    )
    row: Row[Any] = database.row_or_missing(connection.execute(found).one_or_none(), "Payload", position)
    return row


def run(connection: Connection, run_id: int) -> Row[Any]:
    """A run's row. Raises Missing."""
    found = connection.execute(select(tables.runs).where(tables.runs.c.id == run_id)).one_or_none()
    row: Row[Any] = database.row_or_missing(found, "Flow run", run_id)
    return row
