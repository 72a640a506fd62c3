"""Waiting outside of memory: delays, long pauses and runs of other flows, over restarts and stops."""

from __future__ import annotations

import pytest
from aiohttp import web
from tests.engine.test_effects import crash, get_run
from tests.remote import Remote, Seen
from tests.world import Flow, World

QUEUED, STARTED, SUCCESS, FAILURE, STOPPED, PARTIAL = range(6)
HOUR = {"microservice": "delay", "config": {"seconds": 3600}}
ONE_BY_ONE = {"microservice": "batch", "config": {"size": 1}}


async def test_a_delayed_run_takes_no_place_and_goes_on_in_time(server: World, remote: Remote):
    flow = await server.flow(ONE_BY_ONE, HOUR, remote.send())
    id = await flow.start([1, 2])
    await server.work()
    assert ((await get_run(server, id))["status"], server.server.duty.dispatcher.running) == (STARTED, 0)
    server.clock.advance(seconds=3599)
    await server.work()
    assert remote.seen == []
    server.clock.advance(seconds=1)
    await server.work()
    assert ((await get_run(server, id))["status"], remote.bodies()) == (SUCCESS, [[1], [2]])
    assert (await get_run(server, id))["duration_ms"] == 3_600_000


async def test_a_short_wait_ends_in_time(server: World, remote: Remote, monkeypatch: pytest.MonkeyPatch):
    """Not when the dispatcher next looks by itself."""
    woken: list[float] = []
    monkeypatch.setattr(server.server.platform.broker, "wake_in", woken.append)
    flow = await server.flow({"microservice": "delay", "config": {"seconds": 0.3}})
    await flow.start({})
    await server.work()
    assert woken == [0.3]


async def test_a_restart_neither_ends_nor_repeats_a_wait(server: World, remote: Remote):
    flow = await server.flow(remote.send("/before"), HOUR, HOUR, remote.send("/after"))
    id = await flow.start({"a": 1})
    await server.work()
    await crash(server)
    await server.work()
    assert (await get_run(server, id))["status"] == STARTED
    server.clock.advance(seconds=3600)
    await server.work()
    await crash(server)
    assert remote.bodies("/after") == []
    server.clock.advance(seconds=3600)
    await server.work()
    assert (await get_run(server, id))["status"] == SUCCESS
    assert [seen.path for seen in remote.seen] == ["/before", "/after"]


async def test_a_waiting_run_is_stopped_at_once_and_for_good(server: World, remote: Remote):
    flow = await server.flow(HOUR, remote.send())
    id = await flow.start({})
    await server.work()
    assert (await server.post(f"/flow-runs/{id}/stop")).data["status"] == STOPPED
    server.clock.advance(seconds=7200)
    await server.work()
    assert ((await get_run(server, id))["status"], remote.seen) == (STOPPED, [])


async def test_a_stopped_wait_keeps_what_its_steps_did(server: World, remote: Remote):
    flow = await server.flow({"microservice": "split"}, remote.send(), HOUR)
    id = await flow.start([1, 2])
    await server.work()
    assert "counted" not in (await get_run(server, id))["summary"]
    server.clock.advance(seconds=60)
    await server.post(f"/flow-runs/{id}/stop")
    steps = (await server.get(f"/flow-runs/{id}/steps")).data
    assert [step["was_reached"] for step in steps] == [True] * 4
    assert (steps[2]["payloads_in"], steps[2]["payloads_out"], steps[2]["attempts"]) == (2, 2, 2)
    assert "counted" not in (await get_run(server, id))["summary"]
    found = (await server.get(f"/flows/{flow.id}/version-metrics", query={"per_page": 100})).data
    values = {(one["type"], one["key"]): one["value"] for one in found}
    assert (values["runs", "stopped"], values["payloads", "sent"], values["steps", "count"]) == (1, 2, 4)
    assert values["duration", "p50"] == pytest.approx(60_000, rel=0.03)


async def test_a_leg_that_waits_does_not_hold_up_the_others(server: World, remote: Remote):
    routes = {"mode": "all", "routes": [{"name": "slow"}, {"name": "quick"}]}
    flow = await server.flow({"microservice": "route", "config": routes}, deploy=False)
    slow, quick = (await server.get(f"{flow.graph}/steps/{flow.last_step_id}/routes")).data
    parent = flow.last_step_id
    for route, step in ((slow, remote.send("/slow")), (slow, HOUR), (quick, remote.send("/quick"))):
        where = {"parent_id": parent, "flow_step_route_id": route["id"]}
        await server.post(f"{flow.graph}/steps", json={**step, **where})
    await flow.deploy()
    id = await flow.start({})
    await server.work()
    assert [seen.path for seen in remote.seen] == ["/quick"]
    server.clock.advance(seconds=3600)
    await server.work()
    assert ((await get_run(server, id))["status"], [seen.path for seen in remote.seen]) == (
        SUCCESS,
        ["/quick", "/slow"],
    )


