"""The 13 operations of the published contract, in every state they can be in.

Each answer here is held against the contract by the world's client; these tests say which answer it is.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from tests.contract import contract
from tests.contract.states import FILTER, content_of, flow_in
from tests.world import OTHER_KEY, World

BAD_IDS = ["0", "-1", "abc", str(2**63), str(2**70), "1.0", "%31%20", "١", "9" * 400]


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
        "2026-W05-1",
        "20260131",
        "20260131T100000Z",
        "2026-01-31X10:00:00Z",
        "2026-01-31T10:00:61Z",
    ):
        answer = await sqlite_server.put(flow.path, json={"deployed_at": bad})
        assert (answer.status, list(answer.json()["errors"])) == (422, ["deployed_at"]), bad
    assert (await sqlite_server.get(flow.path)).data["status"] == "Draft"
    near = (now + timedelta(minutes=5)).isoformat()
    assert (await sqlite_server.put(flow.path, json={"deployed_at": near})).data["status"] == "Deployed"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-02t09:00:00z", "2026-03-02T09:00:00.000000Z"),
        ("2026-03-02T08:59:60Z", "2026-03-02T08:59:59.000000Z"),
        ("2026-03-02 09:00:00.5+01:00", "2026-03-02T08:00:00.500000Z"),
        ("2026-03-02T09:00:00.123456789-00:30", "2026-03-02T09:30:00.123456Z"),
        ("2026-03-02T09:00", "2026-03-02T09:00:00.000000Z"),
        ("2026-03-02", "2026-03-02T00:00:00.000000Z"),
    ],
)
async def test_how_a_time_may_be_written(sqlite_server: World, written: str, meant: str) -> None:
    flow = await flow_in(sqlite_server, "Draft")
    answer = await sqlite_server.put(flow.path, json={"deployed_at": written})
    assert (answer.status, answer.data["deployed_at"]) == (200, meant)


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
    assert "nobody" in found[f"steps.{send.data['id']}.config.url"][0]
    assert f"steps.{batch['id']}.config.size" in found
    assert '"Ways"' in found[f"steps.{route['id']}.routes"][0]
    assert (await server.get(flow.path)).data["status"] == "Draft"


@pytest.mark.parametrize(
    ("variables", "where", "field"),
    [
        ({}, {"field": "x", "operator": "equals", "value": "{{nobody}}"}, "routes.{route}.where"),
        ({"x": "{{nobody}}"}, None, "variables"),
        ({"x": "[[foo.bar]]"}, None, "variables.x"),
        ({"x": ["{{a b}}"]}, None, "variables.x.0"),
    ],
)
async def test_deploying_checks_conditions_of_routes_and_variables_of_steps(
    server: World, variables: dict[str, Any], where: Any, field: str
) -> None:
    flow = await flow_in(server, "Draft")
    made = await flow.add("route", config={"mode": "all", "routes": [{"name": "a", "where": where}]})
    step = f"{flow.graph}/steps/{made['id']}"
    saved = await server.patch(step, json={"variables": variables})
    answer = saved
    if saved.status == 200:
        answer = await server.put(flow.path, json={"deployed_at": "2026-03-02T10:00:00Z"})
    assert answer.status == 422, answer.body
    [key] = {route["key"] for route in (await server.get(flow.graph)).data["routes"]}
    assert [name for name in answer.json()["errors"] if name.endswith(field.format(route=key))]


def _set(name: str, value: str = "[[payload.a]]") -> dict[str, Any]:
    return {"microservice": "set-variables", "config": {"variables": {name: value}}}


USE = {"microservice": "manual-payload", "config": {"body": {"a": "{{shop}}"}}}


@pytest.mark.parametrize(
    ("steps", "faulty"),
    [
        ([_set("shop"), FILTER, USE], None),
        ([_set("shop"), _set("shop", "{{shop}}")], None),
        ([_set("shop", "{{shop}}")], 0),
        ([USE, _set("shop")], 0),
        ([{**_set("shop"), "is_enabled": False}, USE], 1),
        ([_set("store"), USE], 1),
    ],
)
async def test_a_variable_is_known_below_the_step_that_sets_it(
    sqlite_server: World, steps: list[dict[str, Any]], faulty: int | None
) -> None:
    flow = await sqlite_server.flow(*steps, deploy=False)
    ids = [step["id"] for step in (await sqlite_server.get(flow.graph)).data["steps"][1:]]
    answer = await sqlite_server.put(flow.path, json={"deployed_at": "2026-03-02T10:00:00Z"})
    assert answer.status == (200 if faulty is None else 422), answer.body
    if faulty is not None:
        [name] = answer.json()["errors"]
        assert name.startswith(f"steps.{ids[faulty]}.config.")
        await sqlite_server.put(
            f"/flow-versions/{flow.version_id}/variables", json={"variables": {"shop": 1}}
        )
        await flow.deploy()
        assert (await sqlite_server.get(flow.path)).data["status"] == "Deployed"


async def test_a_variable_that_one_leg_sets_is_not_known_on_another(sqlite_server: World) -> None:
    flow = await sqlite_server.flow(deploy=False)
    way = await flow.add("route", config={"mode": "all", "routes": [{"name": "a"}, {"name": "b"}]})
    first, second = (await sqlite_server.get(f"{flow.graph}/steps/{way['id']}/routes")).data
    await flow.add(**_set("shop"), parent_id=way["id"], flow_step_route_id=first["id"])
    below = await flow.add(**USE)
    beside = await flow.add(**USE, parent_id=way["id"], flow_step_route_id=second["id"])
    answer = await sqlite_server.put(flow.path, json={"deployed_at": "2026-03-02T10:00:00Z"})
    assert list(answer.json()["errors"]) == [f"steps.{beside['id']}.config.body"], below


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
    assert (await server.post(f"/flows/{flow.id}/versions")).data["iteration"] == 2
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
    for body in ({}, {"private": "true"}, {"private": "1"}, {"other": 1}):
        assert (await server.post(path, json=body, key=administrator)).data["private"] is True, body
    for bad in ("false", "0", "maybe", "", 3, []):
        answer = await server.post(path, json={"private": bad}, key=administrator)
        assert (answer.status, list(answer.json()["errors"])) == (422, ["private"]), bad
    first, second = [(await server.post(path, body=b"", key=administrator)).data for _ in range(2)]
    assert second["version"] == first["version"] + 1
    assert second["marketplace_app_id"] == first["marketplace_app_id"]


async def test_wrong_methods_have_an_allow_header(sqlite_server: World) -> None:
    flow = await flow_in(sqlite_server, "Draft")
    for path in {path for _, path in operation_paths(flow.id, flow.version_id, 1, 1)}:
        answer = await sqlite_server.request("PROPFIND", path)
        assert answer.status == 405
        known = {method for method, other in operation_paths(flow.id, flow.version_id, 1, 1) if other == path}
        assert known <= set(answer.headers["allow"].split(", ")), (path, answer.headers["allow"])
