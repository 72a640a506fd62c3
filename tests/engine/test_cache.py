"""The cache step in runs: what becomes true with its record, what is shared, what is lost by nobody."""

from __future__ import annotations

from typing import Any

import pytest
from tests.engine.test_effects import begin, crash, get_run
from tests.engine.test_retry import retry
from tests.remote import Remote, hang
from tests.world import World

SUCCESS, FAILURE = 2, 3


def cache(action: str, key: str = "k", **config: Any) -> dict[str, Any]:
    return {"microservice": "cache", "config": {"action": action, "key": key, **config}}


async def entries(server: World, **filters: Any) -> dict[str, Any]:
    """What is kept, by scope and key."""
    found = (await server.get("/cache-entries", query=filters)).data
    return {f"{one['scope']} {one['key']}": one.get("value") for one in found}


async def test_what_is_added_is_loaded_by_later_steps_and_runs(server: World, remote: Remote) -> None:
    adding = await server.flow(
        cache("add", "[[payload.id]]", scope="company", value={"name": "[[payload.name]]"}),
        cache("load", "[[payload.id]]", scope="company"),
        remote.send("/same"),
    )
    assert (await adding.run({"id": 7, "name": "Ann"}))["status"] == SUCCESS
    loading = await server.flow(
        cache("load", "[[payload.id]]", scope="company", target="customer.data"), remote.send("/other")
    )
    assert (await loading.run({"id": 7}))["status"] == SUCCESS
    assert remote.bodies("/same") == [{"name": "Ann"}]
    assert remote.bodies("/other") == [{"id": 7, "customer": {"data": {"name": "Ann"}}}]


async def test_each_scope_is_seen_by_those_it_is_for(server: World) -> None:
    flow = await server.flow(
        *(cache("add", scope=scope, value=scope) for scope in ("run", "flow", "company"))
    )
    run = await flow.run({})
    assert await entries(server) == {
        f"run:{run['id']} k": "run",
        f"flow:{flow.id} k": "flow",
        "company k": "company",
    }
    for scope, status in (("run", FAILURE), ("flow", FAILURE), ("company", SUCCESS)):
        assert (await (await server.flow(cache("load", scope=scope))).run({}))["status"] == status
    assert (await server.get("/cache-entries", key=server.other_key)).data == []


async def test_a_miss_fails_or_goes_on(server: World, remote: Remote) -> None:
    run = await (await server.flow(cache("load", "a [[payload.x]]"))).run({"x": 1})
    assert run["summary"]["error"]["message"] == "There is no cache entry 'a 1' of this flow."
    flow = await server.flow(cache("load", on_miss="go_on"), remote.send())
    assert (await flow.run({"x": 1}))["status"] == SUCCESS
    assert remote.bodies() == [{"x": 1}]


async def test_what_has_expired_is_missing_and_goes(server: World) -> None:
    await (await server.flow(cache("add", scope="company", ttl_seconds=60))).run({"x": 1})
    load = await server.flow(cache("load", scope="company"))
    server.clock.advance(seconds=59)
    assert (await load.run({}))["status"] == SUCCESS
    server.clock.advance(seconds=1)
    assert (await load.run({}))["status"] == FAILURE
    assert await entries(server) == {}
    await server.server.loops.pruner.tick(server.clock.now)
    left = await server.platform.database.read(
        lambda db: db.exec_driver_sql("SELECT count(*) FROM cache_entries").scalar()
    )
    assert left == 0


async def test_a_delete_takes_it_away(server: World) -> None:
    flow = await server.flow(cache("add"), cache("delete"), cache("load"))
    assert (await flow.run({}))["status"] == FAILURE
    assert await entries(server) == {}


async def test_appends_of_many_runs_at_once_are_all_there(server: World) -> None:
    flow = await server.flow({"microservice": "batch", "config": {"size": 1}}, cache("append"))
    for begins in range(0, 40, 4):
        await flow.start(list(range(begins, begins + 4)))
    await server.work()
    [gathered] = (await entries(server)).values()
    assert sorted(item for [item] in gathered) == list(range(40))


@pytest.mark.parametrize("before", [5, [5], "text", {"a": [1]}, [], None])
async def test_an_append_to_what_is_no_list_makes_one(server: World, before: Any) -> None:
    await (await server.flow(cache("add", scope="company", value=before))).run({})
    await (await server.flow(cache("append", scope="company", value="new"))).run({})
    expected = [*before, "new"] if isinstance(before, list) else [before, "new"]
    assert await entries(server) == {"company k": expected}


