"""What all lists, edits and starts have in common, and what every answer carries."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import jsonschema_rs
import pytest
from tests.api.test_roles import fill, one_of_each
from tests.contract import document
from tests.world import OTHER_KEY, Flow, World

from flowloom.services import schedules

FILTER = {"microservice": "filter", "config": {"where": {"field": "a", "operator": "equals", "value": 1}}}
SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


async def test_an_idempotency_key_starts_one_run(server: World) -> None:
    """The same key and request give the first answer, also at the same time; another request is refused."""
    flow = await server.flow(FILTER)
    start, sent = f"/flows/{flow.id}/start", {"headers": {"idempotency-key": "order 7"}}
    answers = await asyncio.gather(*(server.post(start, json={"payload": "[1]"}, **sent) for _ in range(10)))
    [first] = {answer.json()["flow_run_id"] for answer in answers}
    assert all(answer.json()["data"]["id"] == first for answer in answers)
    others = [
        (start, {"payload": "[2]"}),
        (f"/flows/{flow.id}/manual", {"payload": "[1]"}),
        (f"{start}/{flow.version_id}", {"payload": "[1]"}),
    ]
    for path, body in others:
        refused = await server.post(path, json=body, **sent)
        assert (refused.status, list(refused.json()["errors"])) == (422, ["Idempotency-Key"]), path
    await server.work()
    retry = [
        await server.post(f"/flow-runs/{first}/retry", headers={"idempotency-key": "again"}) for _ in range(2)
    ]
    assert len({answer.json()["flow_run_id"] for answer in retry}) == 1
    assert (await server.get("/flow-runs")).json()["meta"]["total"] == 2
    theirs = await server.post("/flows", json={"name": "B"}, key=OTHER_KEY)
    draft = (await server.get(f"/flows/{theirs.data['id']}/versions", key=OTHER_KEY)).data[0]["id"]
    answer = await server.post(
        f"/flows/{theirs.data['id']}/start/{draft}", json={"payload": "[1]"}, key=OTHER_KEY, **sent
    )
    assert answer.json()["flow_run_id"] != first


async def test_an_idempotency_key_is_answered_though_the_flow_has_changed(server: World) -> None:
    flow = await server.flow(FILTER)
    sent = {"json": {"payload": "[1]"}, "headers": {"idempotency-key": "order 8"}}
    paths = [f"/flows/{flow.id}/start", f"/flows/{flow.id}/start/{flow.version_id}"]
    answers = []
    for number, path in enumerate(paths):
        sent["headers"] = {"idempotency-key": f"order {number}"}
        answers.append((await server.post(path, **sent)).json()["flow_run_id"])
    await server.put(flow.path, json={"deployed_at": None})
    assert (await server.delete(flow.path)).status == 200
    for number, path in enumerate(paths):
        sent["headers"] = {"idempotency-key": f"order {number}"}
        again = await server.post(path, **sent)
        assert (again.status, again.json()["flow_run_id"]) == (200, answers[number]), path


async def test_a_stale_edit_is_refused(server: World) -> None:
    """Every edit of the graph takes If-Match; the ETag changes with each save and with nothing else."""
    flow = await server.flow(FILTER, deploy=False)
    first = (await server.get(flow.graph)).headers["etag"]
    assert re.fullmatch(r'"[^"]+"', first)
    assert (await server.get(flow.graph)).headers["etag"] == first
    step = f"{flow.graph}/steps/{flow.last_step_id}"
    assert (await server.patch(step, json={"name": "A"}, headers={"if-match": first})).status == 200
    second = (await server.get(flow.graph)).headers["etag"]
    assert second != first
    new = {"microservice": "batch", "config": {"size": 2}, "parent_id": flow.last_step_id}
    edits: list[tuple[str, str, Any]] = [
        ("PATCH", step, {"name": "B"}),
        ("POST", f"{flow.graph}/steps", new),
        ("PUT", f"/flow-versions/{flow.version_id}/variables", {"variables": {"a": 1}}),
        ("DELETE", step, None),
    ]
    for method, path, body in edits:
        for stale in (first, '"nonsense"', "", f"W/{first}"):
            refused = await server.request(method, path, json=body, headers={"if-match": stale})
            assert refused.status == 409, (method, path, stale)
            assert "changed meanwhile" in refused.json()["message"]
    assert (await server.get(flow.graph)).headers["etag"] == second
    for (method, path, body), match in zip(edits, (None, "*", None, None), strict=True):
        current = match or (await server.get(flow.graph)).headers["etag"]
        assert (await server.request(method, path, json=body, headers={"if-match": current})).status == 200, (
            path
        )


async def test_a_stale_edit_of_a_schedule_is_refused(server: World) -> None:
    flow = await server.flow(FILTER, deploy=False)
    path, fields = f"/flow-versions/{flow.version_id}/schedules", {"cron_string": "0 5 * * *"}
    first = (await server.get(flow.graph)).headers["etag"]
    made = await server.post(path, json=fields, headers={"if-match": first})
    one = f"{path}/{made.data['id']}"
    for method, where in (("POST", path), ("PUT", one), ("DELETE", one)):
        refused = await server.request(method, where, json=fields, headers={"if-match": first})
        assert refused.status == 409, method
    second = (await server.get(flow.graph)).headers["etag"]
    assert (await server.request("DELETE", one, headers={"if-match": second})).status == 200


async def test_the_answer_of_an_edit_names_the_state_that_it_saved(server: World) -> None:
    """So that the next edit needs no look before it; also where several states are named, as a list or in headers."""
    flow = await server.flow(FILTER, deploy=False)
    step = f"{flow.graph}/steps/{flow.last_step_id}"
    ways = {"microservice": "route", "config": {"mode": "all"}, "parent_id": flow.last_step_id}
    edits: list[tuple[str, str, Any]] = [
        ("PATCH", step, {"name": "A"}),
        ("POST", f"{flow.graph}/steps", ways),
        ("POST", f"{flow.graph}/steps/{flow.last_step_id + 1}/routes", {"name": "a"}),
        ("PUT", f"{flow.graph}/steps/{flow.last_step_id + 1}/routes/1", {"name": "b"}),
        ("DELETE", f"{flow.graph}/steps/{flow.last_step_id + 1}/routes/1", None),
        ("DELETE", f"{flow.graph}/steps/{flow.last_step_id + 1}", None),
        ("PUT", f"/flow-versions/{flow.version_id}/variables", {"variables": {"a": 1}}),
        ("POST", f"/flow-versions/{flow.version_id}/schedules", {"cron_string": "0 5 * * *"}),
        ("PUT", f"/flow-versions/{flow.version_id}/schedules/1", {"timezone": "Asia/Tokyo"}),
        ("DELETE", f"/flow-versions/{flow.version_id}/schedules/1", None),
        ("PUT", flow.path, {"deployed_at": "2026-03-02T10:00:00Z"}),
        ("PUT", flow.path, {"deployed_at": None}),
    ]
    tag = (await server.get(flow.graph)).headers["etag"]
    for method, path, body in edits:
        named = {"if-match": f'"other-1" , {tag},W/"x"'}
        answer = await server.request(method, path, json=body, headers=named)
        assert answer.status == 200, (method, path, answer.body)
        before, tag = tag, answer.headers["etag"]
        assert tag == (await server.get(flow.graph)).headers["etag"]
        assert (tag == before) == (path == flow.path), (method, path)


async def test_a_stale_change_of_a_version_is_refused(server: World) -> None:
    """Deploying, undeploying, deleting, and copying over a Draft that somebody else goes on with."""
    flow = await server.flow(FILTER)
    copied = await server.post(f"{flow.path}/copy")
    draft, first = copied.data["id"], copied.headers["etag"]
    graph, one = f"/flow-versions/{draft}/graph", f"/flows/{flow.id}/versions/{draft}"
    assert (await server.get(graph)).headers["etag"] == first
    step = (await server.get(graph)).data["steps"][1]["id"]
    second = (await server.patch(f"{graph}/steps/{step}", json={"name": "Theirs"})).headers["etag"]
    stale = {"headers": {"if-match": first}}
    changes: list[tuple[str, str, Any]] = [
        ("POST", f"{flow.path}/copy", None),
        ("PUT", one, {"deployed_at": "2026-03-02T10:00:00Z"}),
        ("PUT", one, {"deployed_at": None}),
        ("PUT", flow.path, {"deployed_at": None}),
        ("DELETE", one, None),
    ]
    before = (await server.get(f"/flows/{flow.id}/versions")).data
    for method, path, body in changes:
        assert (await server.request(method, path, json=body, **stale)).status == 409, (method, path)
    assert (await server.get(f"/flows/{flow.id}/versions")).data == before
    third = await server.post(f"{flow.path}/copy", headers={"if-match": second})
    one = f"/flows/{flow.id}/versions/{third.data['id']}"
    assert (await server.delete(one, headers={"if-match": third.headers["etag"]})).status == 200
    gone = {"headers": {"if-match": third.headers["etag"]}}
    assert (await server.post(f"{flow.path}/copy", **gone)).status == 409
    assert (await server.post(f"{flow.path}/copy", headers={"if-match": "*"})).status == 200


async def test_a_version_has_no_more_schedules_than_there_is_room_for(server: World, monkeypatch) -> None:
    monkeypatch.setattr(schedules, "MAX_SCHEDULES", 2)
    flow = await server.flow(FILTER, deploy=False)
    path, fields = f"/flow-versions/{flow.version_id}/schedules", {"cron_string": "0 5 * * *"}
    assert [(await server.post(path, json=fields)).status for _ in range(3)] == [200, 200, 422]


async def test_documents_are_complete_and_need_nothing_from_elsewhere(sqlite_server: World) -> None:
    answer = await sqlite_server.get("/openapi.json", key=None)
    spec = answer.json()
    assert spec["openapi"].startswith("3.1")
    text = json.dumps(spec)
    for reference in set(re.findall(r'"#/components/schemas/([^"]+)"', text)):
        jsonschema_rs.validator_for(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **_schema(spec, reference)}
        )
    ids = [operation["operationId"] for methods in spec["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            named = {
                parameter["name"]
                for parameter in operation.get("parameters", ())
                if parameter["in"] == "path"
            }
            assert named == set(re.findall(r"\{(\w+)\}", path)), (method, path)
            assert operation["summary"]
            assert operation["x-role"]
    page = await sqlite_server.get("/docs", key=None)
    assert page.headers["content-type"].startswith("text/html")
    assert not re.search(rb"(?:src|href)=.?(?:https?:)?//", page.body)
    assert page.body.count(b"<details>") == len(ids)


def _schema(spec: dict[str, Any], name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}


async def test_every_answer_has_the_security_headers(sqlite_server: World) -> None:
    asked = [
        ("GET", "/healthz"),
        ("GET", "/docs"),
        ("GET", "/flows"),
        ("GET", "/nothing"),
        ("TRACE", "/flows"),
        ("POST", "/flows"),
    ]
    for method, path in asked:
        answer = await sqlite_server.request(method, path)
        assert {name: answer.headers[name] for name in SECURITY} == SECURITY, path
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers


async def test_flows_and_what_they_include(server: World) -> None:
    flow = await server.flow(FILTER)
    await server.post(f"{flow.path}/copy")
    empty = (await server.post("/flows", json={"name": "Empty", "labels": ["a"], "priority": 1})).data
    names = ("latestVersion", "deployedVersion", "currentVersion", "versions")
    found = (await server.get(f"/flows/{flow.id}", query={"include": ",".join(names)})).data
    assert found["deployed_version"]["iteration"] == 1
    assert found["latest_version"]["iteration"] == found["current_version"]["iteration"] == 2
    assert [version["iteration"] for version in found.pop("versions")] == [1, 2]
    assert (await server.get(f"/flows/{flow.id}", query={"include": ",".join(names[:3])})).data == found
    counted = ",".join(f"{name}{suffix}" for name in names for suffix in ("_count", "Exists"))
    for item, versions, deployed in ((flow.id, 2, 1), (empty["id"], 1, 0)):
        [listed] = (await server.get("/flows", query={"include": counted, "filter[id]": item})).data
        assert (listed["versions_count"], listed["versions_exists"]) == (versions, True)
        assert (listed["deployed_version_count"], listed["deployed_version_exists"]) == (
            deployed,
            bool(deployed),
        )
        assert "versions" not in listed
    assert "deployed_version" not in (await server.get(f"/flows/{empty['id']}?include=deployedVersion")).data
    assert (await server.get(f"/flows/{empty['id']}?include=nope")).status == 400
    assert [item["name"] for item in (await server.get("/flows?sort=-name")).data] == ["Orders", "Empty"]
    assert [item["name"] for item in (await server.get("/flows?filter[name]=Empty,Nothing")).data] == [
        "Empty"
    ]
    assert [item["id"] for item in (await server.get("/flows?filter[is_enabled]=false")).data] == [
        empty["id"]
    ]
    changed = (await server.put(f"/flows/{empty['id']}", json={"priority": 5})).data
    assert changed == {**empty, "priority": 5}


async def test_what_is_no_list_takes_no_filter_sort_or_include(sqlite_server: World) -> None:
    """A misspelt question is told everywhere; parameters of another kind are nobody's."""
    ids, key = await one_of_each(sqlite_server), sqlite_server.bearer("administrator")
    checked = 0
    for method, path, operation in document.of(sqlite_server.server.app).operations():
        names = {parameter["name"] for parameter in operation.get("parameters", ())}
        if method != "GET" or not path.startswith("/api/v1") or "page" in names:
            continue
        checked += 1
        for name in {"filter[status]", "filter[]", "sort", "include"} - names:
            answer = await sqlite_server.get(f"{fill(path, ids)}?{name}=id", key=key)
            assert (answer.status, "allowed: none here" in answer.json()["message"]) == (400, True), path
    assert checked > 8
    for asked in ("page=x&filter=1&anything=else", "sort=&include="):
        assert (await sqlite_server.get(f"/flows/{ids['flow']}?{asked}", key=key)).status == 200
    assert (await sqlite_server.get("/flows/1?sort=id", key=None)).status == 401


