"""What a retry takes over of the run it repeats: its checkpoints, which runs of other flows it had started, and which
of its failed payloads were resolved: re-driven or discarded."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, literal, or_, select

from flowloom.store import columns, tables

PAYLOADS, LETTERS = tables.payloads.c, tables.dead_letters.c
RESOLVED: Final = ("re-driven", "discarded")
_COPIED: Final = [column.name for column in PAYLOADS if column.name not in ("id", "run_id")]


def whole(
    connection: Connection,
    run_id: int,
    source_id: int,
    forget_steps: Collection[str],
    moved_steps: Collection[str],
) -> None:
    """Take over the start payload and all that was recorded, but for the steps to forget, and what was resolved.

    At `moved_steps` a position may be another payload's than before: there nothing counts as resolved.
    """
    kept = and_(PAYLOADS.kind.in_(("effect", "child")), PAYLOADS.step_key.not_in(list(forget_steps)))
    resolved = and_(PAYLOADS.kind == "resolved", PAYLOADS.step_key.not_in(list(moved_steps)))
    # The start payload stands at the step that the run begins with, which may be one to forget.
    _copy(
        connection, run_id, and_(PAYLOADS.run_id == source_id, or_(PAYLOADS.kind == "start", kept, resolved))
    )
    _resolve(connection, run_id, source_id, moved_steps)


def _resolve(connection: Connection, run_id: int, source_id: int, moved_steps: Collection[str]) -> None:
    """Note which payloads the new run is not to work on: they are dealt with elsewhere, or not at all."""
    noted = {
        "run_id": bindparam("new_run_id", run_id, type_=columns.Id),
        "company_id": LETTERS.company_id,
        "step_key": LETTERS.step_key,
        "position": LETTERS.position,
        "kind": literal("resolved"),
        "bytes": literal(0),
        "created_at": LETTERS.created_at,
    }
    letters = select(*noted.values()).where(
        LETTERS.run_id == source_id, LETTERS.state.in_(RESOLVED), LETTERS.step_key.not_in(list(moved_steps))
    )
    connection.execute(insert(tables.payloads).from_select(list(noted), letters))


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
    # The order says which page came last: an effect goes on behind it.
    in_order = copied.where(kept).order_by(PAYLOADS.id)
    connection.execute(insert(tables.payloads).from_select(["run_id", *_COPIED], in_order))
