"""What a retry takes over of the run it repeats: its checkpoints, which runs of other flows it had started, and which
of its failed payloads were resolved: re-driven or discarded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, literal, null, or_, select

from flowloom.store import columns, many, tables

PAYLOADS, LETTERS = tables.payloads.c, tables.dead_letters.c
RESOLVED: Final = ("re-driven", "discarded")
_COPIED: Final = [column.name for column in PAYLOADS if column.name not in ("id", "run_id")]
# What a row is copied without when its payload is not to go on: that it was made, and the cursor behind it, stay.
_CONTENT: Final[Mapping[str, ColumnElement[Any]]] = {
    **dict.fromkeys(("content_type", "meta", "encoding", "body", "blob"), null()),
    "bytes": literal(0),
}
_ALL: Final[Mapping[str, ColumnElement[Any]]] = {}


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
    found = select(
        LETTERS.company_id, LETTERS.step_key, LETTERS.position, LETTERS.digest, LETTERS.created_at
    ).where(
        LETTERS.run_id == source_id, LETTERS.state.in_(RESOLVED), LETTERS.step_key.not_in(list(moved_steps))
    )
    many.insert(connection, tables.payloads, [_note(run_id, letter) for letter in connection.execute(found)])


def _note(run_id: int, letter: Any) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "company_id": letter.company_id,
        "step_key": letter.step_key,
        "position": letter.position,
        "kind": "resolved",
        "state": {"of": letter.position, "digest": letter.digest},
        "bytes": 0,
        "created_at": letter.created_at,
    }


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
    # The order says which page came last: an effect goes on behind it. The pruner waits for rows that are held, so
    # it sees that the large body of one is still named.
    in_order = copied.where(kept).order_by(PAYLOADS.id).with_for_update(read=True, key_share=True)
    connection.execute(insert(tables.payloads).from_select(["run_id", *_COPIED], in_order))