async def test_a_branch_works_its_legs_in_order_each_with_the_same(server: World, remote: Remote):
    legs = {"routes": [{"name": "a"}, {"name": "b"}]}
    flow = await server.flow(ONE_BY_ONE, {"microservice": "branch", "config": legs}, deploy=False)
    for route in (await server.get(f"{flow.graph}/steps/{flow.last_step_id}/routes")).data:
        where = {"parent_id": flow.last_step_id, "flow_step_route_id": route["id"]}
        await server.post(f"{flow.graph}/steps", json={**remote.send(f"/{route['name']}"), **where})
    await flow.deploy()
    assert (await flow.run([1, 2]))["status"] == SUCCESS
    assert [(seen.path, seen.body) for seen in remote.seen] == [
        ("/a", [1]),
        ("/a", [2]),
        ("/b", [1]),
        ("/b", [2]),
    ]


async def test_a_long_retry_after_survives_a_restart_and_counts_on(server: World, remote: Remote):
    remote.answers(429, 503, 200, retry_after="600")
    flow = await server.flow(remote.send(retries=2))
    id = await flow.start({})
    await server.work()
    await crash(server)
    await server.work()
    assert (len(remote.seen), (await get_run(server, id))["status"]) == (1, STARTED)
    server.clock.advance(seconds=600)
    await server.work()
    server.clock.advance(seconds=600)
    await server.work()
    run = await get_run(server, id)
    assert (run["status"], run["has_warnings"], len(set(remote.keys()))) == (SUCCESS, True, 1)
    remote.answers(429, retry_after="600")
    id = await flow.start({})
    for _ in range(4):
        await server.work()
        server.clock.advance(seconds=600)
    run = await get_run(server, id)
    assert (run["status"], len(remote.seen)) == (FAILURE, 6)
    assert run["summary"]["error"]["message"].endswith("Gave up after 3 attempts.")


async def test_a_run_has_no_more_time_than_its_flow_gives(server: World, remote: Remote):
    flow = await server.flow(HOUR, remote.send(), run_timeout_seconds=600)
    id = await flow.start({})
    await server.work()
    server.clock.advance(seconds=601)
    await server.work()
    run = await get_run(server, id)
    assert (run["status"], remote.seen) == (FAILURE, [])
    assert "longer than 600 seconds" in run["summary"]["error"]["message"]


async def parent_of(server: World, child: Flow, remote: Remote, **config) -> Flow:
    step = {"microservice": "run-flow", "config": {"flow_id": child.id, **config}}
    return await server.flow(ONE_BY_ONE, step, remote.send("/parent"))


async def test_a_flow_is_started_for_each_payload_and_goes_on(server: World, remote: Remote):
    child = await server.flow(
        remote.send("/child", body={"n": "[[payload]]", "shop": "{{shop}}"}), deploy=False
    )
    await server.put(f"/flow-versions/{child.version_id}/variables", json={"variables": {"shop": "none"}})
    await child.deploy()
    parent = await parent_of(server, child, remote, variables={"shop": "nl [[payload]]"})
    id = await parent.start([1, 2])
    await server.work()
    assert (await get_run(server, id))["status"] == SUCCESS
    children = (await server.get("/flow-runs", query={"filter[flow_id]": child.id, "sort": "id"})).data
    assert [(one["trigger"], one["parent_run_id"]) for one in children] == [("Shape", id)] * 2
    sent = sorted(remote.bodies("/child"), key=lambda body: body["n"])
    assert sent == [{"n": [1], "shop": "nl [1]"}, {"n": [2], "shop": "nl [2]"}]


async def test_a_parent_waits_for_its_children_and_fails_with_them(server: World, remote: Remote):
    async def bad_two(seen: Seen) -> web.Response:
        return web.Response(status=400 if seen.path == "/child" and seen.body == [2] else 200)

    remote.answer = bad_two
    child = await server.flow(remote.send("/child"))
    parent = await parent_of(server, child, remote, wait=True)
    id = await parent.start([1, 2])
    await server.work()
    run = await get_run(server, id)
    assert run["status"] == FAILURE
    assert "ended as failure" in run["summary"]["error"]["message"]
    remote.answers(200)
    again = (await server.post(f"/flow-runs/{id}/retry")).json()["flow_run_id"]
    await server.work()
    assert (await get_run(server, again))["status"] == SUCCESS
    # The child that had succeeded is not started again.
    assert sorted(remote.bodies("/child")) == [[1], [2], [2]]
    assert sorted(remote.bodies("/parent")) == [[1], [2]]


