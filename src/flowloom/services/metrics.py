"""Metrics of a flow's versions: what the roll-up folded plus what it has not yet, merged to the asked interval."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, select, union_all

from flowloom.domain import sketch
from flowloom.services import owned, views
from flowloom.services.actor import Actor
from flowloom.store import columns, query, tables

DELTAS, METRICS = tables.metric_deltas.c, tables.metrics.c
INTERVALS: Final = ("minute", "hour", "day", "week", "month")
TYPES: Final = ("runs", "duration", "cpu", "payloads", "operations", "steps")
QUANTILES: Final = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
# How far back a list goes that names no `filter[from]`.
DEFAULT_SPAN: Final = {"minute": timedelta(days=1), "hour": timedelta(days=31)}
_STORED_AS: Final = {"week": "day", "month": "day"}
_LONGEST: Final = {"week": timedelta(days=7), "month": timedelta(days=31)}


class Metric(NamedTuple):
    """One value: of a version, in the interval that begins at `starts_at`."""

    starts_at: datetime
    version_id: int
    type: str
    key: str
    iteration: int
    value: float


# The filters are read like those of every list; the rows come from `_merged`, not from this statement.
LISTING = query.Listing(
    select=select(tables.metrics).where(METRICS.flow_id == bindparam("flow_id")),
    id=METRICS.flow_id,
    sorts={"starts_at": METRICS.starts_at},
    filters={
        "interval": query.Filter(
            METRICS.interval,
            "choice",
            choices={name: name for name in INTERVALS},
            help="minute, hour, day (default), week or month",
        ),
        "type": query.Filter(METRICS.type, "choice", choices={name: name for name in TYPES}),
        "key": query.Filter(
            METRICS.key, "text", help="Such as started, success, failure, p50, p95, p99, count, bytes"
        ),
        "flow_version_id": query.Filter(METRICS.flow_version_id, "id"),
        "from": query.Filter(
            METRICS.starts_at, "instant", "from", help="Intervals that begin at this time or later"
        ),
        "to": query.Filter(
            METRICS.starts_at, "instant", "before", help="Intervals that begin before this time"
        ),
    },
    default_sort="starts_at",
)


def page(
    connection: Connection, actor: Actor, flow_id: int, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of a flow's metrics, by time. Raises Missing."""
    owned.load_flow(connection, actor, flow_id)
    found: list[tuple[str, Metric]] = []
    for interval in asked.values.get("interval", ["day"]):
        found += [(interval, metric) for metric in _metrics(connection, flow_id, interval, asked, actor.at)]
    if asked.sort.removeprefix("-") == "id":
        found.sort(key=lambda entry: _id(flow_id, *entry), reverse=asked.sort.startswith("-"))
    else:
        found.sort(key=lambda entry: entry[1], reverse=asked.sort.startswith("-"))
    first = (asked.page - 1) * asked.per_page
    shown = found[first : first + asked.per_page]
    return query.Found([], len(found)), [view(flow_id, interval, metric) for interval, metric in shown]


def _metrics(
    connection: Connection, flow_id: int, interval: str, asked: query.Page, now: datetime
) -> Iterator[Metric]:
    begins, ends = _span(interval, asked.values, now)
    totals = added_up(connection, flow_id, interval, begins, ends, asked.values)
    keys = asked.values.get("key")
    for (starts_at, version_id, iteration, type_), values in totals.items():
        for key, value in keyed(type_, values).items():
            if starts_at >= begins and (keys is None or key in keys):
                yield Metric(starts_at, version_id, type_, key, iteration, value)