async def test_an_append_renews_what_has_expired_and_keeps_the_expiry_of_what_has_not(server: World) -> None:
    await (await server.flow(cache("add", scope="company", ttl_seconds=60))).run(1)
    append = await server.flow(cache("append", scope="company"))
    await append.run(2)
    assert await entries(server) == {"company k": [1, 2]}
    server.clock.advance(seconds=60)
    await append.run(3)
    server.clock.advance(seconds=1000)
    assert await entries(server) == {"company k": [3]}


async def test_an_append_is_done_once_whatever_happens(server: World, remote: Remote) -> None:
    remote.answer = hang
    flow = await server.flow(
        cache("append", scope="company"), cache("append", "run", scope="run"), remote.send()
    )
    id = await flow.start({"n": 1})
    for _ in range(3):
        await begin(server)
        await remote.until(len(remote.seen) + 1)
        await crash(server)
    remote.answers(400)
    await server.work()
    assert (await get_run(server, id))["status"] == FAILURE
    remote.answers(200)
    assert (await retry(server, id))["status"] == SUCCESS
    assert await entries(server) == {"company k": [{"n": 1}], f"run:{id} run": [{"n": 1}]}


@pytest.mark.parametrize(
    ("key", "payload", "said"),
    [
        ("[[payload.k]]", {"k": ""}, "The key '' has not 1 to 255 characters."),
        ("[[payload.k]]", {"k": "x" * 256}, "has not 1 to 255 characters."),
        ("[[payload.k]]", {"k": "a\0b"}, "has not 1 to 255 characters."),
        ("k", "x" * 1024 * 1024, "would have 1,048,578 bytes; it may have 1,048,576."),
    ],
)
async def test_what_cannot_be_kept_fails(server: World, key: str, payload: Any, said: str) -> None:
    run = await (await server.flow(cache("add", key))).run(payload)
    assert run["status"] == FAILURE
    assert said in run["summary"]["error"]["message"]


async def test_a_list_that_would_grow_too_large_fails_and_stays(server: World) -> None:
    flow = await server.flow(cache("append", value="[[payload]]"))
    assert (await flow.run("x" * 700_000))["status"] == SUCCESS
    run = await flow.run("y" * 400_000)
    assert (run["status"], run["summary"]["error"]["message"]) == (
        FAILURE,
        "The cache entry 'k' would have 1,100,006 bytes; it may have 1,048,576.",
    )
    [entry] = (await server.get("/cache-entries")).data
    assert (entry["bytes"], "value" in entry) == (700_004, False)
    assert (await server.get(f"/cache-entries/{entry['id']}")).data["value"] == ["x" * 700_000]


async def test_a_binary_payload_is_refused(server: World) -> None:
    flow = await server.flow(cache("add"))
    answer = await server.post(
        f"/flows/{flow.id}/start/raw", body=b"\xff\0", headers={"content-type": "application/pdf"}
    )
    await server.work()
    run = await get_run(server, answer.json()["flow_run_id"])
    assert "but the payload is application/pdf" in run["summary"]["error"]["message"]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"action": "load", "value": 1}, "config.value"),
        ({"action": "delete", "ttl_seconds": 5}, "config.ttl_seconds"),
        ({"action": "add", "target": "a"}, "config.target"),
        ({"action": "add", "on_miss": "fail"}, "config.on_miss"),
        ({"action": "load", "target": "*.a"}, "config.target"),
        ({"action": "add", "ttl_seconds": 0}, "config.ttl_seconds"),
        ({"action": "add", "value": "[[nothing.a]]"}, "config.value"),
    ],
)
async def test_a_config_that_makes_no_sense(sqlite_server: World, config: dict[str, Any], field: str) -> None:
    flow = await sqlite_server.flow(deploy=False)
    trigger = (await sqlite_server.get(flow.graph)).data["steps"][0]["id"]
    sent = {"microservice": "cache", "parent_id": trigger, "config": {"key": "k", **config}}
    answer = await sqlite_server.post(f"{flow.graph}/steps", json=sent)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])


async def test_a_scope_that_there_is_not_is_refused(sqlite_server: World) -> None:
    for scope in ("bogus", "flow", "flow:x", "run:1,bogus"):
        answer = await sqlite_server.get("/cache-entries", query={"filter[scope]": scope})
        assert answer.status == 422
        assert list(answer.json()["errors"]) == ["filter[scope]"]
    assert (await sqlite_server.get("/cache-entries", query={"filter[scope]": "run:1,company"})).data == []