async def some_runs(server: World) -> Flow:
    """Five runs a minute apart, of which the last is queued."""
    flow = await server.flow(FILTER)
    for number in range(5):
        await flow.start([{"a": number}])
        if number < 4:
            await server.work()
        server.clock.advance(seconds=60)
    return flow


async def test_filters_of_runs(server: World) -> None:
    flow = await some_runs(server)
    started = [run.get("started_at") for run in (await server.get("/flow-runs?sort=id")).data]
    ids = [run["id"] for run in (await server.get("/flow-runs?sort=id")).data]
    third = started[2]
    millis = str(1772445600000 + 120_000)
    counts = {
        f"filter[flow_id]={flow.id}": 5,
        f"filter[flow_id]={flow.id + 1}": 0,
        f"filter[flow_version_id]={flow.version_id},999": 5,
        "filter[status]=success": 4,
        "filter[status]=2": 4,
        "filter[status]=0,3": 1,
        "filter[status]=queued,success": 5,
        "filter[status]=2&filter[trigger]=API": 4,
        "filter[trigger]=Webhook,Schedule": 0,
        f"filter[id]={ids[0]},{ids[1]},{ids[-1] + 1}": 2,
        "filter[has_warnings]=false": 5,
        "filter[has_warnings]=true": 0,
        f"filter[started_after]={third}": 2,
        f"filter[started_before]={third}": 2,
        f"filter[started_after]={third.lower()}": 2,
        f"filter[started_after]={third.replace('Z', '+00:00')}": 2,
        f"filter[started_after]={millis}": 2,
        f"filter[started_after]={millis}&filter[started_before]={int(millis) + 60_000}": 1,
    }
    for query, expected in counts.items():
        answer = (await server.get(f"/flow-runs?{query}")).json()
        assert (len(answer["data"]), answer["meta"]["total"]) == (expected, expected), query
    for query in (
        "filter[status]=9",
        "filter[trigger]=x",
        "filter[has_warnings]=maybe",
        "filter[started_after]=x",
        "filter[started_after]=2026-W10-1",
        "filter[flow_id]=x",
    ):
        assert (await server.get(f"/flow-runs?{query}")).status == 422, query
    newest_first = [run["id"] for run in (await server.get("/flow-runs")).data]
    assert newest_first == sorted(newest_first, reverse=True)
    assert [run["status"] for run in (await server.get("/scheduled-flows")).data] == [0]
    assert (await server.get("/flow-runs", key=OTHER_KEY)).data == []


