"""The contract's edits of a version: its schedules and its steps, while it is a Draft and after."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.states import FILTER, content_of, flow_in
from tests.world import World

from flowloom.services import schedules


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


async def test_what_is_wrong_comes_before_what_is_locked(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad input is told as such whatever the version's state: it would be wrong in a Draft too."""
    flow = await server.flow(FILTER, deploy=False)
    way = await flow.add("route", config={"mode": "all", "routes": [{"name": "a"}, {"name": "b"}]})
    routes = f"{flow.graph}/steps/{way['id']}/routes"
    first = (await server.get(routes)).data[0]
    schedules_path = f"/flow-versions/{flow.version_id}/schedules"
    await server.post(schedules_path, json={"cron_string": "0 5 * * *"})
    await flow.deploy()
    new = {"microservice": "batch", "config": {"size": 1}, "parent_id": way["id"]}
    wrong = [
        ("POST", f"{flow.graph}/steps", {**new, "parent_id": 999_999}, "parent_id"),
        ("POST", f"{flow.graph}/steps", {**new, "microservice": "trigger", "config": {}}, "microservice"),
        ("POST", f"{flow.graph}/steps", {**new, "flow_step_route_id": 999_999}, "flow_step_route_id"),
        ("POST", routes, {"name": "a"}, "name"),
        ("POST", f"{flow.graph}/steps/{way['parent_id']}/routes", {"name": "c"}, "step"),
        ("PUT", f"{routes}/{first['id']}", {"name": "b"}, "name"),
        ("POST", schedules_path, {"cron_string": "0 6 * * *"}, "flow_version_id"),
    ]
    monkeypatch.setattr(schedules, "MAX_SCHEDULES", 1)
    for method, path, body, field in wrong:
        answer = await server.request(method, path, json=body)
        assert (answer.status, list(answer.json().get("errors", ()))) == (422, [field]), (method, path, body)


async def test_changing_a_step(server: World) -> None:
    flow = await flow_in(server, "Draft")
    step = (await server.get(flow.graph)).data["steps"][1]
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
    {"nope": 1}, {"name": ""}, {"name": 1}, {"name": None}, {"name": "x" * 256}, {"name": "a\0b"},
    {"config": None},
    {"config": []}, {"config": "x"}, {"config": {"nope": 1}},
    {"config": {"where": {"field": "a", "operator": "nope"}}},
    {"config": {"where": {"field": "a", "operator": "matches", "value": "("}}}, {"position": {"x": 1}},
    {"position": [1, 2]},
    {"position": {"x": "1", "y": 1}}, {"position": {"x": 1e10, "y": 1}}, {"position": {"x": 1, "y": 1, "z": 1}},
    {"parent_id": None}, {"parent_id": 0}, {"parent_id": "1"}, {"parent_id": 999}, {"parent_id": 2**70},
    {"parent_id": True}, {"flow_step_route_id": 999}, {"flow_step_route_id": 2**63}, {"variables": []},
    {"variables": None},
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


HALF_FILLED: list[tuple[str, dict[str, Any], set[str]]] = [
    ("filter", {}, {"where"}),
    ("filter", {"where": {}}, {"where.field", "where.operator"}),
    ("filter", {"where": {"field": "a"}}, {"where.operator"}),
    ("filter", {"where": {"field": "a", "value": "{{x}}"}}, {"where.operator"}),
    ("filter", {"where": {"operator": "equals", "value": 1}}, {"where.field"}),
    ("filter", {"where": {"field": "a", "operator": "equals"}}, {"where.value"}),
    ("filter", {"where": {"operator": "is_empty"}}, {"where.field"}),
    ("filter", {"where": {"any": [{"field": "a", "operator": "is_empty"}, {"field": "b"}, {"not": [{}]}]}},
     {"where.any.1.operator", "where.any.2.not.0.field", "where.any.2.not.0.operator"}),
    ("map", {}, {"rules"}),
    ("map", {"rules": [{"target": "a"}]}, {"rules.0"}),
    ("map", {"rules": [{"target": "a", "value": 1}, {"target": "c", "transforms": [{"name": "upper"}]}]}, {"rules.1"}),
    ("map", {"rules": [{"target": "a", "value": 1, "transforms": [{"name": "replace"}, {}]}, {"target": "c"}]},
     {"rules.0.transforms.0.find", "rules.0.transforms.1.name", "rules.1"}),
    ("map", {"rules": [{"source": "b"}]}, {"rules.0.target"}),
]  # fmt: skip


@pytest.mark.parametrize(("microservice", "config", "missing"), HALF_FILLED)
async def test_a_half_filled_step_is_saved_and_not_deployed(
    sqlite_server: World, microservice: str, config: dict[str, Any], missing: set[str]
) -> None:
    """Whoever draws a flow saves as he goes; what is missing stands in the step's problems."""
    flow = await sqlite_server.flow(deploy=False)
    made = await flow.add(microservice, config=config)
    assert (made["config"], made["problems"].keys()) == (config, {f"config.{place}" for place in missing})
    where = f"{flow.graph}/steps/{made['id']}"
    assert (await sqlite_server.patch(where, json={"config": config})).data == made
    refused = await sqlite_server.put(flow.path, json={"deployed_at": "2026-03-02T10:00:00Z"})
    assert refused.status == 422
    assert refused.json()["errors"].keys() == {f"steps.{made['id']}.config.{place}" for place in missing}


