"""Rows to test the store with: companies, flows and versions, without the services that make them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from flowloom.domain import run, version
from flowloom.store import queue, tables

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
TIMES = {"created_at": NOW, "updated_at": NOW}


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def add(connection: Connection, table: Any, **values: Any) -> int:
    return int(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())


def add_company(connection: Connection, name: str = "First", concurrency: int = 0) -> int:
    return add(connection, tables.companies, name=name, concurrency=concurrency, **TIMES)


def add_flow(
    connection: Connection, company_id: int, *, priority: int = 3, deployed: bool = True, **caps: Any
) -> int:
    """A flow with one version, whose definition is empty."""
    fields = {"name": "Orders", "description": "", "is_enabled": True, "labels": [], "last_iteration": 1}
    flow_id = add(
        connection, tables.flows, company_id=company_id, priority=priority, **fields, **caps, **TIMES
    )
    add(
        connection,
        tables.versions,
        flow_id=flow_id,
        iteration=1,
        status=version.Status.DEPLOYED if deployed else version.Status.DRAFT,
        revision=1,
        content_hash="0" * 64,
        steps_count=1,
        has_callback_step=False,
        variables={},
        **TIMES,
    )
    return flow_id


def start(company_id: int, flow_id: int, **fields: Any) -> queue.Start:
    return queue.Start(
        **{
            "company_id": company_id,
            "flow_id": flow_id,
            "trigger": run.Trigger.API,
            "at": NOW,
            **fields,
        }
    )
