"""Flows found by part of their name and by label, and flows as documents over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world import World

BATCH = {"microservice": "batch", "name": "Tens", "config": {"size": 10}}


async def names(server: World, **filters: str) -> list[str]:
    query = {f"filter[{name}]": value for name, value in filters.items()}
    return [flow["name"] for flow in (await server.get("/flows", query=query)).data]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("orders", ["Orders in", "All ORDERS"]),
        ("s i", ["Orders in"]),
        ("%", ["100%_~"]),
        ("0%_", ["100%_~"]),
        ("_~", ["100%_~"]),
        ("o_d", []),
        ("in,all", []),
    ],
)
async def test_a_part_of_the_name_finds_a_flow(server: World, search: str, found: list[str]) -> None:
    for name in ("Orders in", "All ORDERS", "100%_~"):
        await server.post("/flows", json={"name": name})
    assert await names(server, search=search) == found


async def test_a_label_finds_the_flows_that_have_it_whole(server: World) -> None:
    for name, labels in (("A", ["shop", 'a "b"']), ("B", ["workshop"]), ("C", ["Shop"]), ("D", ["grün"])):
        await server.post("/flows", json={"name": name, "labels": labels})
    assert await names(server, label="shop") == ["A", "C"]
    assert await names(server, label='a "b"') == ["A"]
    assert await names(server, label="b") == []
    assert await names(server, label="grün") == ["D"]
    assert await names(server, label="shop", search="c") == ["C"]


async def test_an_export_is_imported_as_a_disabled_draft(server: World) -> None:
    flow = await server.flow(BATCH, labels=["shop"])
    exported = await server.get(f"/flows/{flow.id}/export", key=await server.token("read-only"))
    assert exported.headers["content-disposition"] == f'attachment; filename="flow-{flow.id}.json"'
    made = (await server.post("/flows/import", json=exported.json())).data
    assert (made["name"], made["labels"], made["is_enabled"]) == ("Orders", ["shop"], False)
    [version] = (await server.get(f"/flows/{made['id']}/versions")).data
    assert (version["status"], version["steps_count"]) == ("Draft", 2)


async def test_a_duplicate_is_called_a_copy(server: World) -> None:
    flow = await server.flow(BATCH)
    made = (await server.post(f"/flows/{flow.id}/duplicate")).data
    assert (made["name"], made["is_enabled"]) == ("Copy of Orders", False)
    assert made["id"] != flow.id
    await server.put(f"/flows/{flow.id}", json={"name": "x" * 255})
    assert len((await server.post(f"/flows/{flow.id}/duplicate")).data["name"]) == 255
    assert (await server.post(f"/flows/{flow.id}/duplicate", key=server.other_key)).status == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": "other"}, "format"),
        ({"format_version": 9}, "format_version"),
        ({"flow": {"name": ""}}, "flow.name"),
        ({"definition": {"steps": [], "routes": [], "variables": {}}}, "definition.steps"),
        ({"schedules": [{"cron_string": "* * * *"}]}, "schedules.0.cron_string"),
    ],
)
async def test_what_is_wrong_with_a_document_is_named(
    server: World, change: dict[str, Any], field: str
) -> None:
    flow = await server.flow(BATCH)
    document = (await server.get(f"/flows/{flow.id}/export")).json()
    answer = await server.post("/flows/import", json=document | change)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])
    assert len((await server.get("/flows")).data) == 1


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ({"microservice": "shell"}, "definition.steps.1.microservice"),
        ({"config": {"size": "ten"}}, "definition.steps.1.config.size"),
    ],
)
async def test_what_is_wrong_with_a_step_is_named(server: World, step: dict[str, Any], field: str) -> None:
    flow = await server.flow(BATCH)
    document = (await server.get(f"/flows/{flow.id}/export")).json()
    document["definition"]["steps"][1] |= step
    answer = await server.post("/flows/import", json=document)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])


async def test_only_managers_bring_flows_in(server: World) -> None:
    flow, key = await server.flow(BATCH), await server.token("user")
    document = (await server.get(f"/flows/{flow.id}/export", key=key)).json()
    assert (await server.post("/flows/import", json=document, key=key)).status == 403
    assert (await server.post(f"/flows/{flow.id}/duplicate", key=key)).status == 403
