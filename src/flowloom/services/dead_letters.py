"""Dead letters: payloads that failed for good, to be driven again or discarded, each once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, func, select, update

from flowloom import errors
from flowloom.domain import run
from flowloom.services import views
from flowloom.services.actor import Actor
from flowloom.store import database, pools, query, queue, tables
from flowloom.store.blobs import Packed

LETTERS, RUNS = tables.dead_letters.c, tables.runs.c
OPEN, RETRIED, REDRIVEN, DISCARDED = STATES = ("open", "retried", "re-driven", "discarded")
MAX_AT_ONCE: Final = 1000

LISTING = query.Listing(
    select=select(*(column for column in LETTERS if column.name != "body")).where(
        LETTERS.company_id == bindparam("company_id")
    ),
    id=LETTERS.id,
    sorts={"created_at": LETTERS.created_at},
    filters={
        "flow_id": query.Filter(LETTERS.flow_id, "id"),
        "flow_version_id": query.Filter(LETTERS.flow_version_id, "id"),
        "flow_run_id": query.Filter(LETTERS.run_id, "id"),
        "step_key": query.Filter(LETTERS.step_key, "text"),
        "error_class": query.Filter(LETTERS.error_class, "text"),
        "state": query.Filter(LETTERS.state, "choice", choices={state: state for state in STATES}),
        "is_caught": query.Filter(LETTERS.is_caught, "boolean", help="Whether a try-catch took it"),
        "created_after": query.Filter(LETTERS.created_at, "instant", "from", help="From this time on"),
        "created_before": query.Filter(LETTERS.created_at, "instant", "before", help="Before this time"),
    },
    default_sort="-id",
    is_capped=True,
)
_GROUPED = (
    LETTERS.flow_id,
    LETTERS.flow_version_id,
    LETTERS.iteration,
    LETTERS.step_key,
    LETTERS.error_class,
)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's dead letters, newest first."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [view(row) for row in found.rows]


def counts(connection: Connection, actor: Actor, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How many there are by flow, version, step and error class, of those that a list's filters name."""
    asked = query.Page(values=values)
    some = query.matching(LISTING, asked).with_only_columns(
        *_GROUPED,
        func.max(LETTERS.step_name).label("step_name"),
        func.count().label("count"),
        func.min(LETTERS.created_at, type_=LETTERS.created_at.type).label("first_at"),
        func.max(LETTERS.created_at, type_=LETTERS.created_at.type).label("last_at"),
    )
    grouped = (
        some.group_by(*_GROUPED).order_by(None).order_by(func.count().desc(), *_GROUPED).limit(MAX_AT_ONCE)
    )
    rows = connection.execute(grouped, query.arguments(asked, company_id=actor.company_id))
    return [
        {
            **row._mapping,
            "first_at": views.instant(row.first_at),
            "last_at": views.instant(row.last_at),
        }
        for row in rows
    ]


