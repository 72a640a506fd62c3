"""What was re-driven or discarded of a run is dealt with: no retry of that run works on it again."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from tests import remote as remotes
from tests.engine.test_catch import ONE_BY_ONE, add_try, caught_flow, hang_on, refuses
from tests.engine.test_de_dupe import de_dupe, ids, pooled, refusing
from tests.engine.test_effects import get_run
from tests.engine.test_retry import retry
from tests.remote import Remote
from tests.world import Flow, World

SUCCESS, PARTIAL = 2, 5


async def letters_of(server: World, run_id: int) -> dict[int, int]:
    """The dead letters of a run whose payloads are lists of one number: by this number their ids."""
    asked = {"filter[flow_run_id]": run_id, "per_page": 100}
    ids = [letter["id"] for letter in (await server.get("/dead-letters", query=asked)).data]
    return {(await server.get(f"/dead-letters/{id}/download")).json()[0]: id for id in ids}


async def redriven(server: World, letter: int, **sent: Any) -> int:
    id: int = (await server.post(f"/dead-letters/{letter}/re-drive", json=sent)).json()["flow_run_id"]
    await server.work()
    return id


async def resolved(server: World, remote: Remote) -> tuple[Flow, int]:
    """A run that sent 1 and failed on 2, 3 and 4, of which 2 was driven again and 3 discarded."""
    remote.answer = refuses(2, 3, 4)
    flow = await caught_flow(server, remote)
    id = (await flow.run([1, 2, 3, 4]))["id"]
    letters = await letters_of(server, id)
    remote.answers(200)
    await redriven(server, letters[2])
    await server.post(f"/dead-letters/{letters[3]}/discard")
    remote.seen.clear()
    return flow, id


async def key_of(flow: Flow, name: str) -> str:
    steps = (await flow.world.get(flow.graph)).data["steps"]
    return next(step["key"] for step in steps if step["name"] == name)


async def test_a_retry_leaves_out_what_was_driven_again_or_discarded(server: World, remote: Remote):
    _, id = await resolved(server, remote)
    run = await retry(server, id)
    assert (run["status"], remote.bodies("/shop"), remote.bodies("/after")) == (SUCCESS, [[4]], [[4]])
    asked = {"filter[flow_run_id]": run["id"]}
    assert (await server.get("/dead-letters", query=asked)).data == []
    step = next(
        one for one in (await server.get(f"/flow-runs/{run['id']}/steps")).data if one["name"] == "/shop"
    )
    assert (step["payloads_in"], step["payloads_out"], step["failed"]) == (2, 2, 0)


async def test_so_does_a_retry_in_bulk(server: World, remote: Remote):
    flow, id = await resolved(server, remote)
    made = (await server.post("/flow-runs/retry", query={"filter[flow_id]": flow.id})).data
    await server.work()
    [run] = made["flow_run_ids"]
    assert (await get_run(server, run))["retry_flow_run_id"] == id
    assert (remote.bodies("/shop"), made["skipped"]) == ([[4]], [])


async def test_so_does_a_retry_from_the_step_that_failed_but_not_from_one_before(
    server: World, remote: Remote
):
    flow, id = await resolved(server, remote)
    await retry(server, id, from_step=await key_of(flow, "/shop"))
    assert remote.bodies("/shop") == [[1], [4]]
    await retry(server, id, from_step="trigger")
    assert remote.bodies("/shop")[2:] == [[1], [2], [3], [4]]


async def test_so_does_a_retry_on_another_version_unless_what_comes_before_changed(
    server: World, remote: Remote
):
    flow, id = await resolved(server, remote)
    copied = Flow(server, flow.id, (await server.post(f"{flow.path}/copy")).data["id"])
    batch, *_, shop = [
        step
        for step in (await server.get(copied.graph)).data["steps"]
        if step["microservice"] == "batch" or step["name"] == "/shop"
    ]
    config = remote.send("/new")["config"]
    await server.patch(f"{copied.graph}/steps/{shop['id']}", json={"config": config})
    await retry(server, id, version=copied.version_id)
    assert remote.bodies("/new") == [[1], [4]]
    await server.patch(f"{copied.graph}/steps/{batch['id']}", json={"config": {"size": 2}})
    await retry(server, id, version=copied.version_id)
    assert remote.bodies("/new")[2:] == [[1, 2], [3, 4]]


async def test_a_retry_of_a_retry_leaves_it_out_as_well(server: World, remote: Remote):
    _, id = await resolved(server, remote)
    remote.answers(422)
    second = await retry(server, id)
    remote.answers(200)
    third = await retry(server, second["id"])
    assert (second["status"], third["status"], remote.bodies("/shop")) == (PARTIAL, SUCCESS, [[4], [4]])


async def test_when_nothing_is_left_the_retry_succeeds(server: World, remote: Remote):
    flow, id = await resolved(server, remote)
    await server.post("/dead-letters/discard", query={"filter[flow_id]": flow.id})
    assert (await retry(server, id))["status"] == SUCCESS
    assert remote.seen == []


async def test_what_comes_after_the_payload_that_failed_is_sent(server: World, remote: Remote):
    remote.answer = refuses(2)
    flow = await server.flow(ONE_BY_ONE, remote.send("/shop", retries=0))
    id = (await flow.run([1, 2, 3]))["id"]
    [letter] = (await letters_of(server, id)).values()
    remote.answers(200)
    await redriven(server, letter, payload="[20]")
    assert (await server.post("/flow-runs/retry", query={"filter[flow_id]": flow.id})).data["skipped"] == []
    await server.work()
    assert remote.bodies("/shop") == [[1], [2], [20], [3]]


NUMBER = {
    "microservice": "map",
    "config": {"rules": [{"target": "n", "source": "n", "transforms": [{"name": "number"}]}]},
}


@pytest.mark.parametrize("is_tried", [True, False])
async def test_a_payload_that_a_pure_step_failed_on_is_left_out(
    server: World, remote: Remote, is_tried: bool
):
    flow = await server.flow(ONE_BY_ONE, deploy=False)
    if is_tried:
        guard = await add_try(flow, flow.last_step_id)
        flow.last_step_id = await hang_on(flow, guard, "try", NUMBER)
    else:
        await flow.add(**NUMBER)
    await flow.add(**remote.send("/good"))
    await flow.deploy()
    id = (await flow.run([{"n": "none"}, {"n": "2"}]))["id"]
    await server.post("/dead-letters/discard", query={"filter[flow_run_id]": id})
    remote.seen.clear()
    run = await retry(server, id)
    assert (run["status"], remote.bodies("/good")) == (SUCCESS, [] if is_tried else [[{"n": 2}]])


async def test_a_bucket_that_was_taken_whole_is_left_out_whole(server: World, remote: Remote):
    remote.answer = refuses(1)
    child = await server.flow(ONE_BY_ONE, remote.send("/shop", retries=0))
    config = {"flow_id": child.id, "wait": True, "per": "bucket"}
    flow = await server.flow(
        ONE_BY_ONE, {"microservice": "run-flow", "config": config}, remote.send("/after")
    )
    id = (await flow.run([1, 2]))["id"]
    await server.post("/dead-letters/discard", query={"filter[flow_run_id]": id})
    remote.answers(200)
    remote.seen.clear()
    assert (await retry(server, id))["status"] == SUCCESS
    assert remote.seen == []


async def test_what_a_de_dupe_moved_to_the_place_of_another_is_not_left_out(server: World, remote: Remote):
    remote.answer = refusing(2)
    flow = await pooled(server, de_dupe(), {"microservice": "split"}, remote.send("/shop", retries=0))
    id = (await flow.run(ids(1, 2, 3)))["id"]
    await server.post("/dead-letters/discard", query={"filter[flow_run_id]": id})
    remote.answers(200)
    await flow.run(ids(1))
    # What is left for the retry begins with the second record, and the third stands where that had failed.
    assert (await retry(server, id))["status"] == SUCCESS
    assert {"id": 3} in remote.bodies("/shop")


async def test_a_re_drive_takes_no_claim_of_what_was_never_sent(server: World, remote: Remote):
    remote.answer = refusing(2)
    flow = await pooled(server, de_dupe(), {"microservice": "split"}, remote.send("/shop", retries=0))
    id = (await flow.run(ids(1, 2, 3)))["id"]
    [letter] = (await server.get("/dead-letters")).data
    remote.answers(200)
    await redriven(server, letter["id"])
    assert (await retry(server, id))["status"] == SUCCESS
    assert sorted(body["id"] for body in remote.bodies("/shop")) == [1, 2, 2, 3]


async def test_what_was_discarded_is_known_wherever_it_stands_now(server: World, remote: Remote):
    table = (await server.post("/lookup-tables", json={"name": "t"})).data["id"]
    for left in "bcd":
        await server.post(f"/lookup-tables/{table}/rows", json={"left": left, "right": left.upper()})
    rules = [{"target": "n", "source": "n", "transforms": [{"name": "lookup_table", "table": "t"}]}]
    known = {"where": {"field": "n", "operator": "is_not_empty"}}

    async def refuse_c(seen: Any) -> Any:
        return await remotes.accept(seen) if (seen.body or {}).get("n") != "C" else web.Response(status=400)

    remote.answer = refuse_c
    flow = await server.flow(
        {"microservice": "map", "config": {"rules": rules}},
        {"microservice": "filter", "config": known},
        {"microservice": "split"},
        remote.send("/shop", retries=0),
    )
    id = (await flow.run([{"n": name} for name in "abcd"]))["id"]
    await server.post("/dead-letters/discard", query={"filter[flow_run_id]": id})
    await server.post(f"/lookup-tables/{table}/rows", json={"left": "a", "right": "A"})
    remote.answers(200)
    assert (await retry(server, id))["status"] == SUCCESS
    # A comes first now and stands where B had been, B where C had been, which nobody wants any more.
    assert sorted(body["n"] for body in remote.bodies("/shop")) == ["A", "B", "C", "D"]


async def test_pages_before_a_receive_that_failed_go_on_whatever_becomes_of_its_letter(
    server: World, remote: Remote
):
    async def pages(seen: Any) -> Any:
        if seen.path == "/orders":
            page = int(seen.query["page"])
            return web.json_response([{"id": page}]) if page < 3 else web.Response(status=400)
        return web.Response(status=400 if seen.path == "/shop" and seen.body["id"] == 2 else 200)

    remote.answer = pages
    flow = await server.flow(ONE_BY_ONE, deploy=False)
    guard = await add_try(flow, flow.last_step_id)
    receive = remote.receive("/orders", pagination={"type": "page"}, retries=0)
    flow.last_step_id = await hang_on(flow, guard, "try", receive)
    for step in ({"microservice": "split"}, remote.send("/shop", retries=0)):
        await flow.add(**step)
    await flow.deploy()
    id = (await flow.run([1]))["id"]
    letters = (await server.get("/dead-letters", query={"filter[flow_run_id]": id})).data
    assert len(letters) == 2
    [of_receive] = [letter for letter in letters if letter["step_name"] == "/orders"]
    await server.post(f"/dead-letters/{of_receive['id']}/discard")
    remote.answers(200)
    remote.seen.clear()
    assert (await retry(server, id))["status"] == SUCCESS
    assert [(seen.path, seen.body) for seen in remote.seen] == [("/shop", {"id": 2})]


async def test_the_key_of_what_was_discarded_is_free_again(server: World, remote: Remote):
    remote.answer = refusing(2)
    flow = await pooled(server, {"microservice": "split"}, de_dupe(), remote.send("/shop", retries=0))
    id = (await flow.run(ids(1, 2, 3)))["id"]
    await server.post("/dead-letters/discard", query={"filter[flow_run_id]": id})
    remote.answers(200)
    assert (await retry(server, id))["status"] == SUCCESS
    remote.seen.clear()
    await flow.run(ids(1, 2, 3))
    assert [body["id"] for body in remote.bodies("/shop")] == [2]


async def test_a_payload_that_failed_does_not_take_the_record_of_an_equal_one(server: World, remote: Remote):
    """What tells two records apart is often mapped away before they are sent."""
    seen: list[int] = []

    async def refuse_the_first(_: Any) -> Any:
        seen.append(1)
        return web.Response(status=400 if len(seen) == 1 else 200)

    remote.answer = refuse_the_first
    await server.post("/data-pools", json={"name": "orders"})
    rules = {"rules": [{"target": "sku", "source": "sku"}]}
    flow = await server.flow(
        {"microservice": "split"}, de_dupe(), {"microservice": "map", "config": rules}, deploy=False
    )
    guard = await add_try(flow, flow.last_step_id)
    await hang_on(flow, guard, "try", remote.send("/shop", retries=0))
    await flow.deploy()
    run = await flow.run([{"id": 1, "sku": "A"}, {"id": 2, "sku": "A"}])
    assert (run["status"], len(remote.seen)) == (PARTIAL, 2)
    keys = remote.keys("/shop")
    assert (await retry(server, run["id"]))["status"] == SUCCESS
    assert remote.keys("/shop")[2:] == keys[:1]


async def test_a_letter_of_a_catch_leg_stays_open_when_its_payload_is_left_out(server: World, remote: Remote):
    remote.answers(400)
    flow = await server.flow(ONE_BY_ONE, deploy=False)
    outer = await add_try(flow, flow.last_step_id)
    inner = await add_try(flow, outer["id"], outer["try"])
    await hang_on(flow, inner, "try", remote.send("/shop", retries=0))
    await hang_on(flow, inner, "catch", remote.send("/told", retries=0))
    await flow.deploy()
    id = (await flow.run([1]))["id"]
    letters = (await server.get("/dead-letters", query={"filter[flow_run_id]": id})).data
    states = {letter["step_name"]: letter["id"] for letter in letters}
    await server.post(f"/dead-letters/{states['/shop']}/discard")
    remote.answers(200)
    await retry(server, id)
    assert (await server.get(f"/dead-letters/{states['/told']}")).data["state"] == "open"
    await redriven(server, states["/told"])
    assert [seen.path for seen in remote.seen][-1] == "/told"