async def test_children_that_succeeded_after_a_failed_one_are_not_started_again(
    server: World, remote: Remote
):
    async def bad_two(seen: Seen) -> web.Response:
        return web.Response(status=400 if seen.path == "/child" and seen.body == [2] else 200)

    remote.answer = bad_two
    child = await server.flow(remote.send("/child"))
    parent = await parent_of(server, child, remote, wait=True)
    id = await parent.start([1, 2, 3])
    await server.work()
    assert (await get_run(server, id))["status"] == FAILURE
    remote.answers(200)
    again = (await server.post(f"/flow-runs/{id}/retry")).json()["flow_run_id"]
    await server.work()
    assert (await get_run(server, again))["status"] == SUCCESS
    assert sorted(remote.bodies("/child")) == [[1], [2], [2], [3]]
    assert sorted(remote.bodies("/parent")) == [[1], [2], [3]]


async def test_what_steps_did_before_a_wait_is_told_once_and_counted(server: World, remote: Remote):
    remote.answers(503, 200)
    flow = await server.flow(remote.send("/before"), HOUR, HOUR, remote.send("/after"))
    id = await flow.start({})
    for _ in range(3):
        await server.work()
        server.clock.advance(seconds=3600)
    run = await get_run(server, id)
    assert (run["status"], [step["attempts"] for step in run["summary"]["steps"]][1]) == (SUCCESS, 2)
    lines = (
        await server.get(f"/flow-runs/{id}/flow-run-logs", query={"filter[level]": "info", "per_page": 50})
    ).data
    told = [line["message"] for line in lines if line["message"].endswith("1 in, 1 out")]
    assert told == [f"{name}: 1 in, 1 out" for name in ("Trigger", "/before", "Delay", "Delay", "/after")]


async def test_a_child_that_waits_lets_its_parent_wait(server: World, remote: Remote):
    child = await server.flow(HOUR, remote.send("/child"))
    parent = await parent_of(server, child, remote, wait=True)
    id = await parent.start([1])
    await server.work()
    await crash(server)
    assert server.server.duty.dispatcher.running == 0
    server.clock.advance(seconds=3600)
    await server.work()
    assert (await get_run(server, id))["status"] == SUCCESS
    assert [seen.path for seen in remote.seen] == ["/child", "/parent"]


async def test_one_run_for_the_whole_bucket(server: World, remote: Remote):
    child = await server.flow(remote.send("/child"))
    parent = await parent_of(server, child, remote, per="bucket")
    await parent.start([1, 2, 3])
    await server.work()
    assert remote.bodies("/child") == [[[1], [2], [3]]]
    assert remote.bodies("/parent") == [[1], [2], [3]]


async def test_stopping_a_parent_stops_what_it_waits_for(server: World, remote: Remote):
    child = await server.flow(HOUR)
    parent = await parent_of(server, child, remote, wait=True)
    id = await parent.start([1, 2])
    await server.work()
    await server.post(f"/flow-runs/{id}/stop")
    runs = (await server.get("/flow-runs")).data
    assert [run["status"] for run in runs] == [STOPPED] * 3


async def test_flows_that_start_each_other_are_refused(server: World):
    first, second = await server.flow(), await server.flow(deploy=False)
    await second.add("run-flow", config={"flow_id": first.id})
    await second.deploy()
    copied = (await server.post(f"{first.path}/copy")).data["id"]
    again = Flow(server, first.id, copied)
    step = await again.add("run-flow", config={"flow_id": second.id})
    answer = await server.put(again.path, json={"deployed_at": server.clock.now.isoformat()})
    assert (answer.status, list(answer.json()["errors"])) == (422, [f"steps.{step['id']}.config.flow_id"])
    await server.patch(f"{again.graph}/steps/{step['id']}", json={"config": {"flow_id": first.id}})
    answer = await server.put(again.path, json={"deployed_at": server.clock.now.isoformat()})
    assert answer.status == 422


@pytest.mark.parametrize("wrong", [{"flow_id": 99}, {"flow_id": 0}, {"flow_id": 1, "parallel": 0}])
async def test_a_flow_that_is_not_there(sqlite_server: World, wrong):
    flow = await sqlite_server.flow(deploy=False)
    trigger = (await sqlite_server.get(flow.graph)).data["steps"][0]["id"]
    step = {"microservice": "run-flow", "parent_id": trigger, "config": wrong}
    assert (await sqlite_server.post(f"{flow.graph}/steps", json=step)).status == 422
