"""What a retry takes over of the run it repeats: its checkpoints, and which runs of other flows it had started."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, literal, null, or_, select

from flowloom.store import columns, tables

PAYLOADS, LETTERS = tables.payloads.c, tables.dead_letters.c
_COPIED: Final = [column.name for column in PAYLOADS if column.name not in ("id", "run_id")]
# What a row is copied without when its payload is not to go on: that it was made, and the cursor behind it, stay.
_CONTENT: Final[Mapping[str, ColumnElement[Any]]] = {
    **dict.fromkeys(("content_type", "meta", "encoding", "body", "blob"), null()),
    "bytes": literal(0),
}
_ALL: Final[Mapping[str, ColumnElement[Any]]] = {}


def whole(connection: Connection, run_id: int, source_id: int, forget_steps: Collection[str]) -> None:
    """Take over the start payload and all that was recorded, but for the steps to forget."""
    kept = and_(PAYLOADS.run_id == source_id, PAYLOADS.step_key.not_in(list(forget_steps)))
    _copy(connection, run_id, and_(kept, PAYLOADS.kind.in_(("start", "effect", "child"))))


def of_payload(connection: Connection, run_id: int, source_id: int, step_key: str, position: str) -> None:
    """Take over what one step recorded for one payload."""
    own = or_(
        PAYLOADS.position == position,
        PAYLOADS.position.startswith(f"{position}.", autoescape=True),
        PAYLOADS.position.startswith(f"{position}!", autoescape=True),
    )
    kept = and_(PAYLOADS.run_id == source_id, PAYLOADS.step_key == step_key, own)
    left_out = _CONTENT if _has_gone_on(connection, source_id, step_key, position) else _ALL
    _copy(connection, run_id, and_(kept, PAYLOADS.kind == "effect"), left_out)
    _copy(connection, run_id, and_(kept, PAYLOADS.kind == "child"))


def _has_gone_on(connection: Connection, run_id: int, step_key: str, position: str) -> bool:
    """Whether what a step recorded before it failed went on in its run, as it does where the failure was caught.

    Letters without a digest are of a version that kept it back.
    """
    of_payload = and_(LETTERS.run_id == run_id, LETTERS.step_key == step_key, LETTERS.position == position)
    caught = select(LETTERS.id).where(of_payload, LETTERS.is_caught, LETTERS.digest.is_not(None))
    return connection.scalar(caught) is not None


def _copy(
    connection: Connection,
    run_id: int,
    kept: ColumnElement[bool],
    left_out: Mapping[str, ColumnElement[Any]] = _ALL,
) -> None:
    values = [left_out.get(name, PAYLOADS[name]) for name in _COPIED]
    copied = select(bindparam("new_run_id", run_id, type_=columns.Id), *values)
    connection.execute(insert(tables.payloads).from_select(["run_id", *_COPIED], copied.where(kept)))
