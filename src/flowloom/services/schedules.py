"""Schedules of a version: their life in the API, and when they next fire. Firing itself is in runtime/scheduler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, RowMapping, bindparam, delete, func, insert, select, update

from flowloom import errors
from flowloom.domain import cron, version
from flowloom.services import owned, views
from flowloom.services.actor import Actor
from flowloom.store import query, slots, tables

FLOWS, VERSIONS, SCHEDULES, SLOTS = (
    tables.flows.c,
    tables.versions.c,
    tables.schedules.c,
    tables.schedule_slots.c,
)
DEFAULTS: Final[Mapping[str, Any]] = {
    "timezone": "UTC",
    "overlap": "queue",
    "catch_up": "latest",
    "jitter_seconds": 0,
    "dst_gap": "next",
    "dst_repeat": "first",
}
FIELDS: Final = ("cron_string", *DEFAULTS)
MAX_SCHEDULES: Final = 20_000

_JOINED = (
    select(tables.schedules, FLOWS.is_enabled, FLOWS.company_id)
    .join(tables.versions, VERSIONS.id == SCHEDULES.flow_version_id)
    .join(tables.flows, FLOWS.id == VERSIONS.flow_id)
)
LISTING = query.Listing(
    select=_JOINED.where(SCHEDULES.flow_version_id == bindparam("version_id")),
    id=SCHEDULES.id,
    filters={"flow_version_id": query.Filter(SCHEDULES.flow_version_id, "id")},
    includes=("flowVersion",),
)
SLOT_LISTING = query.Listing(
    select=select(tables.schedule_slots).where(SLOTS.schedule_id == bindparam("schedule_id")),
    id=SLOTS.id,
    filters={
        "reason": query.Filter(SLOTS.reason, "choice", choices={reason: reason for reason in slots.REASONS})
    },
    default_sort="-id",
)


def page(
    connection: Connection, actor: Actor, version_id: int, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of a version's schedules. Raises Missing."""
    row = owned.load_version(connection, actor, version_id)
    found = query.fetch(connection, LISTING, asked, version_id=version_id)
    items = [view(schedule) for schedule in found.rows]
    if "flowVersion" in asked.includes:
        for item in items:
            item["flow_version"] = owned.version_view(row)
    return found, items


def create(
    connection: Connection,
    actor: Actor,
    version_id: int,
    fields: Mapping[str, Any],
    if_match: str | None = None,
) -> dict[str, Any]:
    """A schedule of a Draft. Raises Missing, Invalid, VersionLocked, Conflict on a stale `if_match`."""
    owned.load_version(connection, actor, version_id)
    values = {**DEFAULTS, **fields}
    timetable(values)
    _require_room(connection, version_id)
    _lock_draft(connection, actor, version_id, if_match)
    _require_room(connection, version_id)
    row = _row(version_id, values, actor.at)
    id = connection.execute(insert(tables.schedules).values(row).returning(SCHEDULES.id)).scalar_one()
    _touch_version(connection, actor, version_id)
    return view(_load(connection, version_id, id))


def change(
    connection: Connection,
    actor: Actor,
    version_id: int,
    id: int,
    fields: Mapping[str, Any],
    if_match: str | None = None,
) -> dict[str, Any]:
    """Change what `fields` names. Raises Missing, Invalid, VersionLocked, Conflict on a stale `if_match`."""
    owned.load_version(connection, actor, version_id)
    row = _load(connection, version_id, id)
    timetable({**row._mapping, **fields})
    _lock_draft(connection, actor, version_id, if_match)
    if fields:
        changed = update(tables.schedules).where(SCHEDULES.id == id)
        connection.execute(changed.values({**_normal(fields), "updated_at": actor.at}))
        _touch_version(connection, actor, version_id)
    return view(_load(connection, version_id, id))