def _span(interval: str, values: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    span = DEFAULT_SPAN.get(interval)
    earliest = columns.EPOCH if span is None else now - span
    return values.get("from", earliest), values.get("to", query.LATEST)


Totals = dict[tuple[datetime, int, int, str], Counter[str]]


def added_up(
    connection: Connection,
    flow_id: int,
    interval: str,
    begins: datetime,
    ends: datetime,
    values: Mapping[str, Any],
) -> Totals:
    """Counts by (interval's begin, version, iteration, type), then by key."""
    totals: Totals = defaultdict(Counter)
    stored = select(METRICS.starts_at, *_columns(METRICS)).where(
        METRICS.flow_id == flow_id,
        METRICS.interval == _STORED_AS.get(interval, interval),
        METRICS.starts_at >= begin_of(interval, begins),
        METRICS.starts_at < _last_end(interval, ends),
    )
    fresh = select(DELTAS.minute, *_columns(DELTAS)).where(DELTAS.flow_id == flow_id)
    # One statement: between two, the roll-up could move a delta from the second to the first.
    both = union_all(_narrowed(stored, METRICS, values), _narrowed(fresh, DELTAS, values))
    for at, version_id, iteration, type_, key, value in connection.execute(both):
        starts_at = begin_of(interval, at)
        if starts_at < ends:
            totals[starts_at, version_id, iteration, type_][key] += value
    return totals


def _columns(of: Any) -> Sequence[Any]:
    return of.flow_version_id, of.iteration, of.type, of.key, of.value


def _narrowed(statement: Any, of: Any, values: Mapping[str, Any]) -> Any:
    if "type" in values:
        statement = statement.where(of.type.in_(values["type"]))
    if "flow_version_id" in values:
        statement = statement.where(of.flow_version_id.in_(values["flow_version_id"]))
    return statement


def _last_end(interval: str, ends: datetime) -> datetime:
    """When the last interval ends that begins before `ends`: its days count whole."""
    longest = _LONGEST.get(interval)
    if longest is None or ends > query.LATEST - longest:
        return ends
    last = begin_of(interval, ends - timedelta(microseconds=1))
    return begin_of(interval, last + longest)


def begin_of(interval: str, at: datetime) -> datetime:
    """When the interval begins that an instant is in, in UTC; weeks begin on Monday."""
    minute = at.replace(second=0, microsecond=0)
    match interval:
        case "minute":
            return minute
        case "hour":
            return minute.replace(minute=0)
        case "week":
            day = minute.replace(hour=0, minute=0)
            return day - timedelta(days=min(day.weekday(), day.toordinal() - 1))
        case "month":
            return minute.replace(day=1, hour=0, minute=0)
        case _:
            return minute.replace(hour=0, minute=0)


def keyed(type_: str, counted: Counter[str]) -> dict[str, float]:
    """The keys of one type as they are shown: buckets become quantiles, microseconds milliseconds."""
    if type_ == "cpu":
        return {"total_ms": counted["microseconds"] / 1000}
    if type_ != "duration":
        return dict(counted)
    buckets = {key: value for key, value in counted.items() if sketch.is_bucket(key)}
    count = sum(buckets.values())
    shown: dict[str, float] = {
        name: round(sketch.quantile(buckets, share), 3) for name, share in QUANTILES.items()
    }
    return {**shown, "count": count, "average": round(counted["total_us"] / 1000 / max(count, 1), 3)}


def _id(flow_id: int, interval: str, metric: Metric) -> int:
    """52 bits of the sha256 of a metric's other keys."""
    starts_at = views.instant(metric.starts_at)
    identity = f"{flow_id}/{metric.version_id}/{interval}/{starts_at}/{metric.type}/{metric.key}"
    return (int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8]) >> 12) or 1


def view(flow_id: int, interval: str, metric: Metric) -> dict[str, Any]:
    """A metric as the API shows it."""
    return {
        "id": _id(flow_id, interval, metric),
        "flow_id": flow_id,
        "flow_version_id": metric.version_id,
        "iteration": metric.iteration,
        "interval": interval,
        "starts_at": views.instant(metric.starts_at),
        "type": metric.type,
        "key": metric.key,
        "value": metric.value,
    }
