"""The overview: what fails, is silent, late or waiting, and how runs ended lately, of one company alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update
from tests.runtime.test_alerts import alerting, pass_minutes
from tests.world import Flow, World

from flowloom.domain.run import Status
from flowloom.services import activity
from flowloom.store import tables

FAILS = {"microservice": "assert", "config": {"where": {"field": "id", "operator": "equals", "value": 1}}}
BATCH = {"microservice": "batch", "config": {"size": 10}}


async def overview(server: World, **sent: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await server.get("/overview", **sent)).data
    return found


async def scheduled(server: World, cron: str, **fields: Any) -> Flow:
    flow = await server.flow(BATCH, deploy=False)
    await server.post(f"/flow-versions/{flow.version_id}/schedules", json={"cron_string": cron, **fields})
    await flow.deploy()
    return flow


async def test_an_empty_company_has_nothing_to_see(server: World) -> None:
    found = await overview(server)
    assert (found["since"], found["flows_count"]) == ("2026-03-01T11:00:00.000000Z", 0)
    assert found["runs"] == {"success": 0, "failure": 0, "stopped": 0, "partial": 0}
    for name in ("failing", "silent", "empty", "late", "missed", "busiest", "faults"):
        assert found[name] == []
    kind = "SQLite" if server.platform.settings.database_url.startswith("sqlite") else "PostgreSQL"
    assert found["database"] == kind


async def test_runs_are_counted_by_how_and_when_they_ended(server: World) -> None:
    flow = await server.flow(FAILS)
    await flow.run({"id": 1})
    server.clock.advance(seconds=3600)
    await flow.run({"id": 1})
    await flow.run({"id": 2})
    await server.server.loops.rollup.tick(server.clock.now)
    await flow.run({"id": 1})
    found = await overview(server)
    assert found["runs"] == {"success": 3, "failure": 1, "stopped": 0, "partial": 0}
    [busy] = found["busiest"]
    assert [(one["starts_at"][11:13], one["success"], one["failure"]) for one in busy["results"]] == [
        ("10", 1, 0),
        ("11", 2, 1),
    ]
    server.clock.advance(seconds=86_400)
    later = await overview(server)
    assert (later["runs"]["success"], later["busiest"], later["failing"]) == (0, [], [])


async def test_a_flow_that_fails_stands_there_once(server: World) -> None:
    flow = await server.flow(FAILS)
    await flow.run({"id": 2})
    last = await flow.run({"id": 3})
    [failing] = (await overview(server))["failing"]
    assert (failing["flow_name"], failing["count"], failing["is_well_again"]) == ("Orders", 2, False)
    assert failing["flow_run"]["id"] == last["id"]
    assert last["status"] == Status.FAILURE
    await flow.run({"id": 1})
    [failing] = (await overview(server))["failing"]
    assert failing["is_well_again"]


async def test_what_waits_is_counted(server: World) -> None:
    flow = await server.flow(FAILS)
    await flow.start({"id": 1})
    server.clock.advance(seconds=60)
    await flow.start({"id": 2})
    found = await overview(server)
    assert (found["queued"], found["started"], found["open_dead_letters"]) == (2, 0, 0)
    assert found["waiting_since"] == "2026-03-02T10:00:00.000000Z"
    await server.work()
    found = await overview(server)
    assert (found["queued"], found["open_dead_letters"]) == (0, 1)
    assert "waiting_since" not in found


async def test_only_what_may_begin_and_has_not_begun_waits(server: World) -> None:
    delayed = await server.flow({"microservice": "delay", "config": {"seconds": 60}})
    await delayed.run({})
    found = await overview(server)
    assert (found["queued"], found["started"]) == (0, 1)
    later = await delayed.start({})
    ready_at = server.clock.now + timedelta(minutes=5)
    set_ready = update(tables.runs).where(tables.runs.c.id == later).values(ready_at=ready_at)
    await server.platform.database.write(lambda db: db.execute(set_ready).rowcount)
    found = await overview(server)
    assert (found["queued"], "waiting_since" in found) == (1, False)
    server.clock.advance(seconds=300)
    assert (await overview(server))["waiting_since"] == "2026-03-02T10:05:00.000000Z"


async def test_a_silent_flow_stands_there_until_it_runs(server: World) -> None:
    flow = await alerting(server, silent_after_minutes=60)
    await pass_minutes(server, 61)
    [silent] = (await overview(server))["silent"]
    assert silent == {"flow_id": flow.id, "flow_name": "Orders", "since": "2026-03-02T10:00:00.000000Z"}
    await server.put(f"/flows/{flow.id}", json={"is_enabled": False})
    assert (await overview(server))["silent"] == []


async def test_a_run_without_records_stands_there(server: World) -> None:
    flow = await alerting(server, silent_after_minutes=60)
    now = server.clock.now
    row = {
        "company_id": 1,
        "flow_id": flow.id,
        "run_id": 7,
        "channel_type": "log",
        "channel": {"type": "log"},
    }
    row |= {"subject": "", "text": "", "state": "sent", "attempts": 1, "created_at": now, "updated_at": now}
    for number in (0, 1):
        key = {"once_key": f"alert zero-records of run 7/{number}"}
        await server.platform.database.write(
            lambda db, key=key: db.execute(insert(tables.notifications).values(row | key))
        )
    [empty] = (await overview(server))["empty"]
    assert (empty["flow_id"], empty["flow_run_id"]) == (flow.id, 7)


async def test_a_schedule_is_late_a_minute_after_it_was_due(server: World) -> None:
    flow = await scheduled(server, "5 10 * * *", timezone="Europe/Berlin")
    server.clock.advance(seconds=23 * 3600 + 5 * 60 + 60)
    assert (await overview(server))["late"] == []
    server.clock.advance(seconds=1)
    [late] = (await overview(server))["late"]
    assert (late["flow_id"], late["due_at"]) == (flow.id, "2026-03-03T09:05:00.000000Z")
    await server.put(f"/flows/{flow.id}", json={"is_enabled": False})
    assert (await overview(server))["late"] == []


async def test_slots_that_passed_are_told(server: World) -> None:
    flow = await scheduled(server, "*/5 * * * *", catch_up="none")
    server.clock.advance(seconds=3600)
    await server.tick()
    [missed] = (await overview(server))["missed"]
    assert (missed["flow_id"], missed["reason"]) == (flow.id, "missed")
    assert missed["count"] >= 11


@pytest.mark.parametrize("role", ["read-only", "user"])
async def test_every_role_sees_it_and_no_other_company(server: World, role: str) -> None:
    flow = await server.flow(FAILS)
    await flow.run({"id": 2})
    await flow.start({"id": 2})
    assert (await overview(server, key=await server.token(role)))["flows_count"] == 1
    other = await overview(server, key=server.other_key)
    assert (other["flows_count"], other["queued"], other["open_dead_letters"]) == (0, 0, 0)
    assert (other["failing"], other["busiest"]) == ([], [])
    assert not any(other["runs"].values())


async def test_flows_tell_what_they_did_and_do_next(server: World) -> None:
    flow = await scheduled(server, "5 * * * *")
    idle = await server.flow(BATCH, name="Idle")
    run = await flow.run([])
    query = {"include": ",".join(activity.INCLUDES)}
    first, second = (await server.get("/flows", query=query)).data
    assert first["next_run_at"] == "2026-03-02T10:05:00.000000Z"
    assert first["latest_run"]["id"] == run["id"]
    assert [one["success"] for one in first["results"]] == [1]
    assert (second["id"], second["results"]) == (idle.id, [])
    assert not {"next_run_at", "latest_run"} & second.keys()
    await server.put(f"/flows/{flow.id}", json={"is_enabled": False})
    assert "next_run_at" not in (await server.get(f"/flows/{flow.id}", query=query)).data