@pytest.mark.parametrize("name", ["started_at", "finished_at"])
async def test_what_has_not_happened_sorts_before_what_has(server: World, name: str) -> None:
    """On both databases alike, so that the newest come first when the list is turned round."""
    await some_runs(server)
    await server.work()
    await (await server.flow(FILTER)).start([{"a": 9}])
    waiting = (await server.get("/flow-runs?filter[status]=queued")).data[0]["id"]
    for sort, place in ((name, 0), (f"-{name}", -1)):
        listed = [run["id"] for run in (await server.get(f"/flow-runs?sort={sort}")).data]
        assert listed[place] == waiting, (sort, listed)
        assert len(listed) == 6


@pytest.mark.parametrize("sort", ["-id", "id", None])
async def test_pages_by_cursor(server: World, sort: str | None) -> None:
    await some_runs(server)
    query: dict[str, Any] = {"per_page": 2, "filter[trigger]": "API"} | ({"sort": sort} if sort else {})
    everything = [
        run["id"] for run in (await server.get("/flow-runs", query={**query, "per_page": 100})).data
    ]
    seen: list[int] = []
    answer = (await server.get("/flow-runs", query=query)).json()
    seen += [run["id"] for run in answer["data"]]
    cursor = answer["meta"]["next_cursor"]
    answer = (await server.get("/flow-runs", query={**query, "cursor": cursor})).json()
    while True:
        seen += [run["id"] for run in answer["data"]]
        assert answer["meta"]["total"] == 5
        assert "filter%5Btrigger%5D=API" in answer["links"]["first"]
        if answer["links"]["next"] is None:
            break
        answer = (await server.get(answer["links"]["next"].removeprefix("http://flowloom.test"))).json()
    assert seen == everything
    assert len(seen) == 5


