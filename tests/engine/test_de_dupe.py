"""The de-dupe step in runs: a record passes once, and no failure, stop, crash or retry makes one disappear."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from tests.engine.test_effects import begin, crash, get_run
from tests.engine.test_retry import retry
from tests.remote import Remote, Seen, hang
from tests.world import Flow, World

SUCCESS, FAILURE, PARTIAL = 2, 3, 5
ONE_BY_ONE = {"microservice": "batch", "config": {"size": 1}}


def de_dupe(mode: str = "both", **config: Any) -> dict[str, Any]:
    return {"microservice": "de-dupe", "config": {"pool": "orders", "key": "id", "mode": mode, **config}}


async def pooled(server: World, *steps: dict[str, Any]) -> Flow:
    """A flow whose steps may use the pool "orders"."""
    await server.post("/data-pools", json={"name": "orders"})
    return await server.flow(*steps)


async def states(server: World) -> dict[str, str]:
    """What the pool holds: the state of each key."""
    found = await server.get("/data-pools/1/entries", query={"per_page": 100})
    return {entry["key"]: entry["state"] for entry in found.data}


def ids(*numbers: int) -> list[dict[str, int]]:
    return [{"id": number} for number in numbers]


def sent(remote: Remote) -> list[int]:
    return [
        record["id"] for body in remote.bodies() for record in (body if isinstance(body, list) else [body])
    ]


def refusing(*bad: int) -> Any:
    async def answer(seen: Seen) -> web.Response:
        numbers = [record["id"] for record in (seen.body if isinstance(seen.body, list) else [seen.body])]
        return web.Response(status=400 if set(numbers) & set(bad) else 200)

    return answer


async def test_a_record_passes_once(server: World, remote: Remote) -> None:
    flow = await pooled(server, de_dupe(), remote.send())
    for numbers in ((1, 2, 1), (2, 3), (1,), ()):
        assert (await flow.run(ids(*numbers)))["status"] == SUCCESS
    assert remote.bodies() == [ids(1, 2), ids(3)]
    assert await states(server) == {"1": "permanent", "2": "permanent", "3": "permanent"}


async def test_filter_only_looks_and_track_only_adds(server: World, remote: Remote) -> None:
    look = await pooled(server, de_dupe("filter"), remote.send("/look"))
    add = await server.flow(de_dupe("track"), remote.send("/add"))
    for _ in range(2):
        await look.run(ids(1, 2))
    await add.run(ids(2, 2))
    await add.run(ids(2))
    await look.run(ids(1, 2))
    assert remote.bodies("/look") == [ids(1, 2), ids(1, 2), ids(1)]
    assert remote.bodies("/add") == [ids(2, 2), ids(2)]
    assert await states(server) == {"2": "permanent"}


async def test_records_without_a_key_pass_and_are_not_kept(server: World, remote: Remote) -> None:
    flow = await pooled(server, de_dupe(), remote.send())
    records = [{"id": None}, {}, {"id": ""}, {"id": {"a": 1}}]
    for _ in range(2):
        await flow.run(records)
    assert remote.bodies() == [records, records]
    assert await states(server) == {}


async def test_keys_from_a_template_and_at_a_path(server: World, remote: Remote) -> None:
    flow = await pooled(server, de_dupe(key="[[meta.shop]]/[[payload.sku]]", path="lines"), remote.send())
    lines = {"lines": [{"sku": "a"}, {"sku": "a"}, {"sku": "b"}], "note": 1}
    await flow.run(lines)
    await flow.run({"lines": [{"sku": "b"}, {"sku": "c"}]})
    assert remote.bodies() == [
        {"lines": [{"sku": "a"}, {"sku": "b"}], "note": 1},
        {"lines": [{"sku": "c"}]},
    ]
    assert sorted(await states(server)) == ["/a", "/b", "/c"]


async def test_a_failed_run_gives_its_keys_back(server: World, remote: Remote) -> None:
    flow = await pooled(server, de_dupe(), remote.send())
    remote.answers(400)
    assert (await flow.run(ids(1)))["status"] == FAILURE
    assert await states(server) == {"1": "released"}
    remote.answers(200)
    assert (await flow.run(ids(1)))["status"] == SUCCESS
    assert await states(server) == {"1": "permanent"}


async def test_a_retry_loses_nothing_and_keeps_its_keys(server: World, remote: Remote) -> None:
    flow = await pooled(server, de_dupe(), ONE_BY_ONE, remote.send())
    remote.answer = refusing(2)
    run = await flow.run(ids(1, 2, 3))
    remote.answers(200)
    assert (await retry(server, run["id"]))["status"] == SUCCESS
    # What the first run sent is not sent again.
    assert sent(remote) == [1, 2, 2, 3]
    assert set((await states(server)).values()) == {"permanent"}
    await flow.run(ids(1, 2, 3))
    assert sent(remote) == [1, 2, 2, 3]


async def test_a_retry_leaves_out_what_another_run_took_meanwhile(server: World, remote: Remote) -> None:
    flow = await pooled(server, de_dupe(), ONE_BY_ONE, remote.send())
    remote.answer = refusing(1)
    first = await flow.run(ids(1, 2, 3))
    remote.answers(200)
    await flow.run(ids(1, 2))
    assert (await retry(server, first["id"]))["status"] == SUCCESS
    assert sent(remote) == [1, 1, 2, 3]
    # Other records at the same places have keys of their own, so that no receiver takes them for the first ones.
    assert len(set(remote.keys())) == 4
    assert set((await states(server)).values()) == {"permanent"}


async def test_a_retry_from_a_step_does_again_what_had_passed(server: World, remote: Remote) -> None:
    flow = await pooled(server, de_dupe(), remote.send())
    step = (await server.get(flow.graph)).data["steps"][-1]["key"]
    remote.answers(400)
    failed = await flow.run(ids(1))
    remote.answers(200)
    assert (await retry(server, failed["id"], from_step=step))["status"] == SUCCESS
    assert await states(server) == {"1": "permanent"}
    assert (await retry(server, failed["id"], from_step=step))["status"] == SUCCESS
    assert sent(remote) == [1, 1, 1]


async def partial(server: World, remote: Remote) -> tuple[Flow, dict[str, Any]]:
    """A run of three payloads that partly succeeded: a try-catch took the second one."""
    await server.post("/data-pools", json={"name": "orders"})
    flow = await server.flow(ONE_BY_ONE, de_dupe(), {"microservice": "try-catch"}, deploy=False)
    routes = (await server.get(f"{flow.graph}/steps/{flow.last_step_id}/routes")).data
    await flow.add(**remote.send(), flow_step_route_id=routes[0]["id"])
    await flow.deploy()
    remote.answer = refusing(2)
    run = await flow.run(ids(1, 2, 3))
    assert run["status"] == PARTIAL
    remote.answers(200)
    return flow, run


async def test_partial_success_gives_back_the_keys_of_what_failed(server: World, remote: Remote) -> None:
    flow, run = await partial(server, remote)
    assert await states(server) == {"1": "permanent", "2": "released", "3": "permanent"}
    assert (await retry(server, run["id"]))["status"] == SUCCESS
    assert await states(server) == {"1": "permanent", "2": "permanent", "3": "permanent"}
    await flow.run(ids(1, 2, 3))
    assert sent(remote) == [1, 2, 3, 2]


async def test_a_re_drive_makes_its_key_permanent(server: World, remote: Remote) -> None:
    flow, _ = await partial(server, remote)
    remote.answers(400)
    await server.post("/dead-letters/1/re-drive", json={})
    assert (await states(server))["2"] == "claimed"
    await server.work()
    assert (await states(server))["2"] == "released"
    remote.answers(200)
    await server.post("/dead-letters/2/re-drive", json={})
    await server.work()
    assert (await states(server))["2"] == "permanent"
    await flow.run(ids(2))
    assert sent(remote) == [1, 2, 3, 2, 2]


async def test_after_a_crash_a_run_knows_its_own_claims(server: World, remote: Remote) -> None:
    flow = await pooled(server, ONE_BY_ONE, de_dupe(), remote.send())
    remote.answer = hang
    first = await flow.start(ids(1, 2))
    await begin(server)
    await remote.until(1)
    await crash(server)
    # What was claimed and not recorded is as if the process had died between the two.
    await server.platform.database.write(
        lambda db: db.exec_driver_sql("DELETE FROM payloads WHERE kind = 'effect'")
    )
    remote.answers(200)
    await server.work()
    assert (await get_run(server, first))["status"] == SUCCESS
    assert sorted(set(sent(remote))) == [1, 2]
    assert set((await states(server)).values()) == {"permanent"}


async def test_a_key_that_another_run_holds_is_no_new_one(server: World, remote: Remote) -> None:
    flow = await pooled(server, de_dupe(), remote.send())
    remote.answer = hang
    await flow.start(ids(1))
    await begin(server)
    await remote.until(1)
    assert await states(server) == {"1": "claimed"}
    second = await flow.start(ids(1, 2))
    await begin(server)
    await remote.until(2)
    assert remote.bodies() == [ids(1), ids(2)]
    await server.post(f"/flow-runs/{second}/stop")
    await asyncio.gather(*[task for id, task in server.server.duty.dispatcher._tasks.items() if id == second])
    assert await states(server) == {"1": "claimed", "2": "released"}
    await crash(server)
    remote.answers(200)
    await server.work()
    assert await states(server) == {"1": "permanent", "2": "released"}


async def test_of_many_runs_at_once_one_lets_each_record_through(server: World, remote: Remote) -> None:
    flow = await pooled(server, de_dupe(), ONE_BY_ONE, remote.send())
    for begins in range(8):
        await flow.start(ids(*(((begins * 7) + step) % 20 for step in range(20))))
    await server.work()
    assert sorted(sent(remote)) == list(range(20))


async def test_a_stopped_run_that_waits_gives_its_keys_back(server: World) -> None:
    flow = await pooled(server, de_dupe(), {"microservice": "delay", "config": {"seconds": 60}})
    id = await flow.start(ids(1))
    await server.work()
    assert await states(server) == {"1": "claimed"}
    await server.post(f"/flow-runs/{id}/stop")
    assert await states(server) == {"1": "released"}


async def test_a_key_that_cannot_be_kept_fails(server: World, remote: Remote) -> None:
    flow = await pooled(server, de_dupe(), remote.send())
    for key in ("x" * 256, "a\0b"):
        run = await flow.run([{"id": "ok"}, {"id": key}])
        assert "The key of record 1 is no text of up to 255" in run["summary"]["error"]["message"]
    assert await states(server) == {}


async def test_a_pool_that_is_gone_fails_and_an_unknown_one_is_not_deployed(server: World) -> None:
    flow = await pooled(server, de_dupe())
    await server.platform.database.write(lambda db: db.exec_driver_sql("DELETE FROM data_pools"))
    run = await flow.run(ids(1))
    assert run["summary"]["error"]["message"].startswith("There is no data pool 'orders'")
    draft = await server.flow(de_dupe(), deploy=False)
    answer = await server.put(draft.path, json={"deployed_at": server.clock.now.isoformat()})
    field = f"steps.{draft.last_step_id}.config.pool"
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])


async def test_more_keys_than_are_asked_about_at_a_time(server: World, remote: Remote) -> None:
    flow = await pooled(server, de_dupe(), remote.send())
    await flow.run(ids(*range(1500), 3))
    await flow.run(ids(*range(2500)))
    assert sent(remote) == list(range(2500))


async def test_claims_go_with_their_run(server: World, remote: Remote) -> None:
    flow = await pooled(server, de_dupe(), remote.send())
    remote.answers(400)
    await flow.run(ids(1))
    remote.answers(200)
    await flow.run(ids(2))
    server.clock.advance(seconds=60 * 86400)
    await flow.run(ids(3))
    await server.server.loops.pruner.tick(server.clock.now)
    assert await states(server) == {"2": "permanent", "3": "permanent"}
