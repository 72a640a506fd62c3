"""Documents: what goes out comes back in, and what is wrong with one is named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from tests.world import NOW, Flow, World

from flowloom import errors
from flowloom.services import documents, exchange, schedules
from flowloom.services.actor import Actor, Role
from flowloom.store import definitions

ACTOR = Actor(1, Role.MANAGER, NOW)
OTHER = Actor(2, Role.MANAGER, NOW)
WHERE = {"field": "country", "operator": "equals", "value": "DE"}


async def branched(server: World) -> Flow:
    """Trigger, batch, then a route step with a filter on its second leg."""
    flow = await server.flow({"microservice": "batch", "name": "Tens", "config": {"size": 10}}, deploy=False)
    legs = {"routes": [{"name": "Home", "where": WHERE}, {"name": "Abroad"}]}
    route = await flow.add("route", config={"mode": "all", **legs})
    routes = (await server.get(f"{flow.graph}/steps/{route['id']}/routes")).data
    for number, leg in enumerate(reversed(routes)):
        await flow.add(
            "filter",
            parent_id=route["id"],
            flow_step_route_id=leg["id"],
            name=f"F{number}",
            config={"where": WHERE},
        )
    await server.post(f"/flow-versions/{flow.version_id}/schedules", json={"cron_string": "5 4 * * 1-5"})
    await server.put(f"/flow-versions/{flow.version_id}/variables", json={"variables": {"shop": "eu"}})
    return flow


async def export(server: World, flow_id: int, version_id: int | None = None) -> dict[str, Any]:
    database = server.platform.database
    found: dict[str, Any] = await database.read(exchange.export_flow, ACTOR, flow_id, version_id)
    return found


async def bring_in(
    server: World, document: dict[str, Any], name: str | None = None, actor: Actor = ACTOR
) -> dict[str, Any]:
    made: dict[str, Any] = await server.platform.database.write(exchange.import_flow, actor, document, name)
    return made


async def test_what_goes_out_comes_back_in(server: World) -> None:
    flow = await branched(server)
    document = await export(server, flow.id)
    assert document.keys() == {"format", "format_version", "flow", "definition", "schedules"}
    assert document["flow"] == {"name": "Orders", "description": "", "priority": 3, "labels": []}
    assert [one["cron_string"] for one in document["schedules"]] == ["5 4 * * 1-5"]
    made = await bring_in(server, document)
    assert (made["name"], made["is_enabled"]) == ("Orders", False)
    again = await export(server, made["id"])
    assert again == document
    version = (await server.get(f"/flows/{made['id']}/versions", query={"include": "schedules"})).data[0]
    assert (version["status"], version["message"]) == ("Draft", "Imported")
    assert version["content_hash"] == (await server.get(flow.path)).data["content_hash"]
    assert "next_run_at" not in version["schedules"][0]


async def test_the_limits_of_a_flow_go_with_it(server: World) -> None:
    flow = await server.flow(deploy=False)
    limits = {"concurrency": 4, "concurrency_key": "[[payload.id]]", "run_timeout_seconds": 90}
    assert not limits.keys() & (await export(server, flow.id))["flow"].keys()
    await server.put(f"/flows/{flow.id}", json=limits)
    document = await export(server, flow.id)
    assert {name: document["flow"][name] for name in limits} == limits
    made = await bring_in(server, document)
    assert {name: made[name] for name in limits} == limits
    document["flow"]["concurrency_key"] = "[[nothing]]"
    with pytest.raises(errors.Invalid) as caught:
        await bring_in(server, document)
    assert [*caught.value.errors] == ["flow.concurrency_key"]


async def test_steps_in_any_order_become_the_same_version(server: World) -> None:
    flow = await branched(server)
    document = await export(server, flow.id)
    document["definition"]["steps"].reverse()
    made = await bring_in(server, document, "Mirrored")
    version = (await server.get(f"/flows/{made['id']}/versions")).data[0]
    stored = await server.platform.database.read(definitions.define, version["id"])
    assert sorted(step.key for step in stored.steps) == sorted(
        step["key"] for step in document["definition"]["steps"]
    )
    kept = await server.platform.database.write(definitions.keep, version["id"])
    assert (made["name"], kept) == ("Mirrored", version["content_hash"])


async def test_the_deployed_version_goes_out_first_then_the_newest(server: World) -> None:
    flow = await server.flow({"microservice": "batch", "config": {"size": 10}})
    await server.post(f"{flow.path}/copy")
    assert len((await export(server, flow.id))["definition"]["steps"]) == 2
    draft = (await server.get(f"/flows/{flow.id}/versions", query={"sort": "-created_at"})).data[0]
    graph = (await server.get(f"/flow-versions/{draft['id']}/graph")).data
    await server.delete(f"/flow-versions/{draft['id']}/graph/steps/{graph['steps'][1]['id']}")
    assert len((await export(server, flow.id))["definition"]["steps"]) == 2
    assert len((await export(server, flow.id, draft["id"]))["definition"]["steps"]) == 1
    await server.put(flow.path, json={"deployed_at": None})
    assert len((await export(server, flow.id))["definition"]["steps"]) == 1


async def test_a_flow_without_a_version_or_of_another_company_does_not_go_out(server: World) -> None:
    flow = await server.flow(deploy=False)
    with pytest.raises(errors.Missing):
        await server.platform.database.read(exchange.export_flow, OTHER, flow.id)
    await server.delete(flow.path)
    with pytest.raises(errors.Invalid, match="no version to export"):
        await export(server, flow.id)


async def test_notification_groups_of_others_stay_outside(server: World) -> None:
    await server.post("/notification-groups", json={"name": "Ops", "channels": [{"type": "log"}]})
    config = {"group_id": 1, "subject": "Order"}
    flow = await server.flow({"microservice": "notify", "name": "Tell", "config": config})
    document = await export(server, flow.id)
    made = await server.platform.database.write(exchange.import_flow, OTHER, document)
    versions = (await server.get(f"/flows/{made['id']}/versions", key=server.other_key)).data
    assert versions[0]["message"] == 'Imported without its notification groups; choose them again in "Tell"'
    theirs = await server.platform.database.read(exchange.export_flow, OTHER, made["id"])
    assert theirs["definition"]["steps"][1]["config"] == {"subject": "Order"}


async def test_connections_of_others_stay_outside(server: World) -> None:
    await server.post("/connections", json={"name": "Shop", "base_url": "https://shop.example.com"})
    config = {"direction": "receive", "url": "/orders", "connection_id": 1}
    flow = await server.flow({"microservice": "connector", "name": "Get orders", "config": config})
    document = await export(server, flow.id)
    own = await export(server, (await bring_in(server, document))["id"])
    assert own["definition"] == document["definition"]
    made = await bring_in(server, document, actor=OTHER)
    versions = (await server.get(f"/flows/{made['id']}/versions", key=server.other_key)).data
    assert versions[0]["message"] == 'Imported without its connections; choose them again in "Get orders"'
    theirs = await server.platform.database.read(exchange.export_flow, OTHER, made["id"])
    assert "connection_id" not in theirs["definition"]["steps"][1]["config"]


async def test_a_refused_document_leaves_nothing(server: World) -> None:
    document = valid()
    document["schedules"] = [{"cron_string": "61 * * * *"}]
    with pytest.raises(errors.Invalid):
        await bring_in(server, document)
    assert (await server.get("/flows")).data == []


def valid() -> dict[str, Any]:
    return {
        "format": "flowloom.flow",
        "format_version": 1,
        "flow": {"name": "Orders"},
        "definition": {
            "steps": [
                {"key": "trigger", "microservice": "trigger", "name": "Trigger", "config": {}},
                {"key": "r", "microservice": "route", "name": "Route", "config": {}, "parent": "trigger"},
                {
                    "key": "b",
                    "microservice": "batch",
                    "name": "Tens",
                    "config": {"size": 10},
                    "parent": "r",
                    "route": "home",
                },
            ],
            "routes": [{"key": "home", "step": "r", "name": "Home", "where": WHERE}],
            "variables": {},
        },
        "schedules": [{"cron_string": "0 4 * * *"}],
    }


def step(number: int, **fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["definition"]["steps"][number].update(fields)


def route(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["definition"]["routes"][0].update(fields)


def twin_route(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["definition"]["routes"].append({"key": "twin", "step": "r", **fields})


def flow(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["flow"].update(fields)


def schedule(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["schedules"][0].update(fields)


def root(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.update(fields)


def test_the_document_below_is_valid() -> None:
    found = documents.read(valid())
    assert [one.key for one in found.definition.steps] == ["trigger", "r", "b"]
    assert found.schedules[0].overlap == "queue"


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        (root(format="n8n"), "format"),
        (root(format_version=2), "format_version"),
        (root(flow=[]), "flow"),
        (lambda document: document.pop("definition"), "definition"),
        (lambda document: document["flow"].pop("name"), "flow.name"),
        (flow(name=""), "flow.name"),
        (flow(name="n" * 256), "flow.name"),
        (flow(name=" "), "flow.name"),
        (flow(name="a\0b"), "document"),
        (flow(priority=9), "flow.priority"),
        (flow(labels=["a", 1]), "flow.labels.1"),
        (root(schedules=[{"cron_string": "0 4 * * *"}] * (schedules.MAX_SCHEDULES + 1)), "schedules"),
        (schedule(cron_string="0 0 31 2 *"), "schedules.0.cron_string"),
        (schedule(cron_string=5), "schedules.0.cron_string"),
        (schedule(timezone="Mars/Olympus"), "schedules.0.timezone"),
        (schedule(overlap="never"), "schedules.0.overlap"),
        (step(2, key=5), "definition.steps.2.key"),
        (step(2, key="r"), "definition.steps.2.key"),
        (step(2, key="a b"), "definition.steps.2.key"),
        (step(2, name=""), "definition.steps.2.name"),
        (step(2, microservice="shell"), "definition.steps.2.microservice"),
        (step(2, config=[]), "definition.steps.2.config"),
        (step(2, config={"size": 0}), "definition.steps.2.config.size"),
        (step(2, config={"sze": 1}), "definition.steps.2.config.sze"),
        (step(2, variables={"a b": 1}), "definition.steps.2.variables.a b"),
        (step(2, position={"x": "left"}), "definition.steps.2.position"),
        (step(2, position={"foo": 1}), "definition.steps.2.position"),
        (step(2, variables={"a": "[[foo.bar]]"}), "definition.steps.2.variables.a"),
        (step(2, parent="nobody", route=None), "definition.steps.2.parent"),
        (step(2, route="nowhere"), "definition.steps.2.route"),
        (step(2, parent="trigger"), "definition.steps.2.route"),
        (step(1, parent="b"), "definition.steps.1.parent"),
        (step(1, parent="r"), "definition.steps.1.parent"),
        (step(0, microservice="batch"), "definition.steps"),
        (step(1, microservice="trigger"), "definition.steps"),
        (step(0, parent="b"), "definition.steps"),
        (route(step="nobody"), "definition.steps.2.route"),
        (route(step="b"), "definition.steps.2.route"),
        (route(name=""), "definition.routes.0.name"),
        (route(name=" \t"), "definition.routes.0.name"),
        (twin_route(name="Home"), "definition.routes.1.name"),
        (twin_route(name=" Home "), "definition.routes.1.name"),
        (route(where={"field": "a", "operator": "is"}), "definition.routes.0.where.operator"),
    ],
)
def test_what_is_wrong_is_named(spoil: Callable[[dict[str, Any]], None], field: str) -> None:
    document = copy.deepcopy(valid())
    spoil(document)
    with pytest.raises(errors.Invalid) as caught:
        documents.read(document)
    assert list(caught.value.errors) == [field]


def test_routes_belong_to_steps_that_have_some() -> None:
    document = valid()
    document["definition"]["steps"].pop()
    for owner in ("trigger", "nobody"):
        document["definition"]["routes"][0]["step"] = owner
        with pytest.raises(errors.Invalid) as caught:
            documents.read(document)
        assert list(caught.value.errors) == ["definition.routes.0.step"]


def test_a_backslash_before_zeros_is_no_nul() -> None:
    document = valid()
    document["flow"]["description"] = "\\u0000"
    assert documents.read(document).flow.description == "\\u0000"


def test_a_document_has_a_thousand_steps_at_most() -> None:
    document = valid()
    more = [
        {
            "key": f"b{number}",
            "microservice": "batch",
            "name": "B",
            "config": {"size": 1},
            "parent": "trigger",
        }
        for number in range(998)
    ]
    document["definition"]["steps"] += more[:-1]
    documents.read(document)
    document["definition"]["steps"].append(more[-1])
    with pytest.raises(errors.Invalid, match="at most 1000 steps"):
        documents.read(document)


def test_a_thousand_steps_in_a_row_are_no_trouble() -> None:
    document = valid()
    for number in range(997):
        parent = f"b{number - 1}" if number else "trigger"
        document["definition"]["steps"].append(
            {
                "key": f"b{number}",
                "microservice": "batch",
                "name": "B",
                "config": {"size": 1},
                "parent": parent,
            }
        )
    assert documents.read(document).definition.steps[-1].key in ("b996", "b")


def test_an_object_of_a_document_has_a_thousand_keys_at_most() -> None:
    wide = {f"key{number}": 1 for number in range(1001)}
    for place, field in (
        ("config", "definition.steps.2.config"),
        ("variables", "definition.steps.2.variables"),
    ):
        document = copy.deepcopy(valid())
        document["definition"]["steps"][2][place] = wide
        with pytest.raises(errors.Invalid, match="at most 1,000 keys") as caught:
            documents.read(document)
        assert list(caught.value.errors) == [field]
