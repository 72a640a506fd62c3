"""What is large goes through a run page by page: few payloads are in memory at once, and nothing is lost by it."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from aiohttp import web
from tests.engine.test_effects import begin, crash, get_run
from tests.remote import Remote, Seen, hang
from tests.world import World

from flowloom.engine import effects, streams
from flowloom.steps import large, sizes
from flowloom.store import recall

SUCCESS, FAILURE, PARTIAL = 2, 3, 5
PAGES = {"type": "page"}


@pytest.fixture(autouse=True)
def small_buffer(monkeypatch: pytest.MonkeyPatch):
    """So that a test's pages are more than what is kept in memory."""
    monkeypatch.setattr(streams, "BUFFER_BYTES", 2000)


def pages(count: int, size: int = 10, text: str = "x" * 50):
    """So many pages of so many records {n, text}."""

    async def answer(seen: Seen) -> web.Response:
        if seen.path != "/pages":
            return web.Response()
        page = int(seen.query.get("page", 1))
        first = (page - 1) * size
        records = [{"n": n, "text": text} for n in range(first, first + size)] if page <= count else []
        return web.json_response(records)

    return answer


async def test_pages_stream_through_pure_steps_to_a_send(server: World, remote: Remote):
    remote.answer = pages(20)
    even = {"field": "n", "operator": "in", "value": list(range(0, 200, 2))}
    flow = await server.flow(
        remote.receive("/pages", pagination=PAGES),
        {"microservice": "filter", "config": {"where": even}},
        {"microservice": "map", "config": {"rules": [{"target": "id", "source": "n"}]}},
        {"microservice": "batch", "config": {"size": 2}},
        remote.send("/to"),
        remote.send("/then"),
    )
    run = await flow.run()
    assert run["status"] == SUCCESS
    expected = list(range(0, 200, 2))
    for path in ("/to", "/then"):
        assert [record["id"] for body in remote.bodies(path) for record in body] == expected
    did = {step["key"].partition("-")[0]: step for step in run["summary"]["steps"]}
    assert (did["filter"]["payloads_in"], did["batch"]["payloads_out"]) == (20, 60)
    assert len(set(remote.keys("/to"))) == 60


async def test_a_restart_goes_on_in_the_middle_of_a_stream(server: World, remote: Remote):
    answer = pages(12)

    async def hang_at_seven(seen: Seen) -> web.Response:
        return await (hang(seen) if seen.path == "/to" and seen.body[0]["n"] == 70 else answer(seen))

    remote.answer = hang_at_seven
    flow = await server.flow(remote.receive("/pages", pagination=PAGES), remote.send("/to"))
    id = await flow.start()
    await begin(server)
    await remote.until(13 + 8)
    await crash(server)
    remote.answer = answer
    await server.work()
    assert (await get_run(server, id))["status"] == SUCCESS
    assert [body[0]["n"] for body in remote.bodies("/to")] == [*range(0, 80, 10), *range(70, 120, 10)]
    assert len([seen for seen in remote.seen if seen.path == "/pages"]) == 13


async def test_routes_and_followers_each_get_the_whole_stream(server: World, remote: Remote):
    remote.answer = pages(6)
    legs = [{"name": "low", "where": {"field": "n", "operator": "less", "value": 30}}, {"name": "all"}]
    route = {"microservice": "route", "config": {"mode": "all", "routes": legs}}
    flow = await server.flow(remote.receive("/pages", pagination=PAGES), route, deploy=False)
    for leg in (await server.get(f"{flow.graph}/steps/{flow.last_step_id}/routes")).data:
        where = {"parent_id": flow.last_step_id, "flow_step_route_id": leg["id"]}
        await server.post(f"{flow.graph}/steps", json={**remote.send(f"/{leg['name']}"), **where})
    await flow.deploy()
    assert (await flow.run())["status"] == SUCCESS
    assert sorted(r["n"] for body in remote.bodies("/low") for r in body) == list(range(30))
    assert sorted(r["n"] for body in remote.bodies("/all") for r in body) == list(range(60))