def get(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """One dead letter. Raises Missing."""
    return view(load(connection, actor, id))


def load(connection: Connection, actor: Actor, id: int) -> Row[Any]:
    """A dead letter with its stored body. Raises Missing."""
    found = connection.execute(_one(actor, id)).one_or_none()
    row: Row[Any] = database.row_or_missing(found, "Dead letter", id)
    return row


def hold(connection: Connection, actor: Actor, id: int) -> Row[Any]:
    """The same; until the end of the transaction nobody else resolves it or retries its run. Raises Missing."""
    found = connection.execute(_one(actor, id).with_for_update()).one_or_none()
    row: Row[Any] = database.row_or_missing(found, "Dead letter", id)
    return row


def _one(actor: Actor, id: int) -> Select[Any]:
    return select(tables.dead_letters).where(LETTERS.id == id, LETTERS.company_id == actor.company_id)


def discard(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """Let a dead letter rest. Raises Missing, or Conflict when it is not open any more."""
    _resolve(connection, actor, hold(connection, actor, id), DISCARDED)
    return get(connection, actor, id)


def discard_matching(connection: Connection, actor: Actor, values: Mapping[str, Any]) -> list[int]:
    """Discard up to 1,000 open ones that a list's filters name; their ids."""
    found = open_matching(connection, actor, values)
    resolved = update(tables.dead_letters).where(LETTERS.id.in_(found), LETTERS.state == OPEN)
    values_ = {"state": DISCARDED, "resolved_at": actor.at, "resolved_by": actor.user_id}
    return sorted(connection.scalars(resolved.values(values_).returning(LETTERS.id)))


def redrive(
    connection: Connection,
    actor: Actor,
    ids: queue.RunIds,
    row: Row[Any],
    chosen: queue.Chosen,
    edited: tuple[Packed, str] | None = None,
    idempotency: tuple[str, str] | None = None,
) -> queue.Started:
    """Queue a run of the payload of a letter that is held, from the step that failed it, under the keys it had before.

    `edited` is another body with its content type: its sends get new keys. Raises Conflict when it is not open, or
    when retention has taken its payload.
    """
    require_payload(row)
    _resolve(connection, actor, row, REDRIVEN)
    origin = connection.execute(select(tables.runs).where(RUNS.id == row.run_id)).one()
    body = Packed(row.bytes, row.encoding, row.body, row.blob) if edited is None else edited[0]
    start = queue.Start(
        company_id=actor.company_id,
        flow_id=row.flow_id,
        version_id=chosen.version_id,
        trigger=run.Trigger.RETRY,
        at=actor.at,
        started_by=actor.user_id,
        body=body,
        content_type=row.content_type if edited is None else edited[1],
        meta=row.meta,
        variables=row.variables,
        idempotency=idempotency,
        retry=queue.Retry(
            run_id=row.run_id,
            origin_run_id=origin.origin_run_id if edited is None else None,
            as_of=origin.as_of,
            chosen=chosen,
            start_step=row.step_key,
            position=row.position,
            takes_over=queue.TakesOver.OF_PAYLOAD if edited is None else queue.TakesOver.NOTHING,
        ),
    )
    [answer] = queue.enqueue(connection, ids, [start])
    if isinstance(answer, Exception):
        raise answer
    pools.hand_on_payload(connection, row.run_id, answer.run_id, row.position)
    driven = update(tables.dead_letters).where(LETTERS.id == row.id)
    connection.execute(driven.values(redrive_run_id=answer.run_id))
    return answer


def require_payload(row: Row[Any]) -> None:
    """Raise Conflict for a letter whose payload is older than its flow keeps payloads."""
    if row.bytes and row.body is None and row.blob is None:
        raise errors.Conflict(
            f"The payload of dead letter {row.id} is gone: it is older than payloads are kept. Start a new run instead."
        )


def open_matching(connection: Connection, actor: Actor, values: Mapping[str, Any]) -> list[int]:
    """The ids of up to 1,000 open ones that a list's filters name, held; what somebody else resolves is left to him."""
    asked = query.Page(per_page=MAX_AT_ONCE, sort="id", values=values)
    matching = query.matching(LISTING, asked).with_only_columns(LETTERS.id).where(LETTERS.state == OPEN)
    held = matching.with_for_update(skip_locked=True)
    return list(connection.scalars(held, query.arguments(asked, company_id=actor.company_id)))


def _resolve(connection: Connection, actor: Actor, row: Row[Any], state: str) -> None:
    resolved = update(tables.dead_letters).where(LETTERS.id == row.id, LETTERS.state == OPEN)
    values = {"state": state, "resolved_at": actor.at, "resolved_by": actor.user_id}
    if not connection.execute(resolved.values(values)).rowcount:
        raise errors.Conflict(f"Dead letter {row.id} is {row.state} already; it is resolved once.")


def only_one(connection: Connection, run_id: int) -> tuple[str, str, dict[str, Any]] | None:
    """Step, position and variables of a run's failed payload; None without any. Raises Invalid for several."""
    found = select(LETTERS.step_key, LETTERS.position, LETTERS.variables)
    rows = connection.execute(found.where(LETTERS.run_id == run_id).limit(2)).all()
    if len(rows) > 1:
        raise errors.Invalid.field(
            "payload",
            "Several payloads of this run failed; re-drive the dead letter of the one that you edited.",
        )
    return (rows[0].step_key, rows[0].position, rows[0].variables) if rows else None


def types_of(connection: Connection, run_id: int) -> list[str]:
    """The content types of a run's failed payloads, each once."""
    found = select(LETTERS.content_type).where(LETTERS.run_id == run_id).distinct().limit(2)
    return list(connection.scalars(found))


def view(row: Row[Any]) -> dict[str, Any]:
    """A dead letter as the API shows it, without its body."""
    return views.present(
        {
            "id": row.id,
            "flow_id": row.flow_id,
            "flow_version_id": row.flow_version_id,
            "iteration": row.iteration,
            "flow_run_id": row.run_id,
            "step_key": row.step_key,
            "step_name": row.step_name,
            "position": row.position,
            "error_class": row.error_class,
            "message": row.message,
            "is_caught": row.is_caught,
            "content_type": row.content_type,
            "meta": row.meta,
            "bytes": row.bytes,
            "state": row.state,
            "resolved_at": views.instant(row.resolved_at),
            "resolved_by": row.resolved_by,
            "redrive_run_id": row.redrive_run_id,
            "created_at": views.instant(row.created_at),
        }
    )
