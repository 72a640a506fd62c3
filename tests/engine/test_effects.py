"""Effects: tried again on the clock, recorded before the run goes on, sent under one key."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from sqlalchemy import text
from tests.remote import Remote, Seen, hang
from tests.world import World

from flowloom import errors

SUCCESS, FAILURE = 2, 3


async def crash(world: World) -> None:
    """What a restart finds: nobody works, the runs that went on are queued again."""
    tasks = list(world.server.duty.dispatcher._tasks.values())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await world.server.duty.dispatcher.drain()


async def begin(world: World) -> None:
    """Claim what is ready and leave it going on."""
    await world.server.duty.dispatcher.tick(world.clock.now)


async def get_run(world: World, id: int):
    return (await world.get(f"/flow-runs/{id}")).data


async def test_backoff_grows_and_gives_up(server: World, remote: Remote):
    remote.answers(503)
    flow = await server.flow(remote.send())
    run = await flow.run({"a": 1})
    assert run["status"] == FAILURE
    assert run["summary"]["error"]["message"].endswith("Gave up after 4 attempts.")
    assert run["has_warnings"]
    assert len(set(remote.keys())) == 1
    assert len(remote.seen) == 4
    for pause, base in zip(server.slept, (1, 2, 4), strict=True):
        assert base / 2 <= pause <= base * 1.5


async def test_retry_after_is_honoured(server: World, remote: Remote):
    remote.answers(429, 429, 200, retry_after="17")
    flow = await server.flow(remote.send(retries=2))
    id = (await flow.run({"a": 1}))["id"]
    for sent in (1, 2):
        server.clock.advance(seconds=16)
        await server.work()
        assert len(remote.seen) == sent
        server.clock.advance(seconds=1)
        await server.work()
    run = await get_run(server, id)
    assert (run["status"], len(remote.seen), server.slept) == (SUCCESS, 3, [])
    assert run["duration_ms"] == 34_000


async def test_no_retries_when_none_are_asked_for_or_none_can_help(server: World, remote: Remote):
    for status, retries in ((503, 0), (404, 3)):
        remote.answers(status)
        assert (await (await server.flow(remote.send(retries=retries))).run({}))["status"] == FAILURE
    assert (len(remote.seen), server.slept) == (2, [])


async def test_a_step_that_hangs_is_tried_again(server: World, remote: Remote):
    async def once(seen: Seen) -> web.Response:
        return await (hang(seen) if len(remote.seen) == 1 else asyncio.sleep(0, web.Response()))

    remote.answer = once
    flow = await server.flow(remote.send(timeout_seconds=1))
    assert (await flow.run({}))["status"] == SUCCESS
    assert len(remote.seen) == 2


async def test_keys_differ_by_payload_step_and_run_and_are_equal_on_every_attempt(
    server: World, remote: Remote
):
    flow = await server.flow(
        {"microservice": "batch", "config": {"size": 1}}, remote.send(), remote.send("/b")
    )
    await flow.run([1, 2])
    await flow.run([1, 1])
    assert len(remote.seen) == 8
    assert set(remote.per_key().values()) == {1}
    assert all(key and len(key) == 32 for key in remote.per_key())


async def test_what_was_sent_is_not_sent_again_after_a_restart(server: World, remote: Remote):
    flow = await server.flow(
        {"microservice": "batch", "config": {"size": 1}}, remote.send(), remote.send("/last")
    )

    async def hang_at_three(seen: Seen) -> web.Response:
        return await (
            hang(seen) if seen.body == [3] and seen.path == "/" else asyncio.sleep(0, web.Response())
        )

    remote.answer = hang_at_three
    id = await flow.start([1, 2, 3, 4])
    await begin(server)
    await remote.until(3)
    await crash(server)
    assert (await get_run(server, id))["status"] == 0
    remote.answers(200)
    await server.work()
    assert (await get_run(server, id))["status"] == SUCCESS
    assert remote.bodies() == [[1], [2], [3], [3], [4]]
    assert remote.keys()[2] == remote.keys()[3]
    assert remote.bodies("/last") == [[1], [2], [3], [4]]


async def two_branches(world: World, first: dict, second: dict):
    """A flow whose trigger has two followers, run one after the other."""
    flow = await world.flow(first, deploy=False)
    trigger = (await world.get(flow.graph)).data["steps"][0]["id"]
    # A step that is added comes between the trigger and what followed it; the first one then moves back up.
    await world.post(f"{flow.graph}/steps", json={**second, "parent_id": trigger})
    await world.patch(f"{flow.graph}/steps/{flow.last_step_id}", json={"parent_id": trigger})
    await flow.deploy()
    return flow


async def test_an_effect_of_an_earlier_branch_is_recorded_before_a_later_one_begins(
    server: World, remote: Remote
):
    flow = await two_branches(server, remote.send("/first"), remote.send("/second"))

    async def hang_in_the_second(seen: Seen) -> web.Response:
        return await (hang(seen) if seen.path == "/second" else asyncio.sleep(0, web.Response()))

    remote.answer = hang_in_the_second
    await flow.start({"a": 1})
    await begin(server)
    await remote.until(2)
    await crash(server)
    remote.answers(200)
    await server.work()
    assert [seen.path for seen in remote.seen] == ["/first", "/second", "/second"]
    assert remote.keys("/second")[0] == remote.keys("/second")[1]


@pytest.mark.parametrize("last_empty", [False, True])
async def test_pages_are_not_fetched_again_and_a_cursor_goes_on(server: World, remote: Remote, last_empty):
    waits = asyncio.Event()

    async def pages(seen: Seen) -> web.Response:
        if seen.path == "/to":
            return web.Response()
        at = int(seen.query.get("after", 0))
        if at == 2 and not waits.is_set():
            await hang(seen)
        data = [] if at == 1 or (at == 3 and last_empty) else [at]
        return web.json_response({"data": data, "next": at + 1 if at < 3 else None})

    remote.answer = pages
    paging = {"type": "cursor", "param": "after", "cursor_path": "next"}
    flow = await server.flow(remote.receive("/from", path="data", pagination=paging), remote.send("/to"))
    id = await flow.start()
    await begin(server)
    await remote.until(3)
    for _ in range(2):
        await crash(server)
        count = len(remote.seen)
        await begin(server)
        await remote.until(count + 1)
    waits.set()
    await crash(server)
    await server.work()
    assert (await get_run(server, id))["status"] == SUCCESS
    asked = [int(seen.query.get("after", 0)) for seen in remote.seen if seen.path == "/from"]
    assert asked == [0, 1, 2, 2, 2, 2, 3]
    assert remote.bodies("/to") == ([[0], [2]] if last_empty else [[0], [2], [3]])


async def test_a_receive_without_anything_is_not_asked_again(server: World, remote: Remote):
    async def empty_then_hang(seen: Seen) -> web.Response:
        return await (hang(seen) if seen.path == "/second" else asyncio.sleep(0, web.json_response([])))

    remote.answer = empty_then_hang
    first = remote.receive("/first", pagination={"type": "page"})
    await (await two_branches(server, first, remote.receive("/second"))).start()
    await begin(server)
    await remote.until(2)
    await crash(server)
    remote.answers(200)
    await server.work()
    assert [seen.path for seen in remote.seen] == ["/first", "/second", "/second"]


async def test_metrics_count_what_was_recorded_before_a_restart(server: World, remote: Remote):
    flow = await server.flow({"microservice": "batch", "config": {"size": 1}}, remote.send())

    async def hang_at_two(seen: Seen) -> web.Response:
        return await (hang(seen) if len(remote.seen) == 2 else asyncio.sleep(0, web.Response()))

    remote.answer = hang_at_two
    await flow.start([1, 2])
    await begin(server)
    await remote.until(2)
    await crash(server)
    await server.work()
    found = (await server.get(f"/flows/{flow.id}/version-metrics", query={"per_page": 100})).data
    counted = {(m["type"], m["key"]): m["value"] for m in found}
    assert (counted["runs", "started"], counted["runs", "success"]) == (1, 1)
    assert (counted["payloads", "received"], counted["payloads", "count"]) == (1, 2)


async def test_a_run_waits_for_the_database_and_loses_nothing(server: World, remote: Remote, monkeypatch):
    made = await server.post(
        "/connections",
        json={
            "name": "Remote",
            "base_url": remote.url(""),
            "allowed_hosts": ["127.0.0.1"],
            "auth": {"type": "bearer", "token": "secret-token"},
        },
    )
    flow = await server.flow(remote.send("/a"), deploy=False)
    await server.patch(
        f"{flow.graph}/steps/{flow.last_step_id}",
        json={"config": {"direction": "send", "url": "/a", "connection_id": made.data["id"]}},
    )
    await flow.deploy()
    id = await flow.start({"a": 1})
    database, left = server.platform.database, [3, 3]
    read, write = database.read, database.write_grouped

    async def read_later(work, *args):
        left[0] -= 1
        if left[0] >= 0:
            raise errors.Busy("The database is away.")
        return await read(work, *args)

    async def write_later(work):
        if work.__qualname__.startswith("Journal"):
            left[1] -= 1
            if left[1] >= 0:
                raise errors.Busy("The database is away.")
        return await write(work)

    monkeypatch.setattr(database, "read", read_later)
    monkeypatch.setattr(database, "write_grouped", write_later)
    await server.work()
    monkeypatch.undo()
    assert (await get_run(server, id))["status"] == SUCCESS
    assert len(remote.seen) == 1
    assert max(left) < 0


async def test_secrets_are_redacted_wherever_a_run_shows_them(server: World, remote: Remote):
    async def tell_tale(seen: Seen) -> web.Response:
        return web.Response(status=400, text=f"bad header {seen.headers['authorization']}s")

    remote.answer = tell_tale
    for auth, secret in (
        ({"type": "bearer", "token": "tok-123456"}, "tok-123456"),
        # An answer keeps one so short where it is part of a word; what a run shows does not.
        ({"type": "bearer", "token": "tok-12"}, "tok-12"),
        ({"type": "basic", "username": "ann", "password": "pass-word"}, "YW5uOnBhc3Mtd29yZA=="),
    ):
        sent = {"name": "Remote", "base_url": remote.url(""), "allowed_hosts": ["127.0.0.1"], "auth": auth}
        made = (await server.post("/connections", json=sent)).data
        config = {"direction": "send", "url": "/", "connection_id": made["id"]}
        flow = await server.flow({"microservice": "connector", "config": config})
        run = await flow.run({})
        lines = await server.get(f"/flow-runs/{run['id']}/flow-run-logs")
        letters = await server.get("/dead-letters", query={"filter[flow_run_id]": run["id"]})
        assert (run["status"], len(letters.data)) == (FAILURE, 1)
        assert "bad header" in run["summary"]["error"]["message"]
        assert secret not in str(run) + lines.body.decode() + letters.body.decode()


async def test_a_large_payload_does_not_hold_up_the_loop(server: World, remote: Remote):
    ticks = 0

    async def count() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    where = {"field": "n", "operator": "less", "value": 2}
    rules = [{"target": "n", "source": "n"}, {"target": "name", "source": "name"}]
    flow = await server.flow(
        {"microservice": "map", "config": {"rules": rules}},
        {"microservice": "filter", "config": {"where": where}},
        remote.send(),
    )
    id = await flow.start([{"n": n, "name": f"item {n}"} for n in range(30_000)])
    counting = asyncio.ensure_future(count())
    await begin(server)
    before = ticks
    await server.settle()
    counting.cancel()
    assert ticks - before > 20
    assert (await get_run(server, id))["status"] == SUCCESS
    assert remote.bodies() == [[{"n": 0, "name": "item 0"}, {"n": 1, "name": "item 1"}]]


async def test_drain_hands_back_what_does_not_end(server: World, remote: Remote, monkeypatch):
    monkeypatch.setattr(server.server.duty.dispatcher, "_drain_seconds", 0.01)
    remote.answer = hang
    id = await (await server.flow(remote.send())).start({})
    await begin(server)
    await remote.until(1)
    await server.server.duty.dispatcher.drain()
    assert (await get_run(server, id))["status"] == 0
    assert server.server.duty.dispatcher.running == 0
    left = await server.platform.database.read(
        lambda db: db.scalar(text("SELECT count(*) FROM metric_deltas"))
    )
    assert left == 1
