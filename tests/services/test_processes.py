"""The processes that work together: who is shown, who lives, and what a run says that no worker takes up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from tests.world import World

from flowloom.services import processes
from flowloom.store import claims, columns, tables

# The settings' silence, after which a process is dead, and the hour after which it is forgotten.
DEAD, FORGOTTEN = 31, 3601


async def add(server: World, role: str, *, seen: float = 0, **fields: Any) -> int:
    """A process that was seen so many seconds ago by the database's clock."""

    def work(connection: Any) -> int:
        now = connection.scalar(select(columns.DatabaseNow()))
        times = {"started_at": now - timedelta(hours=2), "seen_at": now - timedelta(seconds=seen)}
        row = {
            "role": role,
            "name": f"{role}-host/1",
            "concurrency": 0,
            "running": 0,
            "key_digest": "",
            **times,
            **fields,
        }
        made = insert(tables.processes).values({**row, **times, **fields}).returning(tables.processes.c.id)
        id: int = connection.execute(made).scalar_one()
        return id

    return await server.platform.database.write(work)


async def listed(server: World, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await server.get("/processes", query=query)).data
    return found


async def waited_for(server: World, id: int) -> list[str]:
    told: list[str] = (await server.get(f"/flow-runs/{id}/explain")).data["waited_for"]
    return told


async def test_a_server_that_is_alone_lists_none(server: World) -> None:
    assert await listed(server) == []
    assert await server.platform.database.read(processes.workers, timedelta(seconds=30)) is None


async def test_each_is_shown_and_the_dead_first_where_asked(server: World) -> None:
    api = await add(server, "api")
    dead = await add(server, "worker", seen=DEAD, concurrency=16, running=3)
    await add(server, "worker", seen=FORGOTTEN)
    assert [(one["id"], one["is_alive"]) for one in await listed(server)] == [(api, True), (dead, False)]
    shown, _ = await listed(server, sort="is_alive")
    numbers = {"concurrency": 16, "running": 3, "is_alive": False}
    instants = {name: shown[name] for name in ("started_at", "seen_at")}
    assert shown == {"id": dead, "role": "worker", "name": "worker-host/1", **numbers, **instants}
    assert datetime.fromisoformat(shown["seen_at"]) < datetime.now(UTC)


async def test_managers_alone_see_them_of_every_company(server: World) -> None:
    await add(server, "api")
    assert (await server.get("/processes", key=server.bearer("user"))).status == 403
    assert len((await server.get("/processes", key=server.other_key)).data) == 1


async def test_the_places_of_those_that_live_are_added_up(server: World) -> None:
    silence = timedelta(seconds=30)
    await add(server, "scheduler")
    assert await server.platform.database.read(processes.workers, silence) == (0, 0, 0)
    await add(server, "worker", concurrency=16, running=3)
    await add(server, "worker", concurrency=8, running=8)
    await add(server, "worker", seen=DEAD, concurrency=8, running=1)
    assert await server.platform.database.read(processes.workers, silence) == (2, 11, 24)


async def test_a_queued_run_says_that_no_worker_runs(server: World) -> None:
    flow = await server.flow(concurrency_key="all")
    first, second = await flow.start({}), await flow.start({})
    assert await waited_for(server, first) == [
        "It may go: it waits for a free place of the server, and its company's turn."
    ]
    await add(server, "api")
    await add(server, "worker", seen=DEAD, concurrency=8)
    no_worker = "No worker is running; start one with `flowloom worker`."
    assert await waited_for(server, first) == [no_worker]
    behind = f"It waits for run {first} of the same key."
    assert (await waited_for(server, second))[:2] == [no_worker, behind]
    await add(server, "worker", concurrency=8, running=8)
    assert await waited_for(server, first) == [
        "It may go: it waits for a free place of a worker (8 of 8 are taken), and its company's turn."
    ]
    assert (await waited_for(server, second))[0] == behind


@pytest.mark.parametrize("limit", [1, 2])
async def test_a_queued_run_says_that_its_company_is_at_its_limit(server: World, limit: int) -> None:
    await server.put("/company", json={"concurrency": limit}, key=server.bearer("administrator"))
    flow = await server.flow()
    ids = [await flow.start({}) for _ in range(limit + 1)]
    await server.platform.database.write(claims.claim, limit, server.clock.now)
    assert await waited_for(server, ids[-1]) == [
        f"It waits for a place: its company is at its limit of {limit} runs at a time ({limit} go on)."
    ]
