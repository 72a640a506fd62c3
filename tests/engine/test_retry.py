"""Retry: a new run that goes on where the old one failed, or from a step on, under the keys of the first."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web
from tests.engine.test_effects import get_run
from tests.remote import Remote, Seen
from tests.world import Flow, World

SUCCESS, FAILURE = 2, 3


async def failing_at_two(server: World, remote: Remote):
    """A run that has sent the first of two payloads and failed at the second."""
    flow = await server.flow(
        {"microservice": "batch", "config": {"size": 1}}, remote.send("/a"), remote.send("/b")
    )

    async def refuse_two(seen: Seen) -> web.Response:
        return web.Response(status=400 if seen.body == [2] else 200)

    remote.answer = refuse_two
    run = await flow.run([1, 2])
    assert (run["status"], remote.bodies("/a")) == (FAILURE, [[1], [2]])
    remote.answers(200)
    return flow, run["id"]


async def retry(world: World, id: int, **sent):
    answer = await world.post(f"/flow-runs/{id}/retry", json=sent)
    assert answer.status == 200, answer.body
    await world.work()
    return await get_run(world, answer.json()["flow_run_id"])


async def test_a_retry_goes_on_where_it_failed_under_the_same_keys(server: World, remote: Remote):
    _, id = await failing_at_two(server, remote)
    run = await retry(server, id)
    assert (run["status"], run["trigger"], run["retry_flow_run_id"]) == (SUCCESS, "Retry", id)
    assert remote.bodies("/a") == [[1], [2], [2]]
    assert remote.keys("/a")[1] == remote.keys("/a")[2]
    assert remote.bodies("/b") == [[1], [2]]


async def test_a_retry_of_a_retry_keeps_the_keys_of_the_first(server: World, remote: Remote):
    _, id = await failing_at_two(server, remote)
    remote.answers(400)
    second = await retry(server, id)
    assert second["status"] == FAILURE
    remote.answers(200)
    assert (await retry(server, second["id"]))["status"] == SUCCESS
    assert len(set(remote.keys("/a"))) == 2


async def test_a_retry_counts_only_what_it_does_itself(server: World, remote: Remote):
    flow, id = await failing_at_two(server, remote)
    server.clock.advance(seconds=1)
    assert (await retry(server, id))["status"] == SUCCESS
    found = (await server.get(f"/flows/{flow.id}/version-metrics", query={"per_page": 100})).data
    counted = {metric["key"]: metric["value"] for metric in found if metric["type"] == "payloads"}
    assert (counted["received"], counted["sent"], counted["count"]) == (1, 4, 4)


async def test_a_retry_from_a_step_does_it_and_what_follows_again(server: World, remote: Remote):
    flow, id = await failing_at_two(server, remote)
    steps = {step["name"]: step for step in (await server.get(flow.graph)).data["steps"]}
    remote.seen.clear()
    first = await retry(server, id, from_step=steps["/a"]["key"])
    assert remote.bodies("/a") == [[1], [2]]
    again = await retry(server, first["id"], from_step=steps["/b"]["id"])
    assert again["status"] == SUCCESS
    assert len(remote.bodies("/a")) == 2
    assert remote.bodies("/b") == [[1], [2], [1], [2]]
    assert set(remote.per_key().values()) == {1, 2}


async def test_a_retry_by_another_version_runs_that_version(server: World, remote: Remote):
    flow, id = await failing_at_two(server, remote)
    copied = (await server.post(f"{flow.path}/copy")).data
    draft = f"/flow-versions/{copied['id']}/graph"
    step = next(s for s in (await server.get(draft)).data["steps"] if s["name"] == "/b")
    await server.patch(f"{draft}/steps/{step['id']}", json={"config": remote.send("/c")["config"]})
    run = await retry(server, id, version=copied["id"])
    assert (run["status"], run["flow_version_id"]) == (SUCCESS, copied["id"])
    assert (remote.bodies("/a"), remote.bodies("/b"), remote.bodies("/c")) == (
        [[1], [2], [2]],
        [],
        [[1], [2]],
    )


async def test_a_retry_sees_the_instant_and_the_variables_of_the_first_run(server: World, remote: Remote):
    flow = await server.flow(remote.send("/", body={"who": "{{who}}"}), deploy=False)
    await server.put(f"/flow-versions/{flow.version_id}/variables", json={"variables": {"who": "nobody"}})
    await flow.deploy()
    remote.answers(400)
    id = await flow.start({}, query={"flow_variables": '{"who": "ann"}'})
    await server.work()
    remote.answers(200)
    server.clock.advance(seconds=1000)
    assert (await retry(server, id))["status"] == SUCCESS
    assert remote.bodies() == [{"who": "ann"}] * 2


async def test_a_run_that_goes_on_is_not_retried(server: World, remote: Remote):
    id = await (await server.flow(remote.send())).start({})
    assert (await server.post(f"/flow-runs/{id}/retry", json={})).status == 409
    await server.work()
    assert (await server.post(f"/flow-runs/{id}/retry", json={"from_step": "nothing"})).status == 422


async def test_a_run_of_a_deleted_flow_is_not_retried(server: World, remote: Remote):
    flow, id = await failing_at_two(server, remote)
    letter = (await server.get("/dead-letters")).data[0]["id"]
    await server.put(flow.path, json={"deployed_at": None})
    assert (await server.delete(f"/flows/{flow.id}")).status == 200
    for path in (f"/flow-runs/{id}/retry", f"/dead-letters/{letter}/re-drive"):
        answer = await server.post(path, json={})
        assert (answer.status, answer.json()["message"]) == (404, f"Flow {flow.id} was not found.")
    many = await server.post(f"/flow-runs/retry?filter[flow_id]={flow.id}", json={})
    assert many.data == {
        "flow_run_ids": [],
        "skipped": [{"id": id, "reason": f"Flow {flow.id} was not found."}],
    }
    assert (await server.work(), remote.seen[3:]) == (0, [])


async def test_a_run_of_a_deleted_version_is_retried_as_it_was(server: World, remote: Remote):
    flow, id = await failing_at_two(server, remote)
    await server.put(flow.path, json={"deployed_at": None})
    assert (await server.delete(flow.path)).status == 200
    assert (await retry(server, id))["status"] == SUCCESS


def twelve_pages(bad: int | None) -> Any:
    """Twelve pages of two records; /to refuses the record with this number."""

    async def answer(seen: Seen) -> web.Response:
        if seen.path == "/to":
            return web.Response(status=400 if seen.body["n"] == bad else 200)
        page = int(seen.query.get("page", 1))
        return web.json_response([{"n": page * 10}, {"n": page * 10 + 1}] if page <= 12 else [])

    return answer


async def test_a_retry_knows_which_page_was_the_last(server: World, remote: Remote):
    remote.answer = twelve_pages(31)
    received = remote.receive("/pages", pagination={"type": "page"})
    flow = await server.flow(received, {"microservice": "split"}, remote.send("/to"))
    id = (await flow.run())["id"]
    remote.answer = twelve_pages(None)
    assert (await retry(server, id))["status"] == SUCCESS
    assert len([seen for seen in remote.seen if seen.path == "/pages"]) == 13
    numbers = [body["n"] for body in remote.bodies("/to")]
    assert sorted(numbers) == sorted([*(page * 10 + n for page in range(1, 13) for n in (0, 1)), 31])


async def test_a_re_drive_knows_which_page_was_the_last(server: World, remote: Remote):
    bad = 12

    async def answer(seen: Seen) -> web.Response:
        page = int(seen.query.get("page", 1))
        return web.Response(status=400) if page == bad else web.json_response([page] if page <= 13 else [])

    remote.answer = answer
    await (await server.flow(remote.receive("/pages", pagination={"type": "page"}), remote.send("/to"))).run()
    [letter] = (await server.get("/dead-letters")).data
    bad = 0
    await server.post(f"/dead-letters/{letter['id']}/re-drive")
    await server.work()
    asked = [int(seen.query.get("page", 1)) for seen in remote.seen if seen.path == "/pages"]
    assert asked == [*range(1, 13), *range(12, 15)]


async def changed_send(flow: Flow, remote: Remote) -> int:
    """Another version, whose send goes to /new."""
    copied = (await flow.world.post(f"{flow.path}/copy")).data["id"]
    graph = f"/flow-versions/{copied}/graph"
    step = next(one for one in (await flow.world.get(graph)).data["steps"] if one["name"] == "/a")
    await flow.world.patch(f"{graph}/steps/{step['id']}", json={"config": remote.send("/new")["config"]})
    return copied


async def test_a_run_that_begins_in_the_middle_needs_a_version_with_that_step(server: World, remote: Remote):
    remote.answers(400)
    flow = await server.flow({"microservice": "split"}, remote.send("/a"))
    failed = await flow.run([{"n": 1}])
    middle = await retry(server, failed["id"], payload='{"n": 1}')
    copied = (await server.post(f"{flow.path}/copy")).data["id"]
    step = (await server.get(f"/flow-versions/{copied}/graph")).data["steps"][-1]
    await server.delete(f"/flow-versions/{copied}/graph/steps/{step['id']}")
    answer = await server.post(f"/flow-runs/{middle['id']}/retry", json={"version": copied})
    assert (answer.status, list(answer.json()["errors"])) == (422, ["version"])


@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize("how", ["version", "its step", "trigger"])
async def test_a_run_that_begins_in_the_middle_keeps_its_payload(
    server: World, remote: Remote, how: str, edited: bool
):
    remote.answers(400)
    flow = await server.flow({"microservice": "split"}, remote.send("/a"))
    failed = await flow.run([{"n": 1}])
    if edited:
        payload = {"payload": json.dumps({"n": 1})}
        middle = (await retry(server, failed["id"], **payload))["id"]
    else:
        [letter] = (await server.get("/dead-letters")).data
        path = f"/dead-letters/{letter['id']}/re-drive"
        middle = (await server.post(path, json={})).json()["flow_run_id"]
        await server.work()
    remote.answers(200)
    step = (await server.get(flow.graph)).data["steps"][-1]["key"]
    wishes = {"its step": {"from_step": step}, "trigger": {"from_step": "trigger"}}
    wish = wishes.get(how) or {"version": await changed_send(flow, remote)}
    assert (await retry(server, middle, **wish))["status"] == SUCCESS
    assert remote.seen[-1].body == {"n": 1}


async def test_what_an_edited_payload_left_behind_goes_on_with_a_retry(server: World, remote: Remote):
    remote.answers(400)
    flow = await server.flow({"microservice": "split"}, remote.send("/a"))
    failed = await flow.run([{"n": 1}, {"n": 2}, {"n": 3}])
    remote.answers(200)
    assert (await retry(server, failed["id"], payload='{"n": 10}'))["status"] == SUCCESS
    [letter] = (await server.get("/dead-letters")).data
    assert letter["state"] == "re-driven"
    assert (await retry(server, failed["id"]))["status"] == SUCCESS
    assert remote.bodies("/a")[1:] == [{"n": 10}, {"n": 2}, {"n": 3}]
