"""Try and catch: what fails leaves at once, the others go on, and a retry takes up what failed alone."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from aiohttp import web
from tests.engine.test_effects import begin, crash, get_run
from tests.engine.test_retry import retry
from tests.remote import Remote, Seen, hang
from tests.world import Flow, World

SUCCESS, FAILURE, PARTIAL = 2, 3, 5
ONE_BY_ONE = {"microservice": "batch", "config": {"size": 1}}


async def add_try(flow: Flow, parent_id: int, route: str | None = None, **config: Any) -> dict[str, Any]:
    """A try-catch behind a step, or on one of its routes; {id, try, catch} with the ids of its routes."""
    sent = {
        "microservice": "try-catch",
        "config": config,
        "parent_id": parent_id,
        "flow_step_route_id": route,
    }
    step = (await flow.world.post(f"{flow.graph}/steps", json=sent)).data
    routes = (await flow.world.get(f"{flow.graph}/steps/{step['id']}/routes")).data
    return {"id": step["id"], **{one["name"]: one["id"] for one in routes}}


async def hang_on(flow: Flow, guard: dict[str, Any], route: str, step: dict[str, Any]) -> int:
    """Put a step at the beginning of a route of a try-catch; its id."""
    where = {"parent_id": guard["id"], "flow_step_route_id": guard[route]}
    made: int = (await flow.world.post(f"{flow.graph}/steps", json={**step, **where})).data["id"]
    return made


async def caught_flow(world: World, remote: Remote, *first: dict[str, Any], **config: Any) -> Flow:
    """Trigger, batch of one, try {send to /shop, send to /after} catch {send to /bad}."""
    flow = await world.flow(ONE_BY_ONE, deploy=False)
    guard = await add_try(flow, flow.last_step_id, **config)
    flow.last_step_id = await hang_on(flow, guard, "try", remote.send("/shop", retries=0))
    sent = remote.send("/after", retries=0)
    await world.post(
        f"{flow.graph}/steps",
        json={**sent, "parent_id": flow.last_step_id},
    )
    about = {"order": "[[payload]]", "why": "[[meta.error_message]]", "step": "[[meta.error_step]]"}
    await hang_on(flow, guard, "catch", remote.send("/bad", body=about))
    await flow.deploy()
    return flow


def refuses(*bad: int, path: str = "/shop", status: int = 422) -> Any:
    async def answer(seen: Seen) -> web.Response:
        is_bad = seen.path == path and seen.body and seen.body[0] in bad
        return web.Response(status=status if is_bad else 200)

    return answer


async def test_of_twenty_four_are_caught_and_sixteen_go_on(server: World, remote: Remote):
    remote.answer = refuses(3, 7, 8, 20)
    flow = await caught_flow(server, remote)
    run = await flow.run(list(range(1, 21)))
    assert (run["status"], len(remote.bodies("/shop"))) == (PARTIAL, 20)
    assert remote.bodies("/after") == [[n] for n in range(1, 21) if n not in (3, 7, 8, 20)]
    caught = remote.bodies("/bad")
    assert [one["order"] for one in caught] == [[3], [7], [8], [20]]
    assert {one["step"] for one in caught} == {"/shop"}
    assert all("answered 422" in one["why"] for one in caught)
    # At once: the catch leg ran before the next payload was tried.
    order = [(seen.path, seen.body["order"] if seen.path == "/bad" else seen.body) for seen in remote.seen]
    assert order.index(("/bad", [3])) == order.index(("/shop", [3])) + 1


async def test_the_run_may_be_called_failed(server: World, remote: Remote):
    remote.answer = refuses(1)
    run = await (await caught_flow(server, remote, run_ends="failure")).run([1, 2])
    assert run["status"] == FAILURE
    assert remote.bodies("/after") == [[2]]


async def test_nothing_caught_is_a_success(server: World, remote: Remote):
    assert (await (await caught_flow(server, remote)).run([1, 2]))["status"] == SUCCESS
    assert remote.bodies("/bad") == []


def pages_that_break(at: int | None, count: int = 5) -> Any:
    """Pages of one record each; one of them is refused."""

    async def answer(seen: Seen) -> web.Response:
        if seen.path != "/pages":
            return web.Response()
        page = int(seen.query["page"])
        if page == at:
            return web.Response(status=400)
        return web.json_response([{"n": page}] if page <= count else [])

    return answer


async def receiving_flow(world: World, remote: Remote) -> Flow:
    """Trigger, try {receive pages, send to /to} catch {send to /bad}."""
    flow = await world.flow(deploy=False)
    guard = await add_try(flow, (await world.get(flow.graph)).data["steps"][0]["id"])
    receive = remote.receive("/pages", pagination={"type": "page"}, retries=0)
    received = await hang_on(flow, guard, "try", receive)
    await world.post(f"{flow.graph}/steps", json={**remote.send("/to"), "parent_id": received})
    about = {"why": "[[meta.error_message]]", "step": "[[meta.error_step]]"}
    await hang_on(flow, guard, "catch", remote.send("/bad", body=about))
    await flow.deploy()
    return flow


def asked(remote: Remote) -> list[int]:
    return [int(seen.query["page"]) for seen in remote.seen if seen.path == "/pages"]


async def test_pages_before_the_one_that_fails_go_on(server: World, remote: Remote):
    remote.answer = pages_that_break(3)
    run = await (await receiving_flow(server, remote)).run()
    assert (run["status"], remote.bodies("/to")) == (PARTIAL, [[{"n": 1}], [{"n": 2}]])
    [told] = remote.bodies("/bad")
    assert (told["step"], "answered 400" in told["why"]) == ("/pages", True)
    receive = next(one for one in run["summary"]["steps"] if one["attempts"] == 3)
    assert [receive[key] for key in ("payloads_in", "payloads_out", "failed")] == [1, 2, 1]
    [letter] = (await server.get("/dead-letters")).data
    assert (letter["step_name"], letter["is_caught"]) == ("/pages", True)


async def test_a_retry_asks_from_the_page_that_failed_on(server: World, remote: Remote):
    remote.answer = pages_that_break(3)
    run = await (await receiving_flow(server, remote)).run()
    remote.seen.clear()
    remote.answer = pages_that_break(5)
    second = await retry(server, run["id"])
    assert (second["status"], asked(remote)) == (PARTIAL, [3, 4, 5])
    # What was told of the receive is told once: the record of it is reused.
    assert (remote.bodies("/to"), remote.bodies("/bad")) == ([[{"n": 3}], [{"n": 4}]], [])
    remote.seen.clear()
    remote.answer = pages_that_break(None)
    assert (await retry(server, second["id"]))["status"] == SUCCESS
    assert (asked(remote), remote.bodies("/to")) == ([5, 6], [[{"n": 5}]])


async def test_a_re_drive_goes_on_with_what_did_not_go_on_before(server: World, remote: Remote):
    remote.answer = pages_that_break(3)
    await (await receiving_flow(server, remote)).run()
    [letter] = (await server.get("/dead-letters")).data
    remote.seen.clear()
    remote.answer = pages_that_break(None)
    id = (await server.post(f"/dead-letters/{letter['id']}/re-drive")).json()["flow_run_id"]
    await server.work()
    assert (await get_run(server, id))["status"] == SUCCESS
    assert (asked(remote), remote.bodies("/to")) == ([3, 4, 5, 6], [[{"n": 3}], [{"n": 4}], [{"n": 5}]])


async def test_pages_go_on_after_a_restart_too(server: World, remote: Remote):
    answer = pages_that_break(3)

    async def hang_at_bad(seen: Seen) -> web.Response:
        return await (hang(seen) if seen.path == "/bad" else answer(seen))

    remote.answer = hang_at_bad
    id = await (await receiving_flow(server, remote)).start()
    await begin(server)
    await remote.until(4)
    await crash(server)
    remote.answer = answer
    await server.work()
    assert (await get_run(server, id))["status"] == PARTIAL
    assert (asked(remote), remote.bodies("/to")) == ([1, 2, 3], [[{"n": 1}], [{"n": 2}]])


async def test_without_a_try_pages_wait_for_the_retry(server: World, remote: Remote):
    remote.answer = pages_that_break(3)
    receive = remote.receive("/pages", pagination={"type": "page"}, retries=0)
    run = await (await server.flow(receive, remote.send("/to"))).run()
    assert (run["status"], remote.bodies("/to")) == (FAILURE, [])
    remote.seen.clear()
    remote.answer = pages_that_break(None)
    assert (await retry(server, run["id"]))["status"] == SUCCESS
    assert (asked(remote), remote.bodies("/to")) == ([3, 4, 5, 6], [[{"n": n}] for n in range(1, 6)])


async def test_what_a_pure_step_fails_on_is_caught_too(server: World, remote: Remote):
    flow = await server.flow(ONE_BY_ONE, deploy=False)
    guard = await add_try(flow, flow.last_step_id)
    rule = {"target": "n", "source": "n", "transforms": [{"name": "number"}]}
    mapped = await hang_on(flow, guard, "try", {"microservice": "map", "config": {"rules": [rule]}})
    await server.post(f"{flow.graph}/steps", json={**remote.send("/good"), "parent_id": mapped})
    await hang_on(flow, guard, "catch", remote.send("/bad"))
    await flow.deploy()
    run = await flow.run([{"n": "1"}, {"n": "none"}, {"n": "3"}])
    assert run["status"] == PARTIAL
    assert remote.bodies("/good") == [[{"n": 1}], [{"n": 3}]]
    assert remote.bodies("/bad") == [[{"n": "none"}]]


async def nested(world: World, remote: Remote) -> Flow:
    """try { try { /shop } catch { /inner } } catch { /outer }"""
    flow = await world.flow(ONE_BY_ONE, deploy=False)
    outer = await add_try(flow, flow.last_step_id)
    inner = await add_try(flow, outer["id"], outer["try"])
    await hang_on(flow, inner, "try", remote.send("/shop", retries=0))
    await hang_on(flow, inner, "catch", remote.send("/inner", retries=0))
    await hang_on(flow, outer, "catch", remote.send("/outer", body="[[meta.error_step]]"))
    await flow.deploy()
    return flow


async def test_the_inner_one_takes_it(server: World, remote: Remote):
    remote.answer = refuses(2)
    assert (await (await nested(server, remote)).run([1, 2]))["status"] == PARTIAL
    assert (remote.bodies("/inner"), remote.bodies("/outer")) == ([[2]], [])


async def test_what_fails_on_a_catch_leg_goes_to_the_outer_one(server: World, remote: Remote):
    async def both(seen: Seen) -> web.Response:
        return web.Response(status=200 if seen.path == "/outer" else 400)

    remote.answer = both
    assert (await (await nested(server, remote)).run([1]))["status"] == PARTIAL
    assert [seen.content for seen in remote.seen if seen.path == "/outer"] == [b"/inner"]


async def test_a_failure_of_authentication_is_caught(server: World, remote: Remote):
    flow = await server.flow(ONE_BY_ONE, deploy=False)
    auth = {"type": "bearer", "token": "a secret token"}
    shop = {"name": "Shop", "base_url": remote.url(), "auth": auth}
    connection = (await server.post("/connections", json=shop)).data["id"]
    guard = await add_try(flow, flow.last_step_id)
    config = {"direction": "send", "url": "/x", "connection_id": connection, "retries": 0}
    await hang_on(flow, guard, "try", {"microservice": "connector", "config": config})
    await hang_on(flow, guard, "catch", remote.send("/bad"))
    await flow.deploy()
    vault = server.platform.vault
    object.__setattr__(server.platform, "vault", vault)
    remote.answers(401, 200)
    assert (await flow.run([1]))["status"] == PARTIAL
    assert remote.bodies("/bad") == [[1]]


async def test_a_retry_tries_the_failed_payloads_alone(server: World, remote: Remote):
    remote.answer = refuses(2, 3)
    flow = await caught_flow(server, remote)
    run = await flow.run([1, 2, 3, 4])
    keys = {seen.body[0]: seen.key for seen in remote.seen if seen.path == "/shop"}
    remote.seen.clear()
    remote.answer = refuses(3)
    await server.post(f"/flow-runs/{run['id']}/retry")
    await server.work()
    assert remote.bodies("/shop") == [[2], [3]]
    assert [seen.key for seen in remote.seen if seen.path == "/shop"] == [keys[2], keys[3]]
    assert remote.bodies("/after") == [[2]]
    # What was told of the third is told once: the record of it is reused.
    assert remote.bodies("/bad") == []


async def test_what_failed_stays_failed_after_a_restart(server: World, remote: Remote):
    async def bad_then_hang(seen: Seen) -> web.Response:
        if seen.path == "/bad":
            return await hang(seen)
        return web.Response(status=422)

    remote.answer = bad_then_hang
    flow = await caught_flow(server, remote)
    id = await flow.start([1])
    await begin(server)
    await remote.until(2)
    await crash(server)
    remote.answers(200)
    await server.work()
    assert (await get_run(server, id))["status"] == PARTIAL
    assert [seen.path for seen in remote.seen] == ["/shop", "/bad", "/bad"]
    assert len(set(remote.keys("/bad"))) == 1


async def test_dead_letters_say_what_failed_where_and_why(server: World, remote: Remote):
    remote.answer = refuses(2, 4)
    flow = await caught_flow(server, remote)
    run = await flow.run([1, 2, 3, 4])
    letters = (await server.get("/dead-letters", query={"filter[flow_run_id]": run["id"], "sort": "id"})).data
    assert [(one["step_name"], one["state"], one["is_caught"]) for one in letters] == [
        ("/shop", "open", True)
    ] * 2
    body = await server.get(f"/dead-letters/{letters[1]['id']}/download")
    assert (body.json(), body.headers["content-type"]) == ([4], "application/json")
    counts = (await server.get("/dead-letters/counts", query={"filter[flow_id]": flow.id})).data
    assert [(one["step_name"], one["count"]) for one in counts] == [("/shop", 2)]


async def test_a_dead_letter_is_driven_again_once_and_under_its_key(server: World, remote: Remote):
    remote.answer = refuses(2)
    flow = await caught_flow(server, remote)
    await flow.run([1, 2, 3])
    [letter] = (await server.get("/dead-letters")).data
    key = next(seen.key for seen in remote.seen if seen.body == [2])
    remote.seen.clear()
    remote.answers(200)
    path = f"/dead-letters/{letter['id']}/re-drive"
    redriven = (await server.post(path)).json()["flow_run_id"]
    assert (await server.post(path)).status == 409
    await server.work()
    assert (await get_run(server, redriven))["status"] == SUCCESS
    assert [(seen.path, seen.body) for seen in remote.seen] == [("/shop", [2]), ("/after", [2])]
    assert remote.seen[0].key == key
    assert (await server.get(f"/dead-letters/{letter['id']}")).data["redrive_run_id"] == redriven


async def test_one_that_fails_again_is_caught_again(server: World, remote: Remote):
    remote.answer = refuses(2)
    flow = await caught_flow(server, remote)
    await flow.run([2])
    [letter] = (await server.get("/dead-letters")).data
    await server.post(f"/dead-letters/{letter['id']}/re-drive", json={"payload": "[2]"})
    await server.work()
    letters = (await server.get("/dead-letters", query={"filter[state]": "open"})).data
    assert len(letters) == 1
    assert letters[0]["id"] != letter["id"]
    assert len(remote.bodies("/bad")) == 2


@pytest.mark.parametrize("edited", [[20], [2]])
async def test_an_edited_payload_has_a_key_of_its_own(server: World, remote: Remote, edited: list[int]):
    remote.answer = refuses(2)
    flow = await server.flow(ONE_BY_ONE, remote.send("/shop", retries=0), remote.send("/after"))
    run = await flow.run([1, 2, 3])
    assert run["status"] == FAILURE
    key = remote.keys("/shop")[1]
    remote.seen.clear()
    remote.answers(200)
    sent = {"payload": json.dumps(edited)}
    again = (await server.post(f"/flow-runs/{run['id']}/retry", json=sent)).json()["flow_run_id"]
    await server.work()
    assert (await get_run(server, again))["status"] == SUCCESS
    assert [(seen.path, seen.body) for seen in remote.seen] == [("/shop", edited), ("/after", edited)]
    assert remote.seen[0].key != key


async def test_letters_are_resolved_in_bulk_each_once(server: World, remote: Remote):
    remote.answer = refuses(1, 2, 3, 4)
    flow = await caught_flow(server, remote)
    await flow.run([1, 2, 3, 4])
    first, second, *_ = (await server.get("/dead-letters", query={"sort": "id"})).data
    await server.post(f"/dead-letters/{first['id']}/discard")
    remote.answers(200)
    where = {"filter[flow_id]": flow.id}
    bulk = (await server.post("/dead-letters/re-drive", query=where)).data
    assert len(bulk["flow_run_ids"]) == 3
    assert (await server.post("/dead-letters/re-drive", query=where)).data["flow_run_ids"] == []
    assert (await server.post("/dead-letters/discard", query=where)).data == {"discarded": []}
    assert (await server.post(f"/dead-letters/{second['id']}/discard")).status == 409
    assert (await server.post("/dead-letters/discard")).status == 422


async def test_runs_are_retried_in_bulk_each_once(server: World, remote: Remote):
    remote.answer = refuses(1, 2)
    flow = await server.flow(ONE_BY_ONE, remote.send("/shop", retries=0))
    for n in (1, 2, 3):
        await flow.run([n])
    remote.answers(200)
    where = {"filter[flow_id]": flow.id}
    made = (await server.post("/flow-runs/retry", query=where)).data
    assert (len(made["flow_run_ids"]), made["skipped"]) == (2, [])
    again = (await server.post("/flow-runs/retry", query=where)).data
    assert (again["flow_run_ids"], again["skipped"]) == ([], [])
    await server.work()
    assert {(await get_run(server, id))["status"] for id in made["flow_run_ids"]} == {SUCCESS}


async def test_a_retry_on_another_version_says_what_it_could_not_match(server: World, remote: Remote):
    remote.answer = refuses(1)
    flow = await server.flow(ONE_BY_ONE, remote.send("/shop", retries=0))
    run = await flow.run([1])
    copied = (await server.post(f"{flow.path}/copy")).data["id"]
    graph = f"/flow-versions/{copied}/graph"
    batch, send = (await server.get(graph)).data["steps"][1:]
    await server.delete(f"{graph}/steps/{batch['id']}")
    new = {**remote.send("/new"), "parent_id": send["id"]}
    made = (await server.post(f"{graph}/steps", json=new)).data
    answer = (await server.post(f"/flow-runs/{run['id']}/retry", json={"version": copied})).json()
    assert answer["report"] == {
        "matched": ["trigger"],
        "changed": [send["key"]],
        "missing": [batch["key"]],
        "new": [made["key"]],
    }


@pytest.mark.parametrize("routes", [[{"name": "try"}], [{"name": "catch"}, {"name": "try"}], []])
async def test_the_routes_of_a_try_catch_are_fixed(sqlite_server: World, routes):
    flow = await sqlite_server.flow(deploy=False)
    trigger = (await sqlite_server.get(flow.graph)).data["steps"][0]["id"]
    sent = {"microservice": "try-catch", "parent_id": trigger, "config": {"routes": routes}}
    answer = await sqlite_server.post(f"{flow.graph}/steps", json=sent)
    assert (answer.status, list(answer.json()["errors"])) == (422, ["config.routes"])
    guard = await add_try(flow, trigger)
    path = f"{flow.graph}/steps/{guard['id']}/routes"
    assert (await sqlite_server.post(path, json={"name": "more"})).status == 422
    assert (await sqlite_server.put(f"{path}/{guard['try']}", json={"name": "other"})).status == 422
    assert (await sqlite_server.delete(f"{path}/{guard['catch']}")).status == 422


async def test_an_edited_csv_stays_csv(server: World, remote: Remote):
    remote.answers(422)
    flow = await server.flow(remote.send("/shop", retries=0))
    csv = {"content-type": 'text/csv; charset=windows-1252; delimiter=";"'}
    body = "a;b\nx;é\n".encode("windows-1252")
    id = (await server.post(f"/flows/{flow.id}/start/raw", body=body, headers=csv)).json()["flow_run_id"]
    await server.work()
    [letter] = (await server.get("/dead-letters")).data
    remote.answers(200)
    remote.seen.clear()
    bad = await server.post(f"/dead-letters/{letter['id']}/re-drive", json={"payload": "a;b\n1;2;3\n"})
    assert (bad.status, list(bad.json()["errors"])) == (422, ["payload"])
    await server.post(f"/dead-letters/{letter['id']}/re-drive", json={"payload": "a;b\nzz;è\n"})
    await server.post(f"/flow-runs/{id}/retry", json={"payload": "a;b\nyy;ü\n", "from_step": "trigger"})
    await server.work()
    sent = [seen.content.decode("windows-1252").split() for seen in remote.seen]
    assert sent == [["a;b", "zz;è"], ["a;b", "yy;ü"]]
    assert {seen.headers["content-type"].partition(";")[0] for seen in remote.seen} == {"text/csv"}


async def test_what_failed_before_a_crash_is_counted_after_it(server: World, remote: Remote) -> None:
    async def answer(seen: Seen) -> web.Response:
        return (
            await hang(seen)
            if seen.body == [3]
            else web.Response(status=422 if seen.path == "/shop" else 200)
        )

    remote.answer = answer
    flow = await caught_flow(server, remote)
    id = await flow.start([1, 2, 3])
    await begin(server)
    await remote.until(5)
    await crash(server)
    remote.answer = refuses()
    await server.work()
    steps = {step["name"]: step for step in (await server.get(f"/flow-runs/{id}/steps")).data}
    assert (steps["/shop"]["failed"], steps["/shop"]["attempts"], steps["/shop"]["payloads_in"]) == (2, 3, 3)
    assert steps["/shop"]["cpu_ms"] > 0


async def test_a_system_that_is_not_there_is_tried_again_and_then_caught(
    server: World, remote: Remote, unused_port: int
):
    flow = await server.flow(ONE_BY_ONE, deploy=False)
    guard = await add_try(flow, flow.last_step_id)
    gone = {"direction": "send", "url": f"http://127.0.0.1:{unused_port}/", "retries": 1}
    await hang_on(flow, guard, "try", {"microservice": "connector", "name": "gone", "config": gone})
    await hang_on(flow, guard, "catch", remote.send("/bad", body={"why": "[[meta.error_message]]"}))
    await flow.deploy()
    run = await flow.run([1])
    assert (run["status"], len(remote.seen)) == (PARTIAL, 1)
    steps = {step["name"]: step for step in (await server.get(f"/flow-runs/{run['id']}/steps")).data}
    assert (steps["gone"]["attempts"], steps["gone"]["failed"]) == (2, 1)


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