async def test_variables_are_those_of_the_last_payload_as_with_a_list(server: World, remote: Remote):
    remote.answer = pages(6)
    flow = await server.flow(
        remote.receive("/pages", pagination=PAGES),
        {"microservice": "set-variables", "config": {"variables": {"newest": "[[payload.9.n]]"}}},
        remote.send("/to", body="{{newest}}"),
    )
    assert (await flow.run())["status"] == SUCCESS
    assert {seen.content for seen in remote.seen if seen.path == "/to"} == {b"59"}


async def test_a_failure_in_a_stream_is_caught_once(server: World, remote: Remote):
    guard = {"microservice": "try-catch"}
    link = {"type": "next_url", "url_path": "next"}

    async def linked(seen: Seen) -> web.Response:
        if seen.path != "/pages":
            return web.Response()
        page = int(seen.query.get("page", 1))
        following = f"/pages?page={page + 1}" if page < 8 else None
        lines = {"lines": [page]} if page != 4 else {}
        return web.json_response({"text": "x" * 600, "page": page, "next": following, **lines})

    remote.answer = linked
    flow = await server.flow(remote.receive("/pages", pagination=link), guard, deploy=False)
    tried, caught = (await server.get(f"{flow.graph}/steps/{flow.last_step_id}/routes")).data
    cut = {"microservice": "batch", "config": {"path": "lines", "size": 1}}
    parent = flow.last_step_id
    where = {"parent_id": parent, "flow_step_route_id": tried["id"]}
    batch = (await server.post(f"{flow.graph}/steps", json={**cut, **where})).data["id"]
    for path in ("/one", "/two"):
        step = (await server.post(f"{flow.graph}/steps", json={**remote.send(path), "parent_id": batch})).data
    await server.patch(f"{flow.graph}/steps/{step['id']}", json={"parent_id": batch})
    first = next(one for one in (await server.get(flow.graph)).data["steps"] if one["name"] == "/one")
    await server.patch(f"{flow.graph}/steps/{first['id']}", json={"parent_id": batch})
    where = {"parent_id": parent, "flow_step_route_id": caught["id"]}
    await server.post(f"{flow.graph}/steps", json={**remote.send("/bad", body="[[payload.page]]"), **where})
    await flow.deploy()
    assert (await flow.run())["status"] == PARTIAL
    assert [seen.content for seen in remote.seen if seen.path == "/bad"] == [b"4"]
    for path in ("/one", "/two"):
        assert remote.bodies(path) == [[1], [2], [3], [5], [6], [7], [8]]


@pytest.mark.parametrize("buffer_bytes", [2000, streams.BUFFER_BYTES])
async def test_what_is_gone_through_several_times_counts_once(
    server: World, remote: Remote, monkeypatch: pytest.MonkeyPatch, buffer_bytes: int
):
    """As it does while the payloads are in memory."""
    monkeypatch.setattr(streams, "BUFFER_BYTES", buffer_bytes)
    remote.answer = pages(6)
    legs = [{"name": "low", "where": {"field": "n", "operator": "less", "value": 30}}, {"name": "all"}]
    flow = await server.flow(
        remote.receive("/pages", pagination=PAGES),
        {"microservice": "split", "config": {}},
        {"microservice": "set-variables", "config": {"variables": {"newest": "[[payload.n]]"}}},
        {"microservice": "track", "config": {"entity_type": "order", "value": "n"}},
        {"microservice": "route", "config": {"mode": "all", "routes": legs}},
        deploy=False,
    )
    for leg in (await server.get(f"{flow.graph}/steps/{flow.last_step_id}/routes")).data:
        where = {"parent_id": flow.last_step_id, "flow_step_route_id": leg["id"]}
        for path in ("/a", "/b"):
            name = f"/{leg['name']}{path}"
            await server.post(f"{flow.graph}/steps", json={**remote.send(name), **where})
    await flow.deploy()
    run = await flow.run()
    assert (run["status"], len(remote.bodies("/low/a")), len(remote.bodies("/all/b"))) == (SUCCESS, 30, 60)
    did = {step["key"].partition("-")[0]: step for step in run["summary"]["steps"]}
    counts = ("payloads_in", "payloads_out", "attempts", "lines")
    assert [[did[step][count] for count in counts[:3]] for step in ("split", "set", "track", "route")] == [
        [6, 60, 6],
        [60, 60, 60],
        [60, 60, 60],
        [60, 90, 60],
    ]
    found = (await server.get(f"/flows/{flow.id}/version-metrics", query={"per_page": 100})).data
    [operations] = [metric["value"] for metric in found if metric["type"] == "operations"]
    assert operations == 1 + 1 + 6 + 60 * 3 + 2 * (30 + 60)