def remove(
    connection: Connection, actor: Actor, version_id: int, id: int, if_match: str | None = None
) -> None:
    """Delete a schedule of a Draft. Raises Missing, VersionLocked, Conflict on a stale `if_match`."""
    owned.load_version(connection, actor, version_id)
    _load(connection, version_id, id)
    _lock_draft(connection, actor, version_id, if_match)
    connection.execute(delete(tables.schedules).where(SCHEDULES.id == id))
    _touch_version(connection, actor, version_id)


def _lock_draft(connection: Connection, actor: Actor, version_id: int, if_match: str | None) -> None:
    row = owned.lock_version(connection, actor, version_id)
    version.require_editable(row.iteration, row.status)
    owned.require_match(row, if_match)


def _require_room(connection: Connection, version_id: int) -> None:
    kept = select(func.count()).where(SCHEDULES.flow_version_id == version_id)
    if connection.scalar(kept) == MAX_SCHEDULES:
        raise errors.Invalid.field("flow_version_id", f"A version has at most {MAX_SCHEDULES:,} schedules.")


def _touch_version(connection: Connection, actor: Actor, version_id: int) -> None:
    """A version's schedules are saved with it, though they are no part of what its content hash is taken of."""
    saved = {
        "revision": VERSIONS.revision + 1,
        "saved_at": actor.at,
        "saved_by": actor.user_id,
        "updated_at": actor.at,
    }
    connection.execute(update(tables.versions).where(VERSIONS.id == version_id).values(saved))


def _load(connection: Connection, version_id: int, id: int) -> Row[Any]:
    row = connection.execute(
        _JOINED.where(SCHEDULES.id == id, SCHEDULES.flow_version_id == version_id)
    ).one_or_none()
    if row is None:
        raise errors.Missing("Schedule", id)
    return row


def timetable(fields: Mapping[str, Any] | RowMapping) -> cron.Timetable:
    """When a schedule with these fields fires. Raises Invalid on cron_string or timezone."""
    return cron.Timetable(
        cron.parse(fields["cron_string"]),
        cron.zone(fields["timezone"]),
        fields["dst_gap"],
        fields["dst_repeat"],
    )


def preview(fields: Mapping[str, Any], count: int, now: datetime) -> list[dict[str, Any]]:
    """The next `count` instants of a schedule, with notes where the clocks change. Raises Invalid.

    The note gap_skipped stands at the first instant after the ones that a gap took.
    """
    table = timetable({**DEFAULTS, **fields})
    shown, note = [], None
    for slot in cron.preview(table, now, count):
        note = note or slot.note
        if slot.fires:
            shown.append(_preview_view(slot, table.zone, note))
            note = None
    return shown


