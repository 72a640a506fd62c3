"""The 13 operations of the published contract, in every state they can be in.

Each answer here is held against the contract by the world's client; these tests say which answer it is.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from tests.contract import contract
from tests.world import OTHER_KEY, Flow, World

BAD_IDS = ["0", "-1", "abc", str(2**63), str(2**70), "1.0", "%31%20", "١", "9" * 400]
INCLUDES = ["savedByUser", "deployedByUser", "steps", "runs", "latestRun", "schedules", "filters", "variables"]
FILTER = {"microservice": "filter", "config": {"where": {"field": "a", "operator": "equals", "value": 1}}}


async def flow_in(server: World, status: str) -> Flow:
    """A flow whose version is in this state."""
    flow = await server.flow(FILTER, deploy=status != "Draft")
    if status == "Inactive":
        await server.put(flow.path, json={"deployed_at": None})
    return flow


def operation_paths(flow: object, version: object, step: object, schedule: object) -> list[tuple[str, str]]:
    """The 13 operations with these ids in their paths."""
    ids = {"flow": flow, "version": version, "flow_version": version, "step": step, "schedule": schedule}
    return [(method, template.format(**ids)) for method, template in contract.operations()]


BODIES: dict[str, Any] = {"POST": {"cron_string": "0 1 * * *"}, "PUT": {}, "PATCH": {}}


def test_there_are_thirteen() -> None:
    assert len(contract.operations()) == 13


async def test_an_id_that_is_none_is_missing(sqlite_server: World) -> None:
    flow = await flow_in(sqlite_server, "Draft")
    token = await sqlite_server.token("administrator")
    for id, where in itertools.product(BAD_IDS, range(4)):
        ids: list[object] = [flow.id, flow.version_id, flow.last_step_id, 1]
        ids[where] = id
        for method, path in operation_paths(*ids):
            if f"/{id}" in path:
                answer = await sqlite_server.request(method, path, json=BODIES.get(method), key=token)
                assert answer.status == 404, (method, path, answer.body)


async def test_records_of_another_company_and_another_flow_are_missing(server: World) -> None:
    flow, other = await flow_in(server, "Draft"), await flow_in(server, "Draft")
    schedule = (
        await server.post(f"/flow-versions/{flow.version_id}/schedules", json={"cron_string": "* * * * *"})
    ).data
    for method, path in operation_paths(flow.id, flow.version_id, flow.last_step_id, schedule["id"]):
        answer = await server.request(method, path, json=BODIES.get(method), key=OTHER_KEY)
        assert answer.status == (403 if path.endswith("/upload") else 404), (method, path)
    crossed = [
        *(
            entry
            for entry in operation_paths(other.id, flow.version_id, 1, 1)
            if f"/versions/{flow.version_id}" in entry[1]
        ),
        ("PUT", f"/flow-versions/{other.version_id}/schedules/{schedule['id']}"),
        ("DELETE", f"/flow-versions/{other.version_id}/schedules/{schedule['id']}"),
        ("PATCH", f"/flow-versions/{other.version_id}/graph/steps/{flow.last_step_id}"),
    ]
    for method, path in crossed:
        answer = await server.request(method, path, json=BODIES.get(method))
        assert answer.status == 404, (method, path)
    assert (await server.get(flow.path)).data["status"] == "Draft"


async def test_deleted_records_are_missing(server: World) -> None:
    flow = await flow_in(server, "Draft")
    assert (await server.delete(flow.path)).status == 200
    for method, path in operation_paths(flow.id, flow.version_id, flow.last_step_id, 1):
        if str(flow.version_id) in path.split("/")[5:] or "flow-versions" in path:
            token = await server.token("administrator")
            answer = await server.request(method, path, json=BODIES.get(method), key=token)
            assert answer.status == 404, (method, path, answer.body)
    assert (await server.get(f"/flows/{flow.id}/versions")).data == []


async def test_an_empty_list_has_its_meta_and_links(server: World) -> None:
    flow = await flow_in(server, "Draft")
    for path in (f"/flow-versions/{flow.version_id}/schedules", f"/flows/{flow.id}/version-metrics"):
        answer = (await server.get(path)).json()
        where = f"http://flowloom.test/api/v1{path}"
        assert answer == {
            "data": [],
            "meta": {
                "current_page": 1, "from": None, "last_page": 1, "path": where, "per_page": 15, "to": None, "total": 0,
            },
            "links": {"first": f"{where}?page=1", "last": f"{where}?page=1", "prev": None, "next": None},
        }  # fmt: skip


async def make_versions(server: World, count: int) -> Flow:
    flow = await flow_in(server, "Deployed")
    for _ in range(count - 1):
        await server.post(f"{flow.path}/copy")
        newest = (await server.get(f"/flows/{flow.id}/versions?sort=-created_at&per_page=1")).data[0]
        await server.put(
            f"/flows/{flow.id}/versions/{newest['id']}", json={"deployed_at": "2026-03-01T00:00:00Z"}
        )
        server.clock.advance(seconds=1)
    return flow


async def test_pages_of_versions(server: World) -> None:
    flow = await make_versions(server, 7)
    path = f"/flows/{flow.id}/versions"
    for sort, order in (("", 1), ("created_at", 1), ("-created_at", -1)):
        seen: list[int] = []
        for page in (1, 2, 3, 4):
            query = {"per_page": 3, "page": page, "include": "steps"} | ({"sort": sort} if sort else {})
            answer = (await server.get(path, query=query)).json()
            seen += [version["iteration"] for version in answer["data"]]
            meta, links = answer["meta"], answer["links"]
            assert (meta["current_page"], meta["last_page"], meta["per_page"], meta["total"]) == (
                page,
                3,
                3,
                7,
            )
            assert (meta["from"], meta["to"]) == {1: (1, 3), 2: (4, 6), 3: (7, 7)}.get(page, (None, None))
            assert (links["prev"] is None, links["next"] is None) == (page == 1, page >= 3)
            for name, number in (("first", 1), ("last", 3), ("next", page + 1), ("prev", page - 1)):
                if links[name]:
                    assert f"page={number}" in links[name].split("?")[1].split("&"), (name, links)
                    assert "per_page=3" in links[name]
                    assert "include=steps" in links[name]
                    assert ("sort=" in links[name]) == bool(sort)
        assert seen == list(range(1, 8))[::order]
    followed = (await server.get(answer["links"]["prev"].removeprefix("http://flowloom.test"))).json()
    assert followed["meta"]["current_page"] == 3


@pytest.mark.parametrize("what", ["versions", "version-metrics", "schedules"])
async def test_pages_out_of_bounds(sqlite_server: World, what: str) -> None:
    flow = await flow_in(sqlite_server, "Draft")
    path = f"/flow-versions/{flow.version_id}/{what}" if what == "schedules" else f"/flows/{flow.id}/{what}"
    for per_page, meant in ((250, 100), (100, 100), (1, 1), (10**9, 100)):
        assert (await sqlite_server.get(path, query={"per_page": per_page})).json()["meta"][
            "per_page"
        ] == meant
    for name in ("page", "per_page"):
        for value in ("0", "-1", "x", "", "1.5", "1e3", str(2**70), "٣", " 1", "1\0"):
            answer = await sqlite_server.get(path, query={name: value})
            assert answer.status == 422, (name, value, answer.body)
            assert list(answer.json()["errors"]) == [name]
    assert (await sqlite_server.get(path, query={"page": 10**17})).data == []


@pytest.mark.parametrize("what", ["versions", "version-metrics", "schedules"])
async def test_unknown_names_in_a_query(sqlite_server: World, what: str) -> None:
    flow = await flow_in(sqlite_server, "Draft")
    path = f"/flow-versions/{flow.version_id}/{what}" if what == "schedules" else f"/flows/{flow.id}/{what}"
    asked = (
        "include=nope",
        "include=steps,nope",
        "sort=nope",
        "sort=--id",
        "filter[nope]=1",
        "filter[]=",
        "filter[x][y]=1",
    )
    for query in asked:
        answer = await sqlite_server.get(f"{path}?{query}")
        assert answer.status == 400, (query, answer.body)
        assert "allowed: " in answer.json()["message"]
    assert (await sqlite_server.get(path, query={"anything": "else"})).status == 200


async def test_includes_each_and_all(server: World) -> None:
    flow = await server.flow(FILTER, deploy=False)
    await server.post(f"/flow-versions/{flow.version_id}/schedules", json={"cron_string": "0 5 * * *"})
    token = await server.token("manager")
    await server.put(
        f"/flow-versions/{flow.version_id}/variables", json={"variables": {"shop": "nl"}}, key=token
    )
    await server.put(flow.path, json={"deployed_at": "2026-03-01T00:00:00Z"}, key=token)
    await flow.run([{"a": 1}])
    plain = (await server.get(flow.path)).data
    keys = {name: "".join(f"_{c.lower()}" if c.isupper() else c for c in name) for name in INCLUDES}
    for asked in (*INCLUDES, ",".join(INCLUDES)):
        for path in (flow.path, f"/flows/{flow.id}/versions"):
            found = (await server.get(path, query={"include": asked})).data
            version = found[0] if isinstance(found, list) else found
            assert version.keys() - plain.keys() == {keys[name] for name in asked.split(",")}, asked
    assert [step["microservice"] for step in version["steps"]] == ["trigger", "filter"]
    assert version["saved_by_user"]["role"] == version["deployed_by_user"]["role"] == "manager"
    assert version["latest_run"] == version["runs"][0]
    assert version["runs"][0]["status"] == 2
    assert version["schedules"][0]["cron_string"] == "0 5 * * *"
    assert version["variables"] == {"shop": "nl"}
    assert version["filters"][0]["where"] == FILTER["config"]["where"]  # type: ignore[index]


async def test_create(server: World) -> None:
    flow = await flow_in(server, "Draft")
    again = await server.post(f"/flows/{flow.id}/versions")
    assert (again.status, list(again.json()["errors"])) == (422, ["flow"])
    await flow.deploy()
    for body, headers in ((b"", {}), (b"not json", {"content-type": "text/plain"}), (b"[]", {})):
        made = (await server.post(f"/flows/{flow.id}/versions", body=body, headers=headers)).data
        assert (made["status"], made["steps_count"], made["is_editable"]) == ("Draft", 1, True)
        steps = (await server.get(f"/flow-versions/{made['id']}/graph")).data["steps"]
        assert [step["microservice"] for step in steps] == ["trigger"]
        await server.delete(f"/flows/{flow.id}/versions/{made['id']}")
    assert made["iteration"] == 4


async def test_deploy_and_undeploy(server: World) -> None:
    flow = await flow_in(server, "Draft")
    before = (await server.get(flow.path)).data
    assert "deployed_at" not in before
    for body in (b"", b"{}", b'{"other": 1}', b" "):
        assert (await server.put(flow.path, body=body)).data == before
    assert (await server.put(flow.path, json={"deployed_at": None})).data == before
    deployed = (await server.put(flow.path, json={"deployed_at": "2026-03-02T09:00:00+01:00", "id": 7})).data
    assert (deployed["status"], deployed["deployed_at"]) == ("Deployed", "2026-03-02T08:00:00.000000Z")
    server.clock.advance(seconds=60)
    assert (await server.put(flow.path, json={"deployed_at": "2026-03-02T10:00:30Z"})).data == deployed
    draft = (await server.post(f"{flow.path}/copy")).data
    other = f"/flows/{flow.id}/versions/{draft['id']}"
    await server.put(other, json={"deployed_at": "2026-03-02T10:00:00Z"})
    first, second = (await server.get(f"/flows/{flow.id}/versions")).data
    assert (first["status"], second["status"]) == ("Inactive", "Deployed")
    inactive = (await server.put(other, json={"deployed_at": None})).data
    assert (inactive["status"], inactive["is_deployed"]) == ("Inactive", False)
    assert (await server.put(other, json={"deployed_at": None})).data == inactive
    assert (await server.put(flow.path, json={"deployed_at": "2026-03-02T10:00:00Z"})).data[
        "status"
    ] == "Deployed"


async def test_deploying_ahead_of_time(sqlite_server: World) -> None:
    flow, now = await flow_in(sqlite_server, "Draft"), sqlite_server.clock.now
    late = await sqlite_server.put(
        flow.path, json={"deployed_at": (now + timedelta(minutes=5, seconds=1)).isoformat()}
    )
    assert (late.status, list(late.json()["errors"])) == (422, ["deployed_at"])
    for bad in (
        "soon",
        "",
        1,
        1.5,
        True,
        [],
        {},
        "2026-13-01T00:00:00Z",
        "2026-03-02T10:00:00Z\0",
        "0001-01-01T00:00:00+14:00",
    ):
        answer = await sqlite_server.put(flow.path, json={"deployed_at": bad})
        assert (answer.status, list(answer.json()["errors"])) == (422, ["deployed_at"]), bad
    assert (await sqlite_server.get(flow.path)).data["status"] == "Draft"
    near = (now + timedelta(minutes=5)).isoformat()
    assert (await sqlite_server.put(flow.path, json={"deployed_at": near})).data["status"] == "Deployed"


async def test_deploying_checks_the_whole_graph(server: World) -> None:
    flow = await flow_in(server, "Draft")
    route = await flow.add("route", config={"mode": "all"})
    connector = {"direction": "send", "method": "POST", "url": "https://x.test/{{nobody}}"}
    await server.patch(f"{flow.graph}/steps/{flow.last_step_id}", json={"name": "Ways"})
    send = await server.post(
        f"{flow.graph}/steps",
        json={"microservice": "connector", "parent_id": route["id"], "config": connector},
    )
    batch = (
        await server.post(f"{flow.graph}/steps", json={"microservice": "batch", "parent_id": send.data["id"]})
    ).data
    assert "config.size" in batch["problems"]
    answer = await flow.world.put(flow.path, json={"deployed_at": "2026-03-02T10:00:00Z"})
    found = answer.json()["errors"]
    assert answer.status == 422
    assert f"steps.{route['id']}.routes" in found
    assert "nobody" in found[f"steps.{send.data['id']}.url"][0] or "nobody" in str(found)
    assert f"steps.{batch['id']}.config.size" in found
    assert '"Ways"' in found[f"steps.{route['id']}.routes"][0]
    assert (await server.get(flow.path)).data["status"] == "Draft"


async def test_delete(server: World) -> None:
    for status in ("Draft", "Inactive"):
        flow = await flow_in(server, status)
        assert "deleted" in (await server.delete(flow.path)).json()["message"]
        assert (await server.delete(flow.path)).status == 404
    flow = await flow_in(server, "Deployed")
    await flow.run([{"a": 1}])
    refused = await server.delete(flow.path)
    assert refused.status == 403
    assert "undeploy" in refused.json()["message"]
    metrics = (await server.get(f"/flows/{flow.id}/version-metrics")).data
    assert metrics
    await server.put(flow.path, json={"deployed_at": None})
    assert (await server.delete(flow.path)).status == 200
    assert (await server.get(f"/flows/{flow.id}/version-metrics")).data == metrics
    assert (await server.get("/flow-runs", query={"filter[flow_version_id]": flow.version_id})).json()[
        "meta"
    ]["total"] == 1


async def test_a_run_ends_on_the_definition_it_started_with(server: World) -> None:
    flow = await flow_in(server, "Deployed")
    id = await flow.start([{"a": 1}])
    await server.put(flow.path, json={"deployed_at": None})
    assert (await server.delete(flow.path)).status == 200
    await server.work()
    run = (await server.get(f"/flow-runs/{id}")).data
    assert (run["status"], run["flow_version_id"], run["iteration"]) == (2, flow.version_id, 1)


async def test_copy(server: World) -> None:
    flow = await server.flow(deploy=False)
    route = {"mode": "first", "routes": [{"name": "a", "where": FILTER["config"]["where"]}, {"name": "rest"}]}  # type: ignore[index]
    way = await flow.add("route", config=route)
    routes = (await server.get(f"{flow.graph}/steps/{way['id']}/routes")).data
    sent = {
        "microservice": "batch",
        "config": {"size": 2},
        "parent_id": way["id"],
        "flow_step_route_id": routes[1]["id"],
    }
    assert (await server.post(f"{flow.graph}/steps", json=sent)).status == 200
    await server.put(f"/flow-versions/{flow.version_id}/variables", json={"variables": {"n": 1}})
    await server.post(
        f"/flow-versions/{flow.version_id}/schedules",
        json={"cron_string": "*/5 * * * *", "timezone": "Asia/Tokyo"},
    )
    assert (await server.post(f"{flow.path}/copy")).status == 422
    await flow.deploy()
    source = (await server.get(flow.path)).data
    for _ in range(2):
        copied = (await server.post(f"{flow.path}/copy")).data
        assert (copied["status"], copied["content_hash"]) == ("Draft", source["content_hash"])
    assert copied["iteration"] == 3
    assert [version["iteration"] for version in (await server.get(f"/flows/{flow.id}/versions")).data] == [
        1,
        3,
    ]
    assert await content_of(server, copied["id"]) == await content_of(server, flow.version_id)
    draft = f"/flow-versions/{copied['id']}/graph"
    step = (await server.get(draft)).data["steps"][0]
    assert (await server.patch(f"{draft}/steps/{step['id']}", json={"name": "Begin"})).status == 200
    assert (await server.get(flow.path)).data == source


async def content_of(server: World, version_id: int) -> Any:
    """Everything of a version but its ids and times, and what refers to them by position."""
    graph = (await server.get(f"/flow-versions/{version_id}/graph")).data
    steps = {step["id"]: number for number, step in enumerate(graph["steps"])}
    routes = {route["id"]: number for number, route in enumerate(graph["routes"])}
    schedules = (await server.get(f"/flow-versions/{version_id}/schedules")).data
    return (
        [
            {**step, "id": 0, "flow_version_id": 0, "parent_id": steps.get(step.get("parent_id")),
             "flow_step_route_id": routes.get(step.get("flow_step_route_id"))}
            for step in graph["steps"]
        ],
        [{**route, "id": 0, "flow_step_id": steps[route["flow_step_id"]]} for route in graph["routes"]],
        [(one["cron_string"], one["timezone"]) for one in schedules],
        (await server.get(f"/flow-versions/{version_id}/variables")).data,
    )  # fmt: skip


async def test_schedules(server: World) -> None:
    flow = await flow_in(server, "Draft")
    path = f"/flow-versions/{flow.version_id}/schedules"
    made = (
        await server.post(path, json={"cron_string": " 0  6 * * 1-5 ", "deployed_at": None, "other": 1})
    ).data
    assert (made["cron_string"], made["flow_version_id"]) == ("0 6 * * 1-5", str(flow.version_id))
    assert "next_run_at" not in made
    server.clock.advance(seconds=1)
    for body in (b"", b"{}", b'{"deployed_at": "2026-03-02T10:00:00Z", "x": [1]}'):
        assert (await server.put(f"{path}/{made['id']}", body=body)).data == made
    changed = (await server.put(f"{path}/{made['id']}", json={"timezone": "Europe/Amsterdam"})).data
    assert (changed["cron_string"], changed["timezone"]) == ("0 6 * * 1-5", "Europe/Amsterdam")
    listed = (
        await server.get(path, query={"include": "flowVersion", "filter[flow_version_id]": flow.version_id})
    ).data
    assert listed[0]["flow_version"]["id"] == flow.version_id
    assert (await server.get(path, query={"filter[flow_version_id]": f"{flow.version_id + 1}"})).data == []
    assert (await server.get(path, query={"filter[flow_version_id]": "x"})).status == 422
    assert (await server.delete(f"{path}/{made['id']}")).status == 200
    assert (await server.delete(f"{path}/{made['id']}")).status == 404


BAD_CRONS = [
    "",
    "@daily",
    "* * * *",
    "* * * * * *",
    "0 0 0 ? * * *",
    "61 * * * *",
    "a b c d e",
    "* * * * *\0",
    "* 24 * * *",
    "x" * 5000,
]


async def test_bad_schedules(sqlite_server: World) -> None:
    flow = await flow_in(sqlite_server, "Draft")
    path = f"/flow-versions/{flow.version_id}/schedules"
    made = (await sqlite_server.post(path, json={"cron_string": "* * * * *"})).data
    for cron in [*BAD_CRONS, 5, None, [], {}, True]:
        for method, where in (("POST", path), ("PUT", f"{path}/{made['id']}")):
            answer = await sqlite_server.request(method, where, json={"cron_string": cron})
            if method == "PUT" and cron is None:
                assert answer.data == made
                continue
            assert (answer.status, list(answer.json()["errors"])) == (422, ["cron_string"]), cron
    assert "cron_string" in (await sqlite_server.post(path, body=b"")).json()["errors"]
    bad = {"timezone": ["Mars/Base", "", "../etc/passwd", 1, "x" * 9999], "overlap": ["never", 1], "catch_up": ["some"],
           "jitter_seconds": [-1, 3601, 1.5, "5", 2**70], "dst_gap": ["x"], "dst_repeat": ["x"]}  # fmt: skip
    for field, values in bad.items():
        for value in values:
            answer = await sqlite_server.post(path, json={"cron_string": "* * * * *", field: value})
            assert (answer.status, list(answer.json()["errors"])) == (422, [field]), (field, value)
    assert (await sqlite_server.get(path)).json()["meta"]["total"] == 1


@pytest.mark.parametrize("status", ["Inactive", "Deployed"])
async def test_a_locked_version_never_changes(server: World, status: str) -> None:
    flow = await server.flow(FILTER, deploy=False)
    path = f"/flow-versions/{flow.version_id}/schedules"
    schedule = (await server.post(path, json={"cron_string": "0 1 * * *"})).data
    way = await flow.add("route", config={"mode": "all", "routes": [{"name": "a"}]})
    route = (await server.get(f"{flow.graph}/steps/{way['id']}/routes")).data[0]
    await flow.deploy()
    if status == "Inactive":
        await server.put(flow.path, json={"deployed_at": None})
    before = await content_of(server, flow.version_id), (await server.get(flow.path)).data
    step = f"{flow.graph}/steps/{way['id']}"
    refused = [
        ("POST", path, {"cron_string": "* * * * *"}, 403),
        ("PUT", f"{path}/{schedule['id']}", {"cron_string": "* * * * *"}, 403),
        ("PUT", f"{path}/{schedule['id']}", {}, 403),
        ("DELETE", f"{path}/{schedule['id']}", None, 403),
        ("PATCH", step, {"name": "New"}, 422),
        ("PATCH", step, {}, 422),
        (
            "POST",
            f"{flow.graph}/steps",
            {"microservice": "batch", "parent_id": way["id"], "config": {"size": 1}},
            403,
        ),
        ("DELETE", step, None, 403),
        ("POST", f"{step}/routes", {"name": "b"}, 403),
        ("PUT", f"{step}/routes/{route['id']}", {"name": "b"}, 403),
        ("DELETE", f"{step}/routes/{route['id']}", None, 403),
        ("PUT", f"/flow-versions/{flow.version_id}/variables", {"variables": {}}, 403),
    ]
    for method, where, body, expected in refused:
        answer = await server.request(method, where, json=body)
        assert answer.status == expected, (method, where, body, answer.body)
        assert "copy it to a draft" in answer.json()["message"]
    assert (await content_of(server, flow.version_id), (await server.get(flow.path)).data) == before


async def test_changing_a_step(server: World) -> None:
    flow = await flow_in(server, "Draft")
    [trigger, step] = (await server.get(flow.graph)).data["steps"]
    where = f"{flow.graph}/steps/{step['id']}"
    for body in (b"", b"{}"):
        assert (await server.patch(where, body=body)).data == step
    unchanged = (await server.get(flow.path)).data["content_hash"]
    assert (await server.patch(where, json=step)).data == step
    assert (await server.get(flow.path)).data["content_hash"] == unchanged
    sent = {
        "name": "Paid",
        "position": {"x": 1, "y": 2.5},
        "is_enabled": False,
        "variables": {"a": [1, None]},
    }
    changed = (await server.patch(where, json=sent)).data
    assert {name: changed[name] for name in sent} == sent
    assert changed["config"] == step["config"]
    assert (await server.get(flow.path)).data["content_hash"] != unchanged
    emptied = (await server.patch(where, json={"config": {}})).data
    assert emptied["config"] == {}
    assert emptied["problems"]


BAD_CHANGES: list[dict[str, Any]] = [
    {"nope": 1}, {"name": ""}, {"name": 1}, {"name": None}, {"name": "x" * 256}, {"name": "a\0b"}, {"config": None},
    {"config": []}, {"config": "x"}, {"config": {"nope": 1}}, {"config": {"where": {"field": "a", "operator": "nope"}}},
    {"config": {"where": {"field": "a", "operator": "matches", "value": "("}}}, {"position": {"x": 1}}, {"position": [1, 2]},
    {"position": {"x": "1", "y": 1}}, {"position": {"x": 1e10, "y": 1}}, {"position": {"x": 1, "y": 1, "z": 1}},
    {"parent_id": None}, {"parent_id": 0}, {"parent_id": "1"}, {"parent_id": 999}, {"parent_id": 2**70},
    {"parent_id": True}, {"flow_step_route_id": 999}, {"flow_step_route_id": 2**63}, {"variables": []}, {"variables": None},
    {"variables": {"a b": 1}}, {"is_enabled": 1}, {"is_enabled": None}, {"is_enabled": "true"},
]  # fmt: skip


async def test_a_bad_change_of_a_step(sqlite_server: World) -> None:
    flow = await flow_in(sqlite_server, "Draft")
    before = (await sqlite_server.get(flow.graph)).data
    for change in BAD_CHANGES:
        sent = {"is_enabled": False, **change}
        answer = await sqlite_server.patch(f"{flow.graph}/steps/{flow.last_step_id}", json=sent)
        assert answer.status == 422, (change, answer.body)
        assert {name.split(".")[0] for name in answer.json()["errors"]} == set(change), change
        assert (await sqlite_server.get(flow.graph)).data == before


async def test_moving_a_step(server: World) -> None:
    flow, other = await server.flow(FILTER, FILTER, deploy=False), await flow_in(server, "Draft")
    trigger, first, second = (await server.get(flow.graph)).data["steps"]
    foreign = (await server.get(other.graph)).data["steps"][1]
    for step, parent in ((first, first), (first, second), (second, foreign), (trigger, first)):
        answer = await server.patch(f"{flow.graph}/steps/{step['id']}", json={"parent_id": parent["id"]})
        assert (answer.status, list(answer.json()["errors"])) == (422, ["parent_id"])
    moved = (await server.patch(f"{flow.graph}/steps/{second['id']}", json={"parent_id": trigger["id"]})).data
    assert moved["parent_id"] == trigger["id"]


async def test_upload(server: World) -> None:
    administrator, manager = await server.token("administrator"), await server.token("manager")
    for status in ("Draft", "Inactive"):
        flow = await flow_in(server, status)
        assert (
            await server.post(f"/flow-versions/{flow.version_id}/upload", json={}, key=administrator)
        ).status == 422
    flow = await flow_in(server, "Deployed")
    path = f"/flow-versions/{flow.version_id}/upload"
    for key in (server.key, manager):
        assert (await server.post(path, json={"private": "true"}, key=key)).status == 403
    for number, body in enumerate(
        ({}, {"private": "true"}, {"private": "1"}, {"private": True}, {"other": 1}), 1
    ):
        answer = await server.post(path, json=body, key=administrator)
        if body.get("private") is True:
            assert answer.status in (200, 422)
            continue
        assert answer.data["private"] is True, body
    assert number == 5
    for bad in ("false", "0", "maybe", "", 3, None, []):
        answer = await server.post(path, json={"private": bad}, key=administrator)
        assert answer.status == 422 or bad is None, bad
    first, second = [(await server.post(path, body=b"", key=administrator)).data for _ in range(2)]
    assert second["version"] == first["version"] + 1
    assert second["marketplace_app_id"] == first["marketplace_app_id"]


async def test_metrics(server: World) -> None:
    flow = await flow_in(server, "Deployed")
    for _ in range(3):
        await flow.run([{"a": 1}])
    path = f"/flows/{flow.id}/version-metrics"
    for folded in (False, True):
        if folded:
            await server.server.rollup.tick(server.clock.now)
        for interval in ("minute", "hour", "day", "week", "month"):
            query = {"filter[interval]": interval, "filter[type]": "runs", "filter[key]": "success"}
            [metric] = (await server.get(path, query=query)).data
            assert (metric["value"], metric["interval"], metric["flow_version_id"]) == (
                3,
                interval,
                flow.version_id,
            )
            assert (await server.get(path, query=query)).data == [metric]
    everything = (await server.get(path, query={"per_page": 100})).data
    assert len({metric["id"] for metric in everything}) == len(everything)
    either = (await server.get(path, query={"filter[key]": "p50,p95,p99"})).data
    assert [metric["key"] for metric in either] == ["p50", "p95", "p99"]
    begin = everything[0]["starts_at"]
    assert (await server.get(path, query={"filter[from]": begin, "per_page": 100})).data == everything
    assert (await server.get(path, query={"filter[to]": begin})).data == []
    for name, bad in (
        ("interval", "year"),
        ("type", "x"),
        ("from", "x"),
        ("to", "1e3"),
        ("flow_version_id", "x"),
    ):
        assert (await server.get(path, query={f"filter[{name}]": bad})).status == 422, name


async def test_wrong_methods_have_an_allow_header(sqlite_server: World) -> None:
    flow = await flow_in(sqlite_server, "Draft")
    for path in {path for _, path in operation_paths(flow.id, flow.version_id, 1, 1)}:
        answer = await sqlite_server.request("PROPFIND", path)
        assert answer.status == 405
        known = {method for method, other in operation_paths(flow.id, flow.version_id, 1, 1) if other == path}
        assert known <= set(answer.headers["allow"].split(", ")), (path, answer.headers["allow"])
