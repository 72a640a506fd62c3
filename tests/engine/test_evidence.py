"""What a run shows afterwards: its steps, what each was given and gave on, and why it ran as it did."""

from __future__ import annotations

from datetime import timedelta

from tests.engine.test_effects import get_run
from tests.remote import Remote
from tests.world import World

SUCCESS, FAILURE = 2, 3
DAY = 86_400
PAID = {"microservice": "filter", "config": {"where": {"field": "paid", "operator": "equals", "value": True}}}
ID = {"microservice": "map", "config": {"rules": [{"target": "id", "source": "n"}]}}
ORDERS = [{"n": 1, "paid": True}, {"n": 2, "paid": False}]


async def payloads(world: World, run: dict, step: str, side: str, **query):
    asked = {"step": step, "side": side, **query}
    return (await world.get(f"/flow-runs/{run['id']}/step-payloads", query=asked)).data


async def test_steps_in_order_with_what_they_did(server: World, remote: Remote):
    flow = await server.flow(PAID, ID, remote.send())
    run = await flow.run(ORDERS)
    steps = (await server.get(f"/flow-runs/{run['id']}/steps")).data
    assert [step["microservice"] for step in steps] == ["trigger", "filter", "map", "connector"]
    assert all(step["was_reached"] and step["payloads_in"] == step["payloads_out"] == 1 for step in steps)
    assert all(step["began_at"] and step["bytes_in"] > 0 and step["attempts"] == 1 for step in steps)
    assert steps[1]["cpu_ms"] > 0


async def test_payloads_before_and_after_each_step_long_after(server: World, remote: Remote):
    flow = await server.flow(PAID, ID, {"microservice": "batch", "config": {"size": 1}}, remote.send())
    run = await flow.run(ORDERS)
    calls = len(remote.seen)
    trigger, paid, mapped, _, send = (
        step["key"] for step in (await server.get(f"/flow-runs/{run['id']}/steps")).data
    )
    # What is edited or deleted meanwhile changes nothing.
    await server.put(flow.path, json={"deployed_at": None})
    await server.delete(flow.path)
    assert [one["body"] for one in await payloads(server, run, trigger, "after")] == [ORDERS]
    assert [one["body"] for one in await payloads(server, run, paid, "after")] == [ORDERS[:1]]
    assert [one["body"] for one in await payloads(server, run, mapped, "before")] == [ORDERS[:1]]
    assert [one["body"] for one in await payloads(server, run, mapped, "after")] == [[{"id": 1}]]
    [sent] = await payloads(server, run, send, "after")
    assert (sent["body"], sent["meta"]["response_status"]) == ([{"id": 1}], "200")
    assert len(remote.seen) == calls


async def test_what_a_failed_run_came_to(server: World, remote: Remote):
    remote.answers(200, 400)
    flow = await server.flow({"microservice": "batch", "config": {"size": 1}}, remote.send())
    run = await flow.run([1, 2, 3])
    send = run["summary"]["error"]["step"]
    assert [one["body"] for one in await payloads(server, run, send, "before")] == [[1], [2]]
    assert [one["body"] for one in await payloads(server, run, send, "after")] == [[1]]
    page = await payloads(server, run, send, "before", page=2, per_page=1)
    assert [one["body"] for one in page] == [[2]]


async def test_what_a_run_had_not_come_to(server: World, remote: Remote):
    remote.answers(200, 400)
    flow = await server.flow({"microservice": "batch", "config": {"size": 1}}, remote.send(), remote.send())
    run = await flow.run([1, 2, 3, 4])
    send = run["summary"]["error"]["step"]
    assert [one["body"] for one in await payloads(server, run, send, "untried")] == [[3], [4]]
    page = await payloads(server, run, send, "untried", page=2, per_page=1)
    assert [one["body"] for one in page] == [[4]]
    for step in (await server.get(f"/flow-runs/{run['id']}/steps")).data:
        assert step["key"] == send or await payloads(server, run, step["key"], "untried") == []


async def test_what_a_run_that_goes_on_has_done(server: World, remote: Remote):
    wait = {"microservice": "delay", "config": {"seconds": 60}}
    flow = await server.flow(PAID, remote.send(), wait, ID)
    run = {"id": await flow.start(ORDERS)}
    await server.work()
    paid, send, delay, mapped = (
        step["key"] for step in (await server.get(f"/flow-runs/{run['id']}/steps")).data[1:]
    )
    for step in (paid, send):
        assert [one["body"] for one in await payloads(server, run, step, "after")] == [ORDERS[:1]]
    assert [one["body"] for one in await payloads(server, run, delay, "before")] == [ORDERS[:1]]
    assert await payloads(server, run, delay, "after") == []
    assert await payloads(server, run, mapped, "before") == []


