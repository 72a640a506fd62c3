"""Whether what a run worked on is still kept: payloads have their own, shorter retention."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, exists, select

from flowloom import errors
from flowloom.domain import graph
from flowloom.services.actor import Actor
from flowloom.store import tables

FLOWS, PAYLOADS = tables.flows.c, tables.payloads.c


def require_payloads(connection: Connection, actor: Actor, row: Row[Any], server_days: int) -> None:
    """Raise Conflict for a run whose payloads are due to be removed, or were when fewer days were kept."""
    days = (
        connection.scalar(select(FLOWS.payload_retention_days).where(FLOWS.id == row.flow_id)) or server_days
    )
    if row.queued_at < actor.at - timedelta(days=days):
        raise errors.Conflict(
            f"Run {row.id} is older than {days} days, and its payloads are gone; start a new run."
        )
    start = exists().where(PAYLOADS.run_id == row.id, PAYLOADS.kind == "start")
    if _was_given_some(row) and not connection.scalar(select(start)):
        raise errors.Conflict(f"The payloads of run {row.id} are gone; start a new run.")


def _was_given_some(row: Row[Any]) -> bool:
    """Whether a run began with a payload of its own: those of most schedules do not."""
    steps = (row.summary or {}).get("steps", ())
    return any(step["key"] == graph.TRIGGER and step["bytes_in"] for step in steps)
