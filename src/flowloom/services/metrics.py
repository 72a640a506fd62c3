"""Metrics of a flow's versions: what the roll-up folded plus what it has not yet, merged to the asked interval."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, select, type_coerce, union_all

from flowloom.domain import sketch
from flowloom.services import owned, views
from flowloom.services.actor import Actor
from flowloom.store import columns, query, tables

DELTAS, METRICS = tables.metric_deltas.c, tables.metrics.c
INTERVALS: Final = ("minute", "hour", "day", "week", "month")
TYPES: Final = ("runs", "duration", "cpu", "payloads", "operations", "steps")
QUANTILES: Final = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
_OF_DURATION: Final = (*QUANTILES, "count", "average")
# How far back a list goes that names no `filter[from]`.
DEFAULT_SPAN: Final = {"minute": timedelta(days=1), "hour": timedelta(days=31)}
_STORED_AS: Final = {"week": "day", "month": "day"}
_LONGEST: Final = {"week": timedelta(days=7), "month": timedelta(days=31)}


class Group(NamedTuple):
    """What is counted of one type, of a version, in the interval that begins at `starts_at`."""

    starts_at: datetime
    version_id: int
    type: str
    iteration: int


class Metric(NamedTuple):
    """One value of a group."""

    group: Group
    interval: str
    key: str


Totals = dict[Group, dict[str, int]]
# The filters are read like those of every list; the rows come from `added_up`, not from this statement.
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
    found: list[Metric] = []
    counts: dict[str, Totals] = {}
    for interval in asked.values.get("interval", ["day"]):
        counts[interval] = _counted(connection, flow_id, interval, asked, actor.at)
        keys = asked.values.get("key")
        found += [
            Metric(group, interval, key)
            for group, counted in counts[interval].items()
            for key in shown_keys(group.type, counted)
            if keys is None or key in keys
        ]
    by_id = asked.sort.removeprefix("-") == "id"
    found.sort(
        key=(lambda metric: _id(flow_id, metric)) if by_id else None, reverse=asked.sort.startswith("-")
    )
    first = (asked.page - 1) * asked.per_page
    shown = found[first : first + asked.per_page]
    # Quantiles are worked out for what is shown alone: a day has thousands of minutes and types.
    items = [view(flow_id, metric, counts[metric.interval][metric.group]) for metric in shown]
    return query.Found([], len(found)), items


def _counted(connection: Connection, flow_id: int, interval: str, asked: query.Page, now: datetime) -> Totals:
    begins, ends = _span(interval, asked.values, now)
    totals = added_up(connection, flow_id, interval, begins, ends, asked.values)
    return {group: counted for group, counted in totals.items() if group.starts_at >= begins}


def _span(interval: str, values: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    span = DEFAULT_SPAN.get(interval)
    earliest = columns.EPOCH if span is None else now - span
    return values.get("from", earliest), values.get("to", query.LATEST)


def added_up(
    connection: Connection,
    flow_id: int,
    interval: str,
    begins: datetime,
    ends: datetime,
    values: Mapping[str, Any],
) -> Totals:
    """Counts of each group, by key."""
    totals: Totals = {}
    stored = select(number(METRICS.starts_at), *_columns(METRICS)).where(
        METRICS.flow_id == flow_id,
        METRICS.interval == _STORED_AS.get(interval, interval),
        METRICS.starts_at >= begin_of(interval, begins),
        METRICS.starts_at < _last_end(interval, ends),
    )
    fresh = select(number(DELTAS.minute), *_columns(DELTAS)).where(DELTAS.flow_id == flow_id)
    # One statement: between two, the roll-up could move a delta from the second to the first.
    both = union_all(_narrowed(stored, METRICS, values), _narrowed(fresh, DELTAS, values))
    known: dict[int, datetime] = {}
    for at, version_id, iteration, type_, key, value in connection.execute(both).all():
        if at not in known:
            known[at] = begin_of(interval, columns.from_micros(at))
        if known[at] < ends:
            counted = totals.setdefault(Group(known[at], version_id, type_, iteration), {})
            counted[key] = counted.get(key, 0) + value
    return totals


def number(instant: ColumnElement[datetime]) -> ColumnElement[int]:
    """An instant as it is stored: of many rows few have one of their own."""
    return type_coerce(instant, BigInteger)


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


def shown_keys(type_: str, counted: Mapping[str, int]) -> Sequence[str]:
    """The keys of one type as they are shown: buckets become quantiles, microseconds milliseconds."""
    if type_ == "cpu":
        return ("total_ms",)
    return _OF_DURATION if type_ == "duration" else tuple(counted)


def keyed(type_: str, counted: Mapping[str, int]) -> dict[str, float]:
    """The values of these keys."""
    if type_ == "cpu":
        return {"total_ms": counted.get("microseconds", 0) / 1000}
    if type_ != "duration":
        return dict(counted)
    buckets = {key: value for key, value in counted.items() if sketch.is_bucket(key)}
    count = sum(buckets.values())
    shown: dict[str, float] = {
        name: round(sketch.quantile(buckets, share), 3) for name, share in QUANTILES.items()
    }
    average = round(counted.get("total_us", 0) / 1000 / max(count, 1), 3)
    return {**shown, "count": count, "average": average}


def _id(flow_id: int, metric: Metric) -> int:
    """52 bits of the sha256 of a metric's other keys."""
    group, starts_at = metric.group, views.instant(metric.group.starts_at)
    identity = f"{flow_id}/{group.version_id}/{metric.interval}/{starts_at}/{group.type}/{metric.key}"
    return (int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8]) >> 12) or 1


def view(flow_id: int, metric: Metric, counted: Mapping[str, int]) -> dict[str, Any]:
    """A metric as the API shows it."""
    group = metric.group
    return {
        "id": _id(flow_id, metric),
        "flow_id": flow_id,
        "flow_version_id": group.version_id,
        "iteration": group.iteration,
        "interval": metric.interval,
        "starts_at": views.instant(group.starts_at),
        "type": group.type,
        "key": metric.key,
        "value": keyed(group.type, counted)[metric.key],
    }
