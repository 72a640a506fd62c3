"""The queue as the API shows it: the runs that wait, and what each of them waits for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from flowloom.domain import run
from flowloom.services import runs, views
from flowloom.services.actor import Actor
from flowloom.store import gates, query, tables

RUNS, FLOWS, COMPANIES = tables.runs.c, tables.flows.c, tables.companies.c
_CROWDS: Final = {gates.Gate.SIBLINGS: "parallel_limit", gates.Gate.FLOW: "flow_concurrency"}

LISTING = query.Listing(
    select=select(tables.runs).where(
        # The second condition says the same less exactly, but as an index has it.
        RUNS.company_id == bindparam("company_id"),
        RUNS.status == run.Status.QUEUED,
        gates.unfinished(RUNS),
    ),
    id=RUNS.id,
    sorts={"priority": RUNS.priority, "ready_at": RUNS.ready_at},
    filters={
        name: runs.LISTING.filters[name] for name in ("flow_id", "flow_version_id", "trigger", "schedule_id")
    },
    default_sort="priority",
    is_capped=True,
)
_AHEAD: Select[Any] = (
    select(
        RUNS.id,
        RUNS.fence,
        RUNS.flow_id,
        RUNS.company_id,
        RUNS.ready_at,
        RUNS.parent_run_id,
        RUNS.parent_step_key,
        RUNS.parallel_limit,
        FLOWS.concurrency.label("flow_limit"),
        COMPANIES.concurrency.label("company_limit"),
        *(gates.ahead(key).label(f"ahead_{key}") for key in gates.TURN_KEYS),
    )
    .select_from(tables.runs)
    .outerjoin(tables.flows, FLOWS.id == RUNS.flow_id)
    .outerjoin(tables.companies, COMPANIES.id == RUNS.company_id)
    .where(RUNS.id.in_(bindparam("run_ids", expanding=True)))
)


def page(
    connection: Connection, actor: Actor, asked: query.Page, company_limit: int
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the runs that wait, with `waits_for`. `company_limit` is the server's for companies without one."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    waits = explain(connection, found.rows, actor.at, company_limit)
    items = [{**runs.view(row), "waits_for": waits[row.id]["waits_for"]} for row in found.rows]
    return found, items


def explain_wait(connection: Connection, row: Row[Any], now: datetime, company_limit: int) -> dict[str, Any]:
    """What a queued run waits for first: {waits_for} and, by what that is,

    {until} for its `ready_at`; {flow_run_id} of the run that goes before it for its `schedule` or `key`;
    {running, limit} for `parallel_limit`, `flow_concurrency` and `company_concurrency`; nothing for its `turn`:
    it may go, when the server has room and it is its company's turn.
    """
    return explain(connection, [row], now, company_limit)[row.id]


def explain(
    connection: Connection, rows: Sequence[Row[Any]], now: datetime, company_limit: int
) -> dict[int, dict[str, Any]]:
    """The same of many queued runs, by id."""
    explaining = _Explaining(connection, now, company_limit)
    found = connection.execute(_AHEAD, {"run_ids": [row.id for row in rows]})
    return {row.id: explaining.of(row) for row in found}


class _Explaining:
    """Counts what several runs share once."""

    def __init__(self, connection: Connection, now: datetime, company_limit: int) -> None:
        self._connection = connection
        self._now = now
        self._company_limit = company_limit
        self._counts: dict[Any, int] = {}

    def of(self, row: Row[Any]) -> dict[str, Any]:
        if row.ready_at > self._now:
            return {"waits_for": "ready_at", "until": views.instant(row.ready_at)}
        for name, before in (("schedule", row.ahead_serial_key), ("key", row.ahead_lane)):
            if before is not None:
                return {"waits_for": name, "flow_run_id": before}
        return self._crowded(row) or self._company(row) or {"waits_for": "turn"}

    def _crowded(self, row: Row[Any]) -> dict[str, Any] | None:
        for crowd in () if row.fence else gates.crowds(row):
            if crowd not in self._counts:
                self._counts[crowd] = gates.count_begun(self._connection, crowd)
            if self._counts[crowd] >= crowd.limit:
                return {
                    "waits_for": _CROWDS[crowd.gate],
                    "running": self._counts[crowd],
                    "limit": crowd.limit,
                }
        return None

    def _company(self, row: Row[Any]) -> dict[str, Any] | None:
        limit = row.company_limit or self._company_limit
        if not limit:
            return None
        if row.company_id not in self._counts:
            going_on = select(func.count(RUNS.id)).where(
                gates.begun(RUNS), RUNS.company_id == row.company_id, RUNS.status == run.Status.STARTED
            )
            self._counts[row.company_id] = (
                self._connection.scalar(going_on.where(RUNS.resume_at.is_(None))) or 0
            )
        running = self._counts[row.company_id]
        return (
            {"waits_for": "company_concurrency", "running": running, "limit": limit}
            if running >= limit
            else None
        )
