"""What a history is asked, as the API, the workers and the loops ask it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bench import planting
from bench.planting import BUSY, NOW, Size
from flowloom.domain.turns import Turns
from flowloom.runtime import sources
from flowloom.services import flows, metrics, overview, runs, upcoming, versions, waits
from flowloom.services.actor import Actor, Role
from flowloom.store import cursors, handing, query
from flowloom.store.jetstream import PRIORITIES

ACTOR = Actor(1, Role.ADMINISTRATOR, NOW)
PLACES = 64
BY_MINUTE = "metrics of a flow, by minute"
WORKER = handing.Worker(1, 0, timedelta(seconds=30))


@dataclass(frozen=True, slots=True)
class Question:
    """Work on a connection; what it `writes` is taken back."""

    work: Callable[[Connection], Any]
    writes: bool = False


def of(size: Size, *, is_postgres: bool) -> dict[str, Question]:
    """All questions, by name."""
    asked = {f"runs, {name}": _runs(**params) for name, params in _lists(size).items()}
    asked |= {
        f"metrics of a flow, by {interval}": _metrics(interval)
        for interval in ("minute", "hour", "day", "month")
    }
    asked |= _pages()
    asked["claiming 64 of the queued"] = Question(_claim, writes=True)
    if is_postgres:
        asked["a worker's claim of 64"] = Question(lambda db: _claim_handed(db, size), writes=True)
        asked["what to offer to workers"] = Question(_offers)
    return asked


def _lists(size: Size) -> dict[str, dict[str, Any]]:
    """The query strings of lists of runs."""
    month_ago = NOW - timedelta(days=30)
    one_day = {
        "filter[started_after]": _iso(month_ago),
        "filter[started_before]": _iso(month_ago + timedelta(days=1)),
    }
    # On one day of a small history too few fail to fill a page.
    one_week = one_day | {"filter[started_before]": _iso(month_ago + timedelta(days=7))}
    version = size.versions_each // 2 or 1
    return {
        "first page": {},
        "page 600": {"page": "600"},
        "cursor in the middle": {"cursor": cursors.encode(size.runs // 2)},
        "of a busy flow": {"filter[flow_id]": BUSY},
        "of a flow, newest started first": {"filter[flow_id]": BUSY, "sort": "-started_at"},
        "of a quiet flow": {"filter[flow_id]": 7},
        "of a version": {"filter[flow_version_id]": version},
        "that failed": {"filter[status]": "failure"},
        "that succeeded": {"filter[status]": "success"},
        "that failed, of a flow": {"filter[status]": "failure", "filter[flow_id]": BUSY},
        "with warnings": {"filter[has_warnings]": "true"},
        "by a rare trigger": {"filter[trigger]": "Retry"},
        "by a common trigger": {"filter[trigger]": "Webhook"},
        "by a rare trigger, of a flow": {"filter[trigger]": "Retry", "filter[flow_id]": BUSY},
        "of one day a month ago": one_day,
        "of a flow on one day": {**one_day, "filter[flow_id]": BUSY},
        "that failed in one week": {**one_week, "filter[status]": "failure"},
        "before a month ago": {"filter[started_before]": _iso(month_ago)},
        "newest started first": {"sort": "-started_at"},
        "of a frequent schedule": {"filter[schedule_id]": planting.FREQUENT},
    }


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _runs(**params: Any) -> Question:
    asked = _asked(runs.LISTING, params)
    return Question(lambda db: runs.page(db, ACTOR, asked))


def _asked(listing: query.Listing, params: dict[str, Any]) -> query.Page:
    return query.parse(listing, [(name, str(value)) for name, value in params.items()])


def _metrics(interval: str) -> Question:
    asked = _asked(metrics.LISTING, {"filter[interval]": interval, "per_page": 100})
    return Question(lambda db: metrics.page(db, ACTOR, BUSY, asked))


def _pages() -> dict[str, Question]:
    listed = _asked(flows.LISTING, {"include": "results,latestRun,nextRun", "per_page": 25})
    of_flow = _asked(versions.LISTING, {"per_page": 25, "sort": "-created_at"})
    fires = _asked(upcoming.LISTING, {"per_page": 100})
    queue = _asked(waits.LISTING, {})
    payloads = _asked(runs.PAYLOAD_LISTING, {"sort": "-id"})
    day = upcoming.window(NOW, None, None)
    return {
        "overview": Question(lambda db: overview.get(db, ACTOR)),
        "flows with results, newest run, next fire": Question(lambda db: flows.page(db, ACTOR, listed)),
        "versions of a flow": Question(lambda db: versions.page(db, ACTOR, BUSY, of_flow)),
        "what fires next": Question(lambda db: upcoming.page(db, ACTOR, fires, day)),
        "the queue": Question(lambda db: waits.page(db, ACTOR, queue, 0)),
        "payloads, newest first": Question(lambda db: runs.payloads(db, ACTOR, payloads)),
    }


def _claim(connection: Connection) -> None:
    if len(sources.claim(connection, PLACES, NOW, {}, 0)) != PLACES:
        raise RuntimeError("not as many runs were claimed as there are places")


def _claim_handed(connection: Connection, size: Size) -> None:
    first = size.runs - planting.QUEUED + 1
    if len(handing.claim(connection, range(first, first + PLACES), NOW, WORKER)) != PLACES:
        raise RuntimeError("not as many runs were claimed as were handed over")


def _offers(connection: Connection) -> None:
    room = dict.fromkeys(PRIORITIES, 1000)
    handing.offers(connection, room, NOW, {}, Counter(), Turns())