def _normal(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are kept: white space in the cron made single."""
    if "cron_string" not in fields:
        return dict(fields)
    return {**fields, "cron_string": cron.parse(fields["cron_string"]).expression}


def _row(version_id: int, values: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    kept = _normal({name: values[name] for name in FIELDS})
    return {**kept, "flow_version_id": version_id, "created_at": at, "updated_at": at}


def copy(connection: Connection, source_id: int, target_id: int, at: datetime) -> None:
    """Give one version the schedules of another."""
    rows = connection.execute(
        select(tables.schedules).where(SCHEDULES.flow_version_id == source_id).order_by(SCHEDULES.id)
    )
    restore(connection, target_id, [dict(row._mapping) for row in rows], at)


def restore(connection: Connection, version_id: int, rows: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Give a new version these schedules, each with the FIELDS of one. Raises Invalid."""
    made = [_row(version_id, {**DEFAULTS, **row}, at) for row in rows]
    if made:
        connection.execute(insert(tables.schedules), made)


def of_versions(connection: Connection, version_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The schedules of these versions, by version."""
    rows = connection.execute(
        _JOINED.where(SCHEDULES.flow_version_id.in_(version_ids)).order_by(SCHEDULES.id)
    )
    by_version: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_version.setdefault(row.flow_version_id, []).append(view(row))
    return by_version


def activate(connection: Connection, version_id: int, at: datetime) -> None:
    """Let a version's schedules fire from now on: it is Deployed."""
    rows = connection.execute(select(tables.schedules).where(SCHEDULES.flow_version_id == version_id)).all()
    slots.advance(connection, [(row.id, timetable(row._mapping).next_slot(at), at) for row in rows])


def deactivate(connection: Connection, version_id: int, at: datetime) -> None:
    """Let a version's schedules rest; what passed until now and did not fire is missed."""
    for row in connection.execute(_JOINED.where(SCHEDULES.flow_version_id == version_id)).all():
        _settle(connection, row, at, "missed" if row.is_enabled else "paused")
    resting = update(tables.schedules).where(SCHEDULES.flow_version_id == version_id)
    connection.execute(resting.values(next_run_at=None, settled_until=None))


def resume(connection: Connection, flow_id: int, at: datetime) -> None:
    """The flow is enabled from now on: the slots that passed while it was not are paused, and none is caught up."""
    active = _JOINED.where(VERSIONS.flow_id == flow_id, VERSIONS.status == version.Status.DEPLOYED)
    for row in connection.execute(active).all():
        _settle(connection, row, at, "paused")
        slots.advance(connection, [(row.id, timetable(row._mapping).next_slot(at), at)])


def _settle(connection: Connection, row: Row[Any], at: datetime, reason: str) -> None:
    """Keep why the slots of a schedule did not fire that passed since it was last settled."""
    if row.next_run_at is not None and row.next_run_at <= at:
        passed = slots.passed(timetable(row._mapping), row.settled_until or at, at)
        verdicts = [(slot.at, reason if slot.fires else "dst gap") for slot in passed]
        slots.record(connection, row.id, row.flow_version_id, verdicts, row.settled_until)


def unfired(
    connection: Connection, actor: Actor, id: int, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the ranges of slots in which a schedule did not fire, newest first. Raises Missing."""
    owned = select(SCHEDULES.id).join(tables.versions, VERSIONS.id == SCHEDULES.flow_version_id)
    owned = owned.join(tables.flows, FLOWS.id == VERSIONS.flow_id)
    if connection.scalar(owned.where(SCHEDULES.id == id, FLOWS.company_id == actor.company_id)) is None:
        raise errors.Missing("Schedule", id)
    found = query.fetch(connection, SLOT_LISTING, asked, schedule_id=id)
    return found, [slot_view(row) for row in found.rows]


def _next_run_at(row: Row[Any]) -> datetime | None:
    """When a schedule fires next; what is kept may be a slot that a gap takes."""
    if row.next_run_at is None or not row.is_enabled or row.dst_gap != "skip":
        return row.next_run_at if row.is_enabled else None
    return timetable(row._asdict()).next(row.next_run_at - timedelta(microseconds=1))


def view(row: Row[Any]) -> dict[str, Any]:
    """A schedule as the API shows it; the contract has its flow_version_id as a string."""
    return views.present(
        {
            "id": row.id,
            "flow_version_id": str(row.flow_version_id),
            **{name: row._mapping[name] for name in FIELDS},
            "next_run_at": views.instant(_next_run_at(row)),
            "created_at": views.instant(row.created_at),
            "updated_at": views.instant(row.updated_at),
        }
    )


def slot_view(row: Row[Any]) -> dict[str, Any]:
    """A range of slots that did not fire."""
    return {
        "id": row.id,
        "schedule_id": row.schedule_id,
        "reason": row.reason,
        "first_at": views.instant(row.first_at),
        "last_at": views.instant(row.last_at),
        "count": row.count,
    }


def _preview_view(slot: cron.Slot, zone: ZoneInfo, note: str | None) -> dict[str, Any]:
    return views.present(
        {
            "at": views.instant(slot.at),
            "local": slot.at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds"),
            "offset": slots.offset_text(slot.offset),
            "note": note,
        }
    )