WRONG_AND_HALF_FILLED: list[tuple[str, dict[str, Any], str]] = [
    ("filter", {"where": {"operator": "nope"}}, "where.operator"),
    ("filter", {"where": {"operator": None}}, "where.operator"),
    ("filter", {"where": {"field": 1}}, "where.field"),
    ("filter", {"where": {"field": "a..b"}}, "where.field"),
    ("filter", {"where": {"value": "[[foo.bar]]"}}, "where.value"),
    ("filter", {"where": {"operator": "matches", "value": "("}}, "where.value"),
    ("filter", {"where": {"all": [{}, {"field": "a", "operator": "in", "value": 1}]}}, "where.all.1.value"),
    ("filter", {"where": {"all": [{"fild": "a"}]}}, "where.all.0.fild"),
    ("filter", {"where": {"all": {}}}, "where.all"),
    ("map", {"rules": [{"target": "*"}]}, "rules.0.target"),
    ("map", {"rules": [{"target": "a"}, {"target": "b", "source": "c", "value": 1}]}, "rules.1"),
    ("map", {"rules": [{"target": "a", "transforms": [{"name": "nope"}]}]}, "rules.0.transforms.0.name"),
    ("map", {"rules": [{"target": "a", "source": None}]}, "rules.0.source"),
    (
        "map",
        {"rules": [{"target": "a", "value": 1, "transforms": [{"name": "prefix"}]}, {"target": ""}]},
        "rules.1.target",
    ),
]


@pytest.mark.parametrize(("microservice", "config", "wrong"), WRONG_AND_HALF_FILLED)
async def test_what_is_wrong_is_refused_though_more_is_missing(
    sqlite_server: World, microservice: str, config: dict[str, Any], wrong: str
) -> None:
    flow = await sqlite_server.flow(deploy=False)
    sent = {"microservice": microservice, "config": config, "parent_id": flow.last_step_id or 1}
    answer = await sqlite_server.post(f"{flow.graph}/steps", json=sent)
    assert (answer.status, list(answer.json()["errors"])) == (422, [f"config.{wrong}"])


async def test_moving_a_step(server: World) -> None:
    flow, other = await server.flow(FILTER, FILTER, deploy=False), await flow_in(server, "Draft")
    trigger, first, second = (await server.get(flow.graph)).data["steps"]
    foreign = (await server.get(other.graph)).data["steps"][1]
    for step, parent in ((first, first), (first, second), (second, foreign), (trigger, first)):
        answer = await server.patch(f"{flow.graph}/steps/{step['id']}", json={"parent_id": parent["id"]})
        assert (answer.status, list(answer.json()["errors"])) == (422, ["parent_id"])
    moved = (await server.patch(f"{flow.graph}/steps/{second['id']}", json={"parent_id": trigger["id"]})).data
    assert moved["parent_id"] == trigger["id"]


@pytest.mark.parametrize("name", ["", "  ", "\t\n", "x" * 256, 5, None])
async def test_a_route_in_a_config_needs_a_name(sqlite_server: World, name: Any) -> None:
    flow = await flow_in(sqlite_server, "Draft")
    config = {"mode": "all", "routes": [{"name": "a"}, {"name": name}]}
    sent = {"microservice": "route", "parent_id": flow.last_step_id, "config": config}
    answer = await sqlite_server.post(f"{flow.graph}/steps", json=sent)
    assert (answer.status, list(answer.json()["errors"])) == (422, ["config.routes.1.name"])


async def test_the_names_of_routes_in_a_config_are_trimmed_and_differ(sqlite_server: World) -> None:
    flow = await flow_in(sqlite_server, "Draft")
    step = await flow.add("route", config={"mode": "all", "routes": [{"name": " a "}, {"name": "b"}]})
    path = f"{flow.graph}/steps/{step['id']}"
    before = (await sqlite_server.get(f"{path}/routes")).data
    assert [route["name"] for route in before] == ["a", "b"]
    config = {"mode": "all", "routes": [{"name": "a"}, {"name": "a "}]}
    assert (await sqlite_server.patch(path, json={"config": config})).status == 422
    config = {"mode": "all", "routes": [{"name": "a"}, {"name": " b"}]}
    assert (await sqlite_server.patch(path, json={"config": config})).status == 200
    assert (await sqlite_server.get(f"{path}/routes")).data == before


async def test_label_and_message_of_a_deployed_version_change_and_what_runs_does_not(server: World) -> None:
    flow = await server.flow()
    before = (await server.get(flow.path)).data
    named = (await server.put(flow.path, json={"label": "1.0", "message": "First release"})).data
    assert (named["label"], named["message"], named["status"]) == ("1.0", "First release", "Deployed")
    assert named["content_hash"] == before["content_hash"]
    assert "label" not in (await server.put(flow.path, json={"label": None})).data
    assert (await server.put(flow.path, json={"message": 7})).status == 422
    done = (await server.put(flow.path, json={"message": "Taken back", "deployed_at": None})).data
    assert (done["message"], done["status"]) == ("Taken back", "Inactive")
