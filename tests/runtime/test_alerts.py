"""Alerts of flows: told with the run's end, once, to those who asked for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from tests import remote as remotes
from tests.remote import Remote, Seen
from tests.world import Flow, World

SUCCESS, FAILURE = 2, 3


@pytest.fixture
async def remote() -> AsyncIterator[Remote]:
    async with remotes.serving() as opened:
        yield opened


async def alerting(server: World, *steps: dict[str, Any], **alerts: Any) -> Flow:
    group = {"name": "Ops", "channels": [{"type": "log"}]}
    id = (await server.post("/notification-groups", json=group)).data["id"]
    return await server.flow(*steps, alerts={"notification_group_id": id, **alerts})


async def told(server: World) -> list[str]:
    found = (await server.get("/notifications", query={"sort": "id", "per_page": 100})).data
    return [one["subject"] for one in found]


async def test_failure_and_recovery(server: World, remote: Remote) -> None:
    flow = await alerting(server, remote.send("/to"))
    remote.answers(400)
    first = await flow.run({"id": 1})
    assert first["status"] == FAILURE
    second = await flow.run({"id": 2})
    assert await told(server) == ['Flow "Orders" failed'] * 2
    remote.answers(200)
    third = await flow.run({"id": 3})
    await flow.run({"id": 4})
    assert await told(server) == [*['Flow "Orders" failed'] * 2, 'Flow "Orders" works again']
    rows = (await server.get("/notifications", query={"sort": "id"})).data
    assert [row["flow_run_id"] for row in rows] == [first["id"], second["id"], third["id"]]
    assert rows[0]["flow_id"] == flow.id
    assert f'Run {first["id"]} of version 1 of flow {flow.id} "Orders" failed' in rows[0]["text"]
    assert 'Step "/to": POST' in rows[0]["text"]
    assert await server.notify() == 3


async def test_a_group_of_runs_ends_together(server: World, remote: Remote) -> None:
    flow, quiet = await alerting(server, remote.send("/to")), await server.flow(remote.send("/to"))
    remote.answers(400)
    for number in range(6):
        await (flow if number % 2 else quiet).start({"id": number})
    await server.work()
    assert await told(server) == ['Flow "Orders" failed'] * 3


async def test_a_flow_without_wishes_tells_nothing(server: World, remote: Remote) -> None:
    flow = await alerting(server, remote.send("/to"), on_failure=False, on_recovery=False)
    remote.answers(400)
    await flow.run({"id": 1})
    await server.put(f"/flows/{flow.id}", json={"alerts": None})
    await flow.run({"id": 2})
    assert await told(server) == []


@pytest.mark.parametrize(
    ("body", "is_told"),
    [([], True), (None, True), ({}, True), ([{"id": 1}], False), ({"id": 1}, False), (0, False)],
)
async def test_zero_records(server: World, remote: Remote, body: Any, is_told: bool) -> None:
    async def answer(seen: Seen) -> web.Response:
        return web.json_response(body)

    remote.answer = answer
    flow = await alerting(server, remote.receive("/from"), on_zero_records=True)
    assert (await flow.run())["status"] == SUCCESS
    assert await told(server) == ['Flow "Orders" received nothing'] * is_told


async def test_the_last_of_several_receives_may_have_records(server: World, remote: Remote) -> None:
    async def answer(seen: Seen) -> web.Response:
        return web.json_response([] if seen.path == "/empty" else [{"id": 1}])

    remote.answer = answer
    flow = await alerting(server, remote.receive("/empty"), remote.receive("/full"), on_zero_records=True)
    await flow.run()
    assert await told(server) == []


async def test_a_flow_that_receives_nothing_by_design_is_not_empty(server: World) -> None:
    flow = await alerting(server, on_zero_records=True)
    await flow.run([])
    assert await told(server) == []


async def test_pages_without_records_are_zero(server: World, remote: Remote) -> None:
    async def answer(seen: Seen) -> web.Response:
        return web.json_response({"items": []})

    remote.answer = answer
    pages = remote.receive("/from", path="items", pagination={"type": "page"})
    flow = await alerting(server, pages, on_zero_records=True)
    assert (await flow.run())["status"] == SUCCESS
    assert await told(server) == ['Flow "Orders" received nothing']


async def test_silence_is_told_once_and_so_is_its_end(server: World) -> None:
    flow = await alerting(server, silent_after_minutes=60)
    await pass_minutes(server, 59)
    assert await told(server) == []
    await pass_minutes(server, 1)
    await pass_minutes(server, 600)
    assert await told(server) == ['Flow "Orders" did not run']
    await flow.run()
    await pass_minutes(server, 1)
    assert await told(server) == ['Flow "Orders" did not run', 'Flow "Orders" runs again']
    await pass_minutes(server, 60)
    assert (await told(server))[2:] == ['Flow "Orders" did not run']


async def test_a_run_that_only_waits_did_not_run(server: World) -> None:
    flow = await alerting(server, silent_after_minutes=60)
    await pass_minutes(server, 30)
    await flow.start()
    await pass_minutes(server, 30)
    assert await told(server) == ['Flow "Orders" did not run']


async def test_only_an_enabled_deployed_flow_is_silent(server: World) -> None:
    flow = await alerting(server, silent_after_minutes=60)
    await server.put(f"/flows/{flow.id}", json={"is_enabled": False})
    await pass_minutes(server, 600)
    await server.put(f"/flows/{flow.id}", json={"is_enabled": True})
    await pass_minutes(server, 59)
    assert await told(server) == []
    await server.put(flow.path, json={"deployed_at": None})
    await pass_minutes(server, 600)
    assert await told(server) == []
    await flow.deploy()
    await pass_minutes(server, 60)
    assert await told(server) == ['Flow "Orders" did not run']


async def pass_minutes(server: World, minutes: int) -> None:
    server.clock.advance(seconds=60 * minutes)
    await server.server.loops.notifier.tick(server.clock.now)
    await server.server.loops.notifier.settle()


async def test_alerts_are_set_changed_and_taken_away(server: World) -> None:
    flow = await alerting(server, on_partial=True)
    shown = (await server.get(f"/flows/{flow.id}")).data["alerts"]
    assert shown == {
        "notification_group_id": 1,
        "on_failure": True,
        "on_partial": True,
        "on_recovery": True,
        "on_zero_records": False,
    }
    await server.put(f"/flows/{flow.id}", json={"name": "Other"})
    assert (await server.get(f"/flows/{flow.id}")).data["alerts"] == shown
    await server.put(f"/flows/{flow.id}", json={"alerts": None})
    assert "alerts" not in (await server.get(f"/flows/{flow.id}")).data


@pytest.mark.parametrize(
    ("alerts", "field"),
    [
        ({"notification_group_id": 999}, "alerts.notification_group_id"),
        ({"notification_group_id": 2}, "alerts.notification_group_id"),
        ({}, "alerts.notification_group_id"),
        ({"notification_group_id": 1, "silent_after_minutes": 0}, "alerts.silent_after_minutes"),
        ({"notification_group_id": 1, "on_sunday": True}, "alerts.on_sunday"),
    ],
)
async def test_wrong_alerts_are_refused(server: World, alerts: dict[str, Any], field: str) -> None:
    group = {"name": "Ops", "channels": [{"type": "log"}]}
    await server.post("/notification-groups", json=group)
    await server.post("/notification-groups", json=group, key=server.other_key)
    flow = await server.flow()
    for answer in (
        await server.post("/flows", json={"name": "Orders", "alerts": alerts}),
        await server.put(f"/flows/{flow.id}", json={"alerts": alerts}),
    ):
        assert (answer.status, list(answer.json()["errors"])) == (422, [field])


async def test_a_change_of_something_else_forgets_no_failure(server: World, remote: Remote) -> None:
    flow = await alerting(server, remote.send("/to"))
    remote.answers(400)
    await flow.run({"id": 1})
    whole = (await server.get(f"/flows/{flow.id}")).data
    assert (await server.put(f"/flows/{flow.id}", json={**whole, "name": "Sales"})).status == 200
    remote.answers(200)
    await flow.run({"id": 2})
    assert (await told(server))[-1] == 'Flow "Sales" works again'
