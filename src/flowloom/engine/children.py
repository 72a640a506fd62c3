"""Runs that a run starts of other flows: started once each, and looked at by the step that waits for them.

A retry goes on with those that the run it repeats had started: see store/children.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace
from sqlalchemy import Connection, Row, select

from flowloom import errors
from flowloom.domain import formats, run
from flowloom.domain.payload import Payload
from flowloom.engine import records
from flowloom.engine.active import Active
from flowloom.engine.surroundings import Surroundings
from flowloom.steps import aside, contract
from flowloom.store import blobs, places, queue, tables

RUNS, PAYLOADS = tables.runs.c, tables.payloads.c
# Flows that start each other in a circle are refused when they are deployed; a chosen version may still close one.
MAX_DEPTH: Final = 16


async def start(
    around: Surroundings, active: Active, place: str, child: contract.Child
) -> contract.ChildState:
    """Start a child run for one place (step and position) of a run, or find the one that was; how it stands.

    Raises errors.Missing, Invalid, Conflict as any start.
    """
    if active.row.depth >= MAX_DEPTH:
        raise errors.Invalid.field("flow_id", f"Flows start one another over {MAX_DEPTH} levels deep.")
    child = replace(child, payload=await aside.run(child.payload.size_bytes, formats.settled, child.payload))
    body = await _packed(around, child.payload)
    is_retry = active.row.retry_flow_run_id is not None
    begin = around.journal.start_again if is_retry else around.journal.start
    started = await around.keep(lambda: begin(_start(around, active, place, child, body), active.held))
    around.reach("child-started")
    if started.replayed:
        return await look(around, active, started.run_id)
    around.broker.announce(started.run_id, started.priority)
    return contract.ChildState(started.run_id, run.Status.QUEUED, None, None)


async def _packed(around: Surroundings, payload: Payload) -> blobs.Packed:
    async def pack() -> blobs.Packed:
        raw = await aside.run(payload.size_bytes, blobs.encode, payload)
        return await records.away(len(raw), around.blobs.pack, raw)

    packed: blobs.Packed = await around.keep(pack)
    return packed


def _start(
    around: Surroundings, active: Active, place: str, child: contract.Child, body: blobs.Packed
) -> queue.Start:
    step_key, _, position = place.partition("/")
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
            place=places.Place(active.row.id, step_key, position),
            is_awaited=child.is_awaited,
            parallel_limit=child.parallel_limit,
            depth=active.row.depth + 1,
        ),
        trace_context=active.trace.context(step_key),
    )


async def look(around: Surroundings, active: Active, run_id: int) -> contract.ChildState:
    """How a child run stands. Raises errors.Missing."""
    read = around.database.read

    async def see() -> contract.ChildState:
        state, answer = await read(_state, active.row.id, run_id)
        if answer is None:
            return state
        answered = await records.away(answer.bytes, records.payload, answer, around.blobs)
        return replace(state, answer=answered)

    found: contract.ChildState = await around.keep(see)
    return found


def _state(
    connection: Connection, parent_id: int, run_id: int
) -> tuple[contract.ChildState, Row[Any] | None]:
    """How a child run stands but for its answer, and the row of that."""
    asked = select(RUNS.status, RUNS.summary, RUNS.parent_run_id, RUNS.is_awaited, RUNS.stop_requested)
    row = connection.execute(asked.where(RUNS.id == run_id)).one_or_none()
    if row is None:
        raise errors.Missing("Flow run", run_id)
    found = select(tables.payloads).where(PAYLOADS.run_id == run_id, PAYLOADS.kind == "answer")
    answer = connection.execute(found.order_by(PAYLOADS.id).limit(1)).one_or_none()
    message = ((row.summary or {}).get("error") or {}).get("message")
    wakes = row.is_awaited and row.parent_run_id == parent_id
    is_stopping = row.stop_requested and not wakes and not run.is_finished(row.status)
    return contract.ChildState(run_id, row.status, message, None, wakes, is_stopping), answer
