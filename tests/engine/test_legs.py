"""Routes: legs side by side, each to its end, with variables of its own."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from aiohttp import web
from tests.remote import Remote, Seen
from tests.world import Flow, World

from flowloom.engine import records
from flowloom.store import blobs

SUCCESS, FAILURE = 2, 3


async def routed(world: World, mode: str, *legs: tuple[dict[str, Any] | None, list[dict[str, Any]]]) -> Flow:
    """A flow with one route step and these legs: (where, steps)."""
    flow = await world.flow({"microservice": "route", "config": {"mode": mode}}, deploy=False)
    route_step = flow.last_step_id
    for number, (where, steps) in enumerate(legs):
        sent = {"name": f"Leg {number}", **({"where": where} if where else {})}
        route = (await world.post(f"{flow.graph}/steps/{route_step}/routes", json=sent)).data
        flow.last_step_id = route_step
        for at, step in enumerate(steps):
            await flow.add(**step, **({"flow_step_route_id": route["id"]} if at == 0 else {}))
    await flow.deploy()
    return flow


def equals(field: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": "equals", "value": value}


def setting(name: str, value: Any) -> dict[str, Any]:
    return {"microservice": "set-variables", "config": {"variables": {name: value}}}


async def test_all_and_first_give_each_leg_its_share(server: World, remote: Remote):
    records = [{"n": 1}, {"n": 2}, {"n": 3}]
    legs = ((equals("n", 1), [remote.send("/one")]), (None, [remote.send("/rest")]))
    for mode, rest in (("all", records), ("first", records[1:])):
        remote.seen.clear()
        run = await (await routed(server, mode, *legs)).run(records)
        assert run["status"] == SUCCESS
        assert (remote.bodies("/one"), remote.bodies("/rest")) == ([[{"n": 1}]], [rest])


async def test_a_leg_that_fails_lets_the_others_end_and_fails_the_run(server: World, remote: Remote):
    async def refuse_one(seen: Seen) -> web.Response:
        return web.Response(status=400 if seen.path == "/bad" else 200)

    remote.answer = refuse_one
    good = [remote.send("/a"), remote.send("/b"), remote.send("/c")]
    flow = await routed(server, "all", (None, [remote.send("/bad"), remote.send("/never")]), (None, good))
    run = await flow.run({"n": 1})
    assert (run["status"], run["summary"]["error"]["name"]) == (FAILURE, "/bad")
    assert sorted(seen.path for seen in remote.seen) == ["/a", "/b", "/bad", "/c"]


async def test_variables_that_a_leg_sets_stay_in_it(server: World, remote: Remote):
    body = {"who": "{{who}}"}
    flow = await routed(
        server,
        "all",
        (None, [setting("who", "left"), remote.send("/left", body=body)]),
        (None, [setting("who", "right"), remote.send("/right", body=body)]),
    )
    assert (await flow.run({"n": 1}))["status"] == SUCCESS
    assert (remote.bodies("/left"), remote.bodies("/right")) == ([{"who": "left"}], [{"who": "right"}])


async def test_steps_side_by_side_have_the_variables_as_they_were_before(server: World, remote: Remote):
    flow = await server.flow(setting("who", "all"), deploy=False)
    before = flow.last_step_id
    second = await flow.add(**remote.send("/second", body={"who": "{{who}}"}))
    flow.last_step_id = before
    first = await flow.add(**setting("who", "mine"))
    await flow.add(**remote.send("/first", body={"who": "{{who}}"}))
    await server.patch(f"{flow.graph}/steps/{second['id']}", json={"parent_id": before})
    await flow.deploy()
    assert first["parent_id"] == before
    assert (await flow.run({}))["status"] == SUCCESS
    assert (remote.bodies("/first"), remote.bodies("/second")) == ([{"who": "mine"}], [{"who": "all"}])


async def test_a_route_step_is_counted_as_any_other(server: World, remote: Remote):
    flow = await routed(
        server, "all", (equals("n", 1), [remote.send()]), (equals("n", 2), [remote.send()]), (None, [])
    )
    run = await flow.run([{"n": 1}, {"n": 1}])
    found = [(s["payloads_in"], s["payloads_out"], s["attempts"]) for s in run["summary"]["steps"]]
    assert found == [(1, 1, 1), (1, 2, 1), (1, 1, 1)]
    query = {"filter[type]": "operations", "filter[flow_version_id]": flow.version_id}
    [metric] = (await server.get(f"/flows/{flow.id}/version-metrics", query=query)).data
    assert metric["value"] == 3


async def test_a_payload_that_fits_no_route_goes_no_further(server: World, remote: Remote):
    flow = await routed(server, "all", (equals("n", 1), [remote.send()]))
    run = await flow.run({"n": 2})
    assert (run["status"], remote.seen) == (SUCCESS, [])


async def test_one_send_in_two_legs_has_two_keys(server: World, remote: Remote):
    flow = await routed(server, "all", (None, [remote.send("/a")]), (None, [remote.send("/b")]))
    await flow.run({"n": 1})
    assert sorted(remote.per_key().values()) == [1, 1]


async def test_what_one_leg_records_is_not_lost_to_another(
    server: World, remote: Remote, monkeypatch: pytest.MonkeyPatch
):
    """What is large is packed in a thread; meanwhile the other leg writes what the run has not written yet."""
    is_written, pack = threading.Event(), records.pack

    def packing(rows: list[dict[str, Any]], store: blobs.Blobs) -> list[dict[str, Any]]:
        if b'"slow"' in rows[0]["raw"]:
            assert is_written.wait(10)
        return pack(rows, store)

    async def answer(seen: Seen) -> web.Response:
        if seen.path == "/then":
            is_written.set()
        return web.Response()

    remote.answer = answer
    monkeypatch.setattr(records, "raw_bytes", lambda rows: blobs.INLINE_BYTES + 1)
    monkeypatch.setattr(records, "pack", packing)
    slow = {"microservice": "map", "config": {"rules": [{"target": "slow", "value": True}]}}
    quick = [remote.send("/quick"), remote.send("/then")]
    flow = await routed(
        server, "all", (None, [slow, remote.send("/slow"), remote.send("/end")]), (None, quick)
    )
    run = await flow.run({"n": 1})
    assert run["status"] == SUCCESS
    query = {"filter[flow_run_id]": run["id"], "filter[kind]": "effect"}
    assert len((await server.get("/payload-metadata", query=query)).data) == 4
