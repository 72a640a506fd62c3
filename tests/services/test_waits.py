"""What a queued run waits for first, in the words of the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from tests.world import NOW, World

from flowloom.domain import run
from flowloom.services import waits
from flowloom.store import claims, tables

RUNS = tables.runs.c


async def explained(server: World, id: int, company_limit: int = 0) -> dict[str, Any]:
    def read(connection: Any) -> dict[str, Any]:
        row = connection.execute(select(tables.runs).where(RUNS.id == id)).one()
        return waits.explain_wait(connection, row, NOW, company_limit)

    found: dict[str, Any] = await server.platform.database.read(read)
    return found


async def change(server: World, id: int, **values: Any) -> None:
    changed = update(tables.runs).where(RUNS.id == id).values(values)
    await server.platform.database.write(lambda connection: connection.execute(changed).rowcount)


async def test_each_reason_is_told_before_those_that_matter_less(server: World) -> None:
    flow = await server.flow(concurrency=1, concurrency_key="all")
    first, second = await flow.start({}), await flow.start({})
    later = NOW + timedelta(minutes=5)
    family = {"parent_run_id": 900, "parent_step_key": "each", "parallel_limit": 1, "serial_key": 7}
    for id in (first, second):
        await change(server, id, **family, ready_at=later)
    assert await explained(server, second) == {
        "waits_for": "ready_at",
        "until": "2026-03-02T10:05:00.000000Z",
    }
    await change(server, second, ready_at=NOW)
    assert await explained(server, second) == {"waits_for": "schedule", "flow_run_id": first}
    await change(server, second, serial_key=None)
    assert await explained(server, second) == {"waits_for": "key", "flow_run_id": first}
    await change(server, second, lane=None)
    assert await explained(server, second) == {"waits_for": "turn"}
    await change(server, first, ready_at=NOW)
    await server.platform.database.write(claims.claim, 1, NOW)
    taken = {"running": 1, "limit": 1}
    assert await explained(server, second) == {"waits_for": "parallel_limit", **taken}
    await change(server, second, parallel_limit=None)
    assert await explained(server, second) == {"waits_for": "flow_concurrency", **taken}
    await server.put(f"/flows/{flow.id}", json={"concurrency": 0})
    assert await explained(server, second, 1) == {"waits_for": "company_concurrency", **taken}
    assert await explained(server, second) == {"waits_for": "turn"}


async def test_what_waits_outside_of_memory_takes_no_place_of_its_company(server: World) -> None:
    flow = await server.flow(concurrency=1)
    first, second = await flow.start({}), await flow.start({})
    await server.platform.database.write(claims.claim, 1, NOW)
    await change(server, first, resume_at=NOW)
    await server.put(f"/flows/{flow.id}", json={"concurrency": 0})
    assert await explained(server, second, 1) == {"waits_for": "turn"}
    await server.put(f"/flows/{flow.id}", json={"concurrency": 1})
    assert (await explained(server, second, 1))["waits_for"] == "flow_concurrency"
    await server.platform.database.write(claims.resume_due, NOW)
    assert (await explained(server, first))["waits_for"] == "turn"
    assert (await server.get(f"/flow-runs/{first}")).data["status"] == run.Status.QUEUED