async def test_bad_cursors(sqlite_server: World) -> None:
    for cursor in ("x", "", "====", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "LTE=", "MQ==\0", "é"):
        answer = await sqlite_server.get("/flow-runs", query={"cursor": cursor})
        assert (answer.status, list(answer.json()["errors"])) == (422, ["cursor"]), cursor
    assert (await sqlite_server.get("/flow-runs?cursor=MQ==&sort=started_at")).status == 422
    assert (await sqlite_server.get("/flows?cursor=x")).status == 200


async def test_a_capped_total(sqlite_server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from flowloom.store import query

    await some_runs(sqlite_server)
    monkeypatch.setattr(query, "CAP", 3)
    query._count_statement.cache_clear()
    meta = (await sqlite_server.get("/flow-runs?per_page=1")).json()["meta"]
    assert (meta["total"], meta["total_is_capped"]) == (3, True)
    assert [len(await followed(sqlite_server, f"/api/v1/flow-runs?{asked}")) for asked in CAPPED] == [5, 5, 3]
    query._count_statement.cache_clear()


# By another order than that of ids nothing tells where a page ends, so it goes on to the cap only.
CAPPED = ("per_page=1", "per_page=2&sort=id", "per_page=1&sort=started_at")


async def followed(server: World, path: str) -> set[int]:
    """The ids of a list and of all that its links lead to next."""
    seen: set[int] = set()
    while path:
        answer = (await server.get(path)).json()
        assert not seen & {run["id"] for run in answer["data"]}
        seen |= {run["id"] for run in answer["data"]}
        path = (answer["links"]["next"] or "").removeprefix("http://flowloom.test")
    return seen


async def test_a_rate_limit(tmp_path: Any, sqlite_template: Any) -> None:
    import shutil

    from tests import world

    shutil.copy(sqlite_template, tmp_path / "flowloom.db")
    async with world.open_world(
        f"sqlite+pysqlite:///{tmp_path / 'flowloom.db'}", tmp_path, rate_limit=3
    ) as server:
        assert [(await server.get("/flows")).status for _ in range(4)] == [200, 200, 200, 429]
        assert int((await server.get("/flows")).headers["retry-after"]) >= 1
        assert (await server.get("/flows", key=OTHER_KEY)).status == 200
        server.clock.advance(seconds=60)
        assert (await server.get("/flows")).status == 200
