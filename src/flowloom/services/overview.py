"""What a company looks at first: what fails, what went silent, what is late, what waits, and how runs ended lately."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, case, func, select, text

from flowloom.domain import run, version
from flowloom.services import activity, runs, views
from flowloom.services.actor import Actor
from flowloom.store import query, tables

FLOWS, VERSIONS, RUNS = tables.flows.c, tables.versions.c, tables.runs.c
SCHEDULES, SLOTS, LETTERS, NOTICES = (
    tables.schedules.c,
    tables.schedule_slots.c,
    tables.dead_letters.c,
    tables.notifications.c,
)
# How many of each kind are shown, and how many rows are looked at to find them.
SHOWN: Final = 10
_LOOKED_AT: Final = 500
_LATE: Final = timedelta(minutes=1)
_DATABASES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
# Word for word as the indexes have them; see store/tables/runs.
_FAILED: Final = text("status IN (3, 5)")
_UNFINISHED: Final = text("status < 2")
_OPEN: Final = text("state = 'open'")


def get(connection: Connection, actor: Actor) -> dict[str, Any]:
    """All of it, of the last 24 hours."""
    since = activity.since(actor.at)
    ends = _ends(connection, actor, since)
    letters = select(LETTERS.id).where(LETTERS.company_id == actor.company_id, _OPEN)
    total: Counter[str] = Counter()
    for of_flow in ends.values():
        total.update(of_flow)
    return {
        "since": views.instant(since),
        "flows_count": _count(connection, _own_flows(actor)),
        "runs": {key: total[key] for key in activity.ENDS},
        **_waiting(connection, actor),
        "open_dead_letters": _count(connection, letters),
        "failing": _failing(connection, actor, since, ends),
        "silent": _silent(connection, actor),
        "empty": _empty(connection, actor, since),
        "late": _late(connection, actor),
        "missed": _missed(connection, actor, since),
        "busiest": _busiest(connection, actor, ends),
        "database": _DATABASES[connection.dialect.name],
    }


def _own_flows(actor: Actor) -> Select[Any]:
    return select(FLOWS.id).where(FLOWS.company_id == actor.company_id)


def _count(connection: Connection, rows: Select[Any]) -> int:
    return connection.scalar(select(func.count()).select_from(rows.subquery())) or 0


def _ends(connection: Connection, actor: Actor, since: datetime) -> dict[int, Counter[str]]:
    """How many runs ended how, by flow."""
    found = activity.counted(_own_flows(actor), since).c
    added = select(found.flow_id, found.key, func.sum(found.value).label("value")).group_by(
        found.flow_id, found.key
    )
    by_flow: dict[int, Counter[str]] = defaultdict(Counter)
    for row in connection.execute(added):
        by_flow[row.flow_id][row.key] = int(row.value)
    return by_flow


def _waiting(connection: Connection, actor: Actor) -> dict[str, Any]:
    """How many runs wait to begin, the oldest since when, and how many have begun; together counted to 10,000."""
    waits = and_(RUNS.status == run.Status.QUEUED, RUNS.started_at.is_(None), RUNS.ready_at <= actor.at)
    unfinished = (
        select(RUNS.status, case((waits, RUNS.ready_at)).label("since"))
        .where(RUNS.company_id == actor.company_id, _UNFINISHED)
        .order_by(RUNS.id)
        .limit(query.CAP)
        .subquery()
        .c
    )
    counted = select(unfinished.status, func.count(), func.min(unfinished.since)).group_by(unfinished.status)
    found = {status: (count, since) for status, count, since in connection.execute(counted)}
    queued, since = found.get(run.Status.QUEUED, (0, None))
    started, _ = found.get(run.Status.STARTED, (0, None))
    shown = views.present({"waiting_since": views.instant(since)})
    return {"queued": queued, "started": started, **shown}


def _failing(
    connection: Connection, actor: Actor, since: datetime, ends: dict[int, Counter[str]]
) -> list[dict[str, Any]]:
    """The flows that failed last: how often, in which run, and whether their newest run went well again."""
    newest = (
        select(RUNS.id, RUNS.flow_id, RUNS.finished_at)
        .where(RUNS.company_id == actor.company_id, _FAILED)
        .order_by(RUNS.id.desc())
        .limit(_LOOKED_AT)
    )
    last: dict[int, int] = {}
    for id, flow_id, finished_at in connection.execute(newest):
        if finished_at >= since:
            last.setdefault(flow_id, id)
    shown = list(last.values())[:SHOWN]
    wanted = (
        select(tables.runs, FLOWS.name.label("flow_name"))
        .join(tables.flows, FLOWS.id == RUNS.flow_id)
        .where(RUNS.id.in_(shown))
        .order_by(RUNS.id.desc())
    )
    now = activity.newest_runs(connection, list(last)[:SHOWN])
    return [
        {
            **_of_flow(row),
            "count": sum(ends[row.flow_id][key] for key in ("failure", "partial")),
            "is_well_again": now[row.flow_id].status == run.Status.SUCCESS,
            "flow_run": runs.view(row),
        }
        for row in connection.execute(wanted)
    ]


def _of_flow(row: Row[Any]) -> dict[str, Any]:
    return {"flow_id": row.flow_id, "flow_name": row.flow_name}


_NAMED: Sequence[Any] = (FLOWS.id.label("flow_id"), FLOWS.name.label("flow_name"))
_ACTIVE: Sequence[Any] = (FLOWS.is_enabled, VERSIONS.status == version.Status.DEPLOYED)


def _silent(connection: Connection, actor: Actor) -> list[dict[str, Any]]:
    """The flows of which an alert says that they did not run for too long, and that have not run since."""
    wanted: Select[Any] = (
        select(*_NAMED, FLOWS.alert_state)
        .join(tables.versions, VERSIONS.flow_id == FLOWS.id)
        .where(FLOWS.company_id == actor.company_id, FLOWS.alerts.is_not(None), *_ACTIVE)
        .order_by(FLOWS.id)
    )
    silent = [row for row in connection.execute(wanted) if "silent_since" in (row.alert_state or {})]
    return [
        {**_of_flow(row), "since": views.instant(datetime.fromisoformat(row.alert_state["silent_since"]))}
        for row in silent[:SHOWN]
    ]


def _empty(connection: Connection, actor: Actor, since: datetime) -> list[dict[str, Any]]:
    """The flows of which an alert says that a run received nothing, with the newest such run."""
    lately: Select[Any] = (
        select(*_NAMED, NOTICES.run_id, NOTICES.once_key, NOTICES.created_at)
        .join(tables.flows, FLOWS.id == NOTICES.flow_id)
        .where(NOTICES.company_id == actor.company_id)
        .order_by(NOTICES.id.desc())
        .limit(_LOOKED_AT)
    )
    found: dict[int, dict[str, Any]] = {}
    for row in connection.execute(lately):
        if row.once_key.startswith("alert zero-records ") and row.created_at >= since:
            told = {**_of_flow(row), "flow_run_id": row.run_id, "at": views.instant(row.created_at)}
            found.setdefault(row.flow_id, told)
    return list(found.values())[:SHOWN]


_SCHEDULED = (
    select(*_NAMED, SCHEDULES.id.label("schedule_id"), SCHEDULES.cron_string, SCHEDULES.timezone)
    .join(tables.versions, VERSIONS.id == SCHEDULES.flow_version_id)
    .join(tables.flows, FLOWS.id == VERSIONS.flow_id)
)


def _late(connection: Connection, actor: Actor) -> list[dict[str, Any]]:
    """The schedules that should have fired more than a minute ago, the latest first."""
    wanted = (
        _SCHEDULED.add_columns(SCHEDULES.next_run_at)
        .where(FLOWS.company_id == actor.company_id, SCHEDULES.next_run_at < actor.at - _LATE, *_ACTIVE)
        .order_by(SCHEDULES.next_run_at)
        .limit(SHOWN)
    )
    return [
        {**_of_schedule(row), "due_at": views.instant(row.next_run_at)} for row in connection.execute(wanted)
    ]


def _missed(connection: Connection, actor: Actor, since: datetime) -> list[dict[str, Any]]:
    """The schedules of which slots passed without a run that should have had one, newest first."""
    wanted = (
        _SCHEDULED.add_columns(SLOTS.reason, SLOTS.first_at, SLOTS.last_at, SLOTS.count.label("slots_count"))
        .join(tables.schedule_slots, SLOTS.schedule_id == SCHEDULES.id)
        .where(
            FLOWS.company_id == actor.company_id,
            SLOTS.last_at >= since,
            SLOTS.reason.in_(("missed", "overlap")),
            *_ACTIVE,
        )
        .order_by(SLOTS.last_at.desc(), SLOTS.id.desc())
        .limit(SHOWN)
    )
    return [
        {
            **_of_schedule(row),
            "reason": row.reason,
            "first_at": views.instant(row.first_at),
            "last_at": views.instant(row.last_at),
            "count": row.slots_count,
        }
        for row in connection.execute(wanted)
    ]


def _of_schedule(row: Row[Any]) -> dict[str, Any]:
    fields = {name: row._mapping[name] for name in ("schedule_id", "cron_string", "timezone")}
    return {**_of_flow(row), **fields}


def _busiest(connection: Connection, actor: Actor, ends: dict[int, Counter[str]]) -> Sequence[dict[str, Any]]:
    """The flows that ran most, by name, with how their runs ended in each hour."""
    ids = [id for id, _ in sorted(ends.items(), key=lambda one: (-one[1].total(), one[0]))[:SHOWN]]
    by_hour = activity.results(connection, ids, actor.at)
    names = connection.execute(select(*_NAMED).where(FLOWS.id.in_(ids)).order_by(FLOWS.name, FLOWS.id))
    return [{**_of_flow(row), "results": by_hour[row.flow_id]} for row in names]