async def test_memory_does_not_grow_with_the_pages(sqlite_server: World, remote: Remote, monkeypatch):
    monkeypatch.setattr(streams, "BUFFER_BYTES", 100_000)
    remote.answer = pages(200, size=20, text="y" * 1000)
    flow = await sqlite_server.flow(
        remote.receive("/pages", pagination=PAGES),
        {"microservice": "filter", "config": {"where": {"field": "n", "operator": "greater", "value": -1}}},
        remote.send("/to", body="[[payload.0.n]]"),
    )
    gc.collect()
    tracemalloc.start()
    run = await flow.run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert run["status"] == SUCCESS
    # The pages are 4 MB of JSON, and several times that as objects.
    assert peak < 2_500_000, peak


async def test_looking_at_late_payloads_keeps_no_earlier_ones(
    sqlite_server: World, remote: Remote, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(recall, "RECALL_BYTES", 100_000)
    remote.answer = pages(200, size=20, text="y" * 1000)
    keep = {"microservice": "filter", "config": {"where": {"field": "n", "operator": "greater", "value": -1}}}
    flow = await sqlite_server.flow(remote.receive("/pages", pagination=PAGES), keep)
    run = await flow.run()
    steps = (await sqlite_server.get(f"/flow-runs/{run['id']}/steps")).data
    asked = {"step": steps[-1]["key"], "side": "after", "page": 95, "per_page": 2}
    gc.collect()
    tracemalloc.start()
    seen = (await sqlite_server.get(f"/flow-runs/{run['id']}/step-payloads", query=asked)).data
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [payload["body"][0]["n"] for payload in seen] == [188 * 20, 189 * 20]
    assert peak < 2_500_000, peak


@pytest.fixture
def most_noted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines of logs and tracked data there were when something was written, each time."""
    found: list[int] = []
    flush = effects.Effects.flush

    async def noting(self: effects.Effects) -> None:
        found.append(self._active.lines.noted)
        await flush(self)

    monkeypatch.setattr(effects.Effects, "flush", noting)
    return found


async def test_what_steps_note_of_a_stream_is_written_on_the_way(
    server: World, remote: Remote, monkeypatch: pytest.MonkeyPatch, most_noted: list[int]
):
    """Also when no effect comes after them."""
    monkeypatch.setattr(effects, "MAX_NOTED", 25)
    remote.answer = pages(20)
    track = {"microservice": "track", "config": {"entity_type": "order", "value": "n"}}
    run = await (await server.flow(remote.receive("/pages", pagination=PAGES), track)).run()
    assert run["status"] == SUCCESS
    assert max(most_noted) < 40
    tracked = await server.get("/tracked-data", query={"filter[entity_type]": "order", "per_page": 1})
    assert tracked.json()["meta"]["total"] == 200


@pytest.mark.parametrize("is_too_large", [False, True])
async def test_a_step_for_the_whole_bucket(
    server: World, remote: Remote, monkeypatch: pytest.MonkeyPatch, is_too_large: bool
):
    """It is given all payloads, as far as they may be in memory, and they go on as a stream."""
    child = await server.flow(remote.send("/child"))
    remote.answer = pages(20)
    run_flow = {"microservice": "run-flow", "config": {"flow_id": child.id, "per": "bucket"}}
    batch = {"microservice": "batch", "config": {"size": 5}}
    then = remote.send("/then", body={"n": "[[payload.0.n]]", "child": "[[meta.child_flow_run_id]]"})
    receive = remote.receive("/pages", pagination=PAGES)
    flow = await server.flow(receive, batch, run_flow, then)
    if is_too_large:
        monkeypatch.setattr(sizes, "MAX_BYTES", 10_000)
    id = await flow.start()
    await server.work()
    run = await get_run(server, id)
    if is_too_large:
        assert "together larger than 64 MB" in run["summary"]["error"]["message"]
        assert (run["status"], remote.bodies("/child"), remote.bodies("/then")) == (FAILURE, [], [])
        return
    assert (run["status"], [len(body) for body in remote.bodies("/child")]) == (SUCCESS, [40])
    assert [body["n"] for body in remote.bodies("/then")] == list(range(0, 200, 5))
    assert len({body["child"] for body in remote.bodies("/then")}) == 1
    did = {step["key"].partition("-")[0]: step for step in run["summary"]["steps"]}
    assert (did["run"]["payloads_in"], did["run"]["payloads_out"]) == (40, 40)


async def test_a_step_for_the_whole_bucket_when_nothing_is_in_it(server: World, remote: Remote):
    child = await server.flow(remote.send("/child"))
    remote.answer = pages(20)
    none = {"microservice": "filter", "config": {"where": {"field": "n", "operator": "less", "value": -1}}}
    run_flow = {"microservice": "run-flow", "config": {"flow_id": child.id, "per": "bucket"}}
    flow = await server.flow(remote.receive("/pages", pagination=PAGES), none, run_flow, remote.send("/then"))
    assert (await flow.run())["status"] == SUCCESS
    assert [seen.path for seen in remote.seen if seen.path != "/pages"] == []


def large_answer(count: int, kind: str):
    """One answer of so many records, as JSON below `data`, as CSV or as XML."""

    async def answer(seen: Seen) -> web.Response:
        if seen.path != "/pages":
            return web.Response()
        if kind == "csv":
            lines = "".join(f"{n},{'x' * 50}\r\n" for n in range(count))
            return web.Response(text=f"n,text\r\n{lines}", content_type="text/csv")
        if kind == "xml":
            elements = "".join(f"<r><n>{n}</n><text>{'x' * 50}</text></r>" for n in range(count))
            return web.Response(text=f"<o><data>{elements}</data></o>", content_type="text/xml")
        records = [{"n": n, "text": "x" * 50} for n in range(count)]
        return web.json_response({"total": count, "data": records})

    return answer


@pytest.fixture
def small_spill(server: World, monkeypatch: pytest.MonkeyPatch):
    """So that a test's answer is more than what is kept in memory, and is cut into several pages."""
    monkeypatch.setattr(large, "PAGE_BYTES", 2000)
    monkeypatch.setattr(
        server.server.duty.dispatcher._executor._around.calls._http, "_spill_from_bytes", 4000
    )


@pytest.mark.parametrize(("kind", "path"), [("json", "data"), ("csv", None), ("xml", "o.data.r")])
async def test_an_answer_too_large_for_memory_is_cut_into_pages(
    server: World, remote: Remote, small_spill, kind, path
):
    remote.answer = large_answer(500, kind)
    rules = [{"target": "n", "source": "n", "transforms": [{"name": "number"}]}]
    flow = await server.flow(
        remote.receive("/pages", path=path),
        {"microservice": "map", "config": {"rules": rules}},
        remote.send("/to", send_format="json"),
    )
    run = await flow.run()
    assert run["status"] == SUCCESS, run
    found = [float(record["n"]) for body in remote.bodies("/to") for record in body]
    assert (found, len(remote.bodies("/to")) > 5) == ([float(n) for n in range(500)], True)


async def test_pages_of_a_large_answer_are_kept_together_or_not_at_all(
    server: World, remote: Remote, small_spill
):
    async def cut(seen: Seen) -> web.Response:
        whole = b'[{"n":1},' * 1 + b'{"n":2},' * 2000
        return web.Response(body=whole + b"oops", content_type="application/json")

    remote.answer = cut
    run = await (await server.flow(remote.receive("/pages", retries=0), remote.send("/to"))).run()
    assert (run["status"], "cannot be read" in run["summary"]["error"]["message"]) == (FAILURE, True)
    assert remote.bodies("/to") == []
    stored = (await server.get("/payload-metadata", query={"filter[kind]": "effect"})).data
    assert stored == []