async def test_bad_looks(sqlite_server: World):
    run = await (await sqlite_server.flow()).run([1])
    path = f"/flow-runs/{run['id']}/step-payloads"
    for query, status in (({}, 422), ({"step": "x"}, 422), ({"step": "trigger", "side": "both"}, 422)):
        assert (await sqlite_server.get(path, query=query)).status == status
    assert (
        await sqlite_server.get(path, query={"step": "trigger"}, key=sqlite_server.other_key)
    ).status == 404


async def test_why_a_run_ran(server: World, remote: Remote):
    flow = await server.flow({"microservice": "delay", "config": {"seconds": 60}}, remote.send(retries=0))
    id = await flow.start({})
    await server.work()
    told = (await server.get(f"/flow-runs/{id}/explain")).data
    assert told["state"].startswith("Started; it waits until 2026-03-02T10:01:00")
    assert "over the API" in told["why"]
    assert "was the Deployed one" in told["why_this_version"]
    assert ["a delay until" in wait for wait in told["waited_for"]] == [True]
    remote.answers(400)
    server.clock.advance(seconds=60)
    await server.work()
    told = (await server.get(f"/flow-runs/{id}/explain")).data
    assert told["state"].startswith("Failure at ")
    assert "answered 400" in told["state"]
    again = (await server.post(f"/flow-runs/{id}/retry")).json()["flow_run_id"]
    assert f"repeats run {id}" in (await server.get(f"/flow-runs/{again}/explain")).data["why"]


async def test_what_a_queued_run_waits_for(server: World):
    flow = await server.flow({"microservice": "delay", "config": {"seconds": 60}}, concurrency=1)
    await flow.start({})
    await server.work()
    id = await flow.start({})
    await server.work()
    told = (await server.get(f"/flow-runs/{id}/explain")).data
    assert told["waited_for"] == ["It waits for a place: 1 of 1 are taken (flow concurrency)."]


async def test_why_a_slot_fired_or_did_not(server: World):
    flow = await server.flow(deploy=False)
    made = {"cron_string": "0 * * * *", "catch_up": "none"}
    id = (await server.post(f"/flow-versions/{flow.version_id}/schedules", json=made)).data["id"]
    await flow.deploy()
    at = server.clock.now + timedelta(hours=1)

    async def explain(at):
        return await server.get(f"/schedules/{id}/explain", query={"at": at.strftime("%Y-%m-%dT%H:%M:%SZ")})

    assert (await explain(at)).data["state"] == "To come."
    server.clock.now = at
    await server.tick()
    told = (await explain(at)).data
    assert (await get_run(server, told["flow_run_id"]))["schedule_id"] == id
    assert "fired for its slot" in told["why"]
    server.clock.now = at + timedelta(hours=2, minutes=30)
    await server.tick()
    told = (await explain(at + timedelta(hours=1))).data
    assert (told["state"], "the server was down or late" in told["why"]) == ("Not fired.", True)
    assert (await explain(at + timedelta(minutes=5))).status == 422
    for long_ago in ("0001-01-01T00:00:00Z", "1583-01-01T00:00:00Z", "-1"):
        answer = await server.get(f"/schedules/{id}/explain", query={"at": long_ago})
        assert (answer.status, list(answer.json()["errors"])) == (422, ["at"])
    assert (await server.get(f"/schedules/{id}/explain", query={"at": "9999-12-31T23:59:59Z"})).status in (
        200,
        422,
    )
    assert (await server.get(f"/schedules/{id}/explain")).status == 422
    assert (await server.get("/schedules/999/explain", query={"at": "2026-03-02T11:00:00Z"})).status == 404


async def test_payloads_that_are_gone_are_said_to_be(server: World, remote: Remote):
    """They are not made up from nothing, also after more days were granted to what is left."""
    remote.answers(400)
    flow = await server.flow(PAID, remote.send(), payload_retention_days=2)
    failed = await flow.run(ORDERS)
    waiting = await (await server.flow({"microservice": "delay", "config": {"seconds": 30 * DAY}})).start([7])
    await server.work()
    server.clock.advance(seconds=29 * DAY)
    gone = f"Run {failed['id']} is older than 2 days, and its payloads are gone; start a new run."
    assert await refused(server, failed["id"]) == [gone, gone]
    await server.server.loops.pruner.tick(server.clock.now)
    await server.put(f"/flows/{flow.id}", json={"payload_retention_days": 90, "log_retention_days": 90})
    gone = f"The payloads of run {failed['id']} are gone; start a new run."
    assert await refused(server, failed["id"]) == [gone, gone]
    [still] = await payloads(server, {"id": waiting}, "trigger", "after")
    assert still["body"] == [7]


async def refused(server: World, id: int) -> list[str]:
    """What a look at a run's payloads and a retry are told."""
    look = await server.get(f"/flow-runs/{id}/step-payloads", query={"step": "trigger", "side": "after"})
    retry = await server.post(f"/flow-runs/{id}/retry")
    assert (look.status, retry.status) == (409, 409)
    return [answer.json()["message"] for answer in (look, retry)]
