"""What fires next: the schedules of all Deployed versions of a company, each with its fires in a window of time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, case, literal, select

from flowloom import errors
from flowloom.domain import version
from flowloom.services import schedules, views
from flowloom.services.actor import Actor
from flowloom.store import columns, query, tables

FLOWS, VERSIONS, SCHEDULES = tables.flows.c, tables.versions.c, tables.schedules.c
MAX_WINDOW: Final = timedelta(days=31)
DEFAULT_WINDOW: Final = timedelta(days=1)
# What fires more often in a window is shown as going on; a page of 100 stays a matter of milliseconds.
MAX_FIRES: Final = 50

# What does not fire at all stands behind what does.
_SOONEST: Final = case(
    (FLOWS.is_enabled & SCHEDULES.next_run_at.is_not(None), SCHEDULES.next_run_at),
    else_=literal(query.LATEST, columns.Instant),
)

LISTING = query.Listing(
    select=select(
        tables.schedules,
        FLOWS.is_enabled,
        VERSIONS.flow_id,
        VERSIONS.iteration,
        FLOWS.name.label("flow_name"),
    )
    .join(tables.versions, VERSIONS.id == SCHEDULES.flow_version_id)
    .join(tables.flows, FLOWS.id == VERSIONS.flow_id)
    .where(FLOWS.company_id == bindparam("company_id"), VERSIONS.status == version.Status.DEPLOYED),
    id=SCHEDULES.id,
    sorts={"next_run_at": _SOONEST, "flow_name": FLOWS.name},
    filters={
        "flow_id": query.Filter(VERSIONS.flow_id, "id"),
        "is_enabled": query.Filter(FLOWS.is_enabled, "boolean", help="Whether the flow is enabled"),
        "timezone": query.Filter(SCHEDULES.timezone, "text", help="IANA names, with commas between"),
    },
    default_sort="next_run_at",
)


@dataclass(frozen=True, slots=True)
class Window:
    """From an instant (not itself) up to another."""

    after: datetime
    until: datetime


def window(now: datetime, after: datetime | None, until: datetime | None) -> Window:
    """The window that a caller asks for; the next day, unless told otherwise. Raises Invalid."""
    begin = after or now
    end = until or min(begin + DEFAULT_WINDOW, query.LATEST)
    if end <= begin:
        raise errors.Invalid.field("to", "to must be later than from.")
    if end - begin > MAX_WINDOW:
        raise errors.Invalid.field("to", f"to can be {MAX_WINDOW.days} days after from at most.")
    return Window(begin, end)


def page(
    connection: Connection, actor: Actor, asked: query.Page, within: Window
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the schedules, with their fires in the window."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [_view(row, within) for row in found.rows]


def _view(row: Row[Any], within: Window) -> dict[str, Any]:
    fires = _fires(row, within) if row.is_enabled else []
    return {
        **schedules.view(row),
        "flow_id": row.flow_id,
        "flow_name": row.flow_name,
        "iteration": row.iteration,
        "is_enabled": row.is_enabled,
        "fires": [views.instant(at) for at in fires[:MAX_FIRES]],
        "has_more_fires": len(fires) > MAX_FIRES,
    }


def _fires(row: Row[Any], within: Window) -> list[datetime]:
    """The instants in the window, one more than are shown if there are."""
    slots = schedules.timetable(row._mapping).slots(within.after)
    inside = itertools.takewhile(lambda slot: slot.at <= within.until, slots)
    return list(itertools.islice((slot.at for slot in inside if slot.fires), MAX_FIRES + 1))
