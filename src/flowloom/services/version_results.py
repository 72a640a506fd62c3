"""How each version of a flow did over a time as a whole: its days added up, with the quantiles of all its runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection

from flowloom.services import activity, metrics, owned
from flowloom.services.actor import Actor
from flowloom.store import query

# How far back one looks who names no `filter[from]`.
DEFAULT_SPAN: Final = timedelta(days=30)
_TYPES: Final = ["runs", "duration"]
_COUNTED: Final = ("started", *activity.ENDS)

LISTING = query.Listing(
    select=metrics.LISTING.select,
    id=metrics.METRICS.flow_version_id,
    filters={
        "flow_version_id": metrics.LISTING.filters["flow_version_id"],
        "from": query.Filter(
            metrics.METRICS.starts_at, "instant", "from", help="The day of this time and later ones; 30 days"
        ),
        "to": query.Filter(
            metrics.METRICS.starts_at, "instant", "before", help="Days that begin before this time"
        ),
    },
)


def page(
    connection: Connection, actor: Actor, flow_id: int, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the versions that ran, by id. Raises Missing."""
    owned.load_flow(connection, actor, flow_id)
    begins = metrics.begin_of("day", asked.values.get("from", actor.at - DEFAULT_SPAN))
    ends = asked.values.get("to", query.LATEST)
    added: dict[tuple[int, int], dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    totals = metrics.added_up(connection, flow_id, "day", begins, ends, {**asked.values, "type": _TYPES})
    for group, counted in totals.items():
        if group.starts_at >= begins:
            added[group.version_id, group.iteration][group.type].update(counted)
    found = sorted(added.items(), reverse=asked.sort.startswith("-"))
    first = (asked.page - 1) * asked.per_page
    shown = found[first : first + asked.per_page]
    return query.Found([], len(found)), [_view(*whose, counted) for whose, counted in shown]


def _view(version_id: int, iteration: int, counted: Mapping[str, Counter[str]]) -> dict[str, Any]:
    runs = {key: counted["runs"][key] for key in _COUNTED}
    durations = metrics.keyed("duration", counted["duration"])
    timed = {name: durations[name] for name in metrics.QUANTILES} if durations["count"] else {}
    return {"id": version_id, "iteration": iteration, **runs, **timed}
