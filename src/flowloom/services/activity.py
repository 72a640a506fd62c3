"""What flows did lately and do next: how their runs ended in the last 24 hours, their newest run, their next fire."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, Subquery, func, select, text, union_all

from flowloom.domain import run, version
from flowloom.services import metrics, runs, views
from flowloom.store import columns, tables

FLOWS, VERSIONS, RUNS, SCHEDULES = tables.flows.c, tables.versions.c, tables.runs.c, tables.schedules.c
DELTAS, METRICS = tables.metric_deltas.c, tables.metrics.c
ENDS: Final = tuple(run.METRIC_KEYS.values())
_HOURS: Final = 24
_HOUR: Final = timedelta(hours=1) // columns.MICROSECOND
# Word for word as the index has it; see store/tables/runs.
_OF_RUNS: Final = text("type = 'runs'")
Items = Sequence[dict[str, Any]]


def since(now: datetime) -> datetime:
    """When the first of the last 24 hours begins; the last one is still going on."""
    return metrics.begin_of("hour", now) - timedelta(hours=_HOURS - 1)


def add(connection: Connection, items: Items, includes: frozenset[str], now: datetime) -> None:
    """Put what `includes` names into each of these flows."""
    for name in _ADD:
        if name in includes and items:
            _ADD[name](connection, items, now)


def counted(flow_ids: Any, begin: datetime) -> Subquery:
    """How runs of flows (ids, or a statement that gives them) ended since then: flow_id, at, key, value."""
    stored = select(METRICS.flow_id, METRICS.starts_at.label("at"), METRICS.key, METRICS.value).where(
        _OF_RUNS,
        METRICS.interval == "hour",
        METRICS.flow_id.in_(flow_ids),
        METRICS.starts_at >= begin,
        METRICS.key.in_(ENDS),
    )
    fresh = select(DELTAS.flow_id, DELTAS.minute, DELTAS.key, DELTAS.value).where(
        DELTAS.flow_id.in_(flow_ids), DELTAS.type == "runs", DELTAS.minute >= begin, DELTAS.key.in_(ENDS)
    )
    # One statement: between two, the roll-up could move a delta from the second to the first.
    return union_all(stored, fresh).subquery()


def results(
    connection: Connection, flow_ids: Sequence[int], now: datetime
) -> dict[int, list[dict[str, Any]]]:
    """How the runs of these flows ended in each of the last 24 hours that had any, by flow, oldest first."""
    found = counted(flow_ids, since(now)).c
    at = metrics.number(found.at)
    hours: dict[tuple[int, int], dict[str, int]] = {}
    for flow_id, micros, key, value in connection.execute(
        select(found.flow_id, at, found.key, found.value).order_by(found.flow_id, at)
    ):
        hour = flow_id, micros - micros % _HOUR
        if hour not in hours:
            hours[hour] = dict.fromkeys(ENDS, 0)
        hours[hour][key] += value
    by_flow: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for (flow_id, hour_begins), ends in hours.items():
        begins = views.instant(columns.from_micros(hour_begins))
        by_flow[flow_id].append({"starts_at": begins, **ends})
    return by_flow


def newest_runs(connection: Connection, flow_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """The newest run of each of these flows that has any."""
    newest = (
        select(func.max(RUNS.id)).where(RUNS.flow_id == FLOWS.id).correlate(tables.flows).scalar_subquery()
    )
    wanted = (
        select(tables.runs)
        .join(tables.flows, FLOWS.id == RUNS.flow_id)
        .where(FLOWS.id.in_(flow_ids), RUNS.id == newest)
    )
    return {row.flow_id: row for row in connection.execute(wanted)}


def _ids(items: Items) -> list[int]:
    return [item["id"] for item in items]


def _add_results(connection: Connection, items: Items, now: datetime) -> None:
    found = results(connection, _ids(items), now)
    for item in items:
        item["results"] = found.get(item["id"], [])


def _add_latest_run(connection: Connection, items: Items, _now: datetime) -> None:
    found = newest_runs(connection, _ids(items))
    for item in items:
        if item["id"] in found:
            item["latest_run"] = runs.view(found[item["id"]])


def _add_next_run(connection: Connection, items: Items, _now: datetime) -> None:
    soonest = (
        select(VERSIONS.flow_id, func.min(SCHEDULES.next_run_at).label("at"))
        .join(tables.versions, VERSIONS.id == SCHEDULES.flow_version_id)
        .join(tables.flows, FLOWS.id == VERSIONS.flow_id)
        .where(FLOWS.id.in_(_ids(items)), FLOWS.is_enabled, VERSIONS.status == version.Status.DEPLOYED)
        .group_by(VERSIONS.flow_id)
    )
    found = {row.flow_id: row.at for row in connection.execute(soonest)}
    for item in items:
        if found.get(item["id"]) is not None:
            item["next_run_at"] = views.instant(found[item["id"]])


_ADD: Final[dict[str, Callable[[Connection, Items, datetime], None]]] = {
    "results": _add_results,
    "latestRun": _add_latest_run,
    "nextRun": _add_next_run,
}
INCLUDES: Final[tuple[str, ...]] = tuple(_ADD)
