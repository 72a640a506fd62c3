"""Runs that a run starts of other flows: started once each, and looked at by the step that waits for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, select

from flowloom import errors
from flowloom.domain import formats, run
from flowloom.domain.payload import Payload
from flowloom.engine import records
from flowloom.engine.active import Active
from flowloom.engine.surroundings import Surroundings
from flowloom.steps import aside, contract
from flowloom.store import blobs, queue, tables

RUNS, PAYLOADS = tables.runs.c, tables.payloads.c
# Flows that start each other in a circle are refused when they are deployed; a chosen version may still close one.
MAX_DEPTH: Final = 16


async def start(around: Surroundings, active: Active, place: str, child: contract.Child) -> int:
    """Start a child run for one place (step and position) of a run, or find the one that was; its id.

    Raises errors.Missing, Invalid, Conflict as any start.
    """
    if active.row.depth >= MAX_DEPTH:
        raise errors.Invalid.field("flow_id", f"Flows start one another over {MAX_DEPTH} levels deep.")
    child = replace(child, payload=await aside.run(child.payload.size_bytes, formats.settled, child.payload))
    body = await _packed(around, child.payload)
    started = await around.keep(lambda: around.journal.start(_start(around, active, place, child, body)))
    around.broker.wake()
    around.reach("child-started")
    run_id: int = started.run_id
    return run_id


async def _packed(around: Surroundings, payload: Payload) -> blobs.Packed:
    async def pack() -> blobs.Packed:
        raw = await aside.run(payload.size_bytes, blobs.encode, payload)
        return await aside.run(len(raw), around.blobs.pack, raw)

    packed: blobs.Packed = await around.keep(pack)
    return packed


def _start(
    around: Surroundings, active: Active, place: str, child: contract.Child, body: blobs.Packed
) -> queue.Start:
    return queue.Start(
        company_id=active.row.company_id,
        flow_id=child.flow_id,
        trigger=run.Trigger.SHAPE,
        at=around.clock(),
        version_id=child.version_id,
        body=body,
        content_type=child.payload.content_type,
        meta=child.payload.meta,
        variables=child.variables,
        idempotency=(f"run-flow {active.row.id}/{place}", ""),
        parent=queue.Parent(
            run_id=active.row.id,
            step_key=place.partition("/")[0],
            is_awaited=child.is_awaited,
            parallel_limit=child.parallel_limit,
            depth=active.row.depth + 1,
        ),
    )


def state(connection: Connection, store: blobs.Blobs, run_id: int) -> contract.ChildState:
    """How a child run stands. Raises errors.Missing."""
    row = connection.execute(select(RUNS.status, RUNS.summary).where(RUNS.id == run_id)).one_or_none()
    if row is None:
        raise errors.Missing("Flow run", run_id)
    found = select(tables.payloads).where(PAYLOADS.run_id == run_id, PAYLOADS.kind == "answer")
    answer = connection.execute(found.order_by(PAYLOADS.id).limit(1)).one_or_none()
    message = ((row.summary or {}).get("error") or {}).get("message")
    answered = None if answer is None else records.payload(answer, store)
    return contract.ChildState(run_id, row.status, message, answered)
