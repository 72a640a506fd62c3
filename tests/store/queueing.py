"""Runs to test claiming with: how they are queued, claimed, ended and put outside of memory."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import update
from tests.store import rows
from tests.store.rows import NOW

from flowloom.domain import run
from flowloom.store import blobs, claims, queue, tables

RUNS, FLOWS = tables.runs.c, tables.flows.c
KEY = "[[payload.customer_id]]"


def packed(value: Any) -> blobs.Packed:
    raw = json.dumps(value).encode()
    return blobs.Packed(len(raw), None, raw, None, raw)


def queued(opened, count=1, parent=None, **fields):
    """So many runs of the first flow, or another; their ids. `parent` is (run, parallel limit)."""
    start = rows.start(**{"company_id": opened.company_id, "flow_id": opened.flow_id, **fields})
    answers = opened.database.write_now(queue.enqueue, queue.RunIds(), [start] * count)
    ids = [answer.run_id for answer in answers]
    if parent is not None:
        values = {"parent_run_id": parent[0], "parent_step_key": "each", "parallel_limit": parent[1]}
        write(opened, update(tables.runs).where(RUNS.id.in_(ids)).values(values))
    return ids


def keyed(opened, customer, **fields):
    return queued(opened, body=packed({"customer_id": customer}), **fields)[0]


def write(opened, statement):
    return opened.database.write_now(lambda db: db.execute(statement).rowcount)


def change_flow(opened, **values):
    write(opened, update(tables.flows).where(FLOWS.id == opened.flow_id).values(values))


def claim(opened, room=10, now=NOW, running=None, limit=0, turns=None):
    claimed = opened.database.write_now(claims.claim, room, now, running or {}, limit, turns)
    return [one.row.id for one in claimed]


def finish(opened, *ids, status=run.Status.SUCCESS):
    write(opened, update(tables.runs).where(RUNS.id.in_(ids)).values(status=status))


def park(opened, id, until):
    write(opened, update(tables.runs).where(RUNS.id == id).values(resume_at=until))


def other_company(opened, **fields):
    """Another company and its flow, as fields of a start."""
    company_id = opened.database.write_now(lambda db: rows.add_company(db, "Other", **fields))
    return {"company_id": company_id, "flow_id": opened.database.write_now(rows.add_flow, company_id)}
