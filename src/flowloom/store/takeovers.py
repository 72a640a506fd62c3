"""What a retry takes over of the run it repeats: its checkpoints, and which runs of other flows it had started."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, or_, select

from flowloom.store import columns, tables

PAYLOADS = tables.payloads.c
_COPIED: Final = [column.name for column in PAYLOADS if column.name not in ("id", "run_id")]


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
    _copy(connection, run_id, and_(kept, PAYLOADS.kind.in_(("effect", "child"))))


def _copy(connection: Connection, run_id: int, kept: ColumnElement[bool]) -> None:
    copied = select(bindparam("new_run_id", run_id, type_=columns.Id), *(PAYLOADS[name] for name in _COPIED))
    connection.execute(insert(tables.payloads).from_select(["run_id", *_COPIED], copied.where(kept)))
