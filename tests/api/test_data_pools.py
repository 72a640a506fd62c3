"""Data pools over HTTP: what they take, and what is in them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world import World


async def test_a_pool_is_made_changed_listed_and_deleted(server: World) -> None:
    made = (await server.post("/data-pools", json={"name": " orders ", "description": "Seen"})).data
    assert made == {
        "id": 1,
        "name": "orders",
        "description": "Seen",
        "created_at": "2026-03-02T10:00:00.000000Z",
        "updated_at": "2026-03-02T10:00:00.000000Z",
    }
    assert (await server.get("/data-pools", query={"filter[name]": "orders"})).data == [made]
    changed = await server.put("/data-pools/1", json={"name": "sales"})
    assert changed.data == {**made, "name": "sales"}
    assert (await server.post("/data-pools/1/entries", json={"keys": ["a"]})).status == 200
    assert (await server.delete("/data-pools/1")).status == 200
    assert (await server.get("/data-pools/1")).status == 404


async def test_names_are_taken_once_in_a_company(server: World) -> None:
    for name in ("a", "b"):
        await server.post("/data-pools", json={"name": name})
    for method, path in (("POST", "/data-pools"), ("PUT", "/data-pools/2")):
        answer = await server.request(method, path, json={"name": "a"})
        assert (answer.status, answer.json()["errors"]) == (
            422,
            {"name": ["There is a data pool 'a' already; choose another name."]},
        )
    assert (await server.post("/data-pools", json={"name": "a"}, key=server.other_key)).status == 200


async def test_keys_are_put_in_found_and_taken_out(server: World) -> None:
    await server.post("/data-pools", json={"name": "orders"})
    entries = "/data-pools/1/entries"
    assert (await server.post(entries, json={"keys": ["a", "b", "a"]})).data == {"added": 2}
    assert (await server.post(entries, json={"keys": ["b", "c"]})).data == {"added": 1}
    [found] = (await server.get(entries, query={"filter[key]": "b"})).data
    assert (found["key"], found["state"]) == ("b", "permanent")
    assert (await server.delete(f"{entries}/{found['id']}")).status == 200
    assert (await server.delete(f"{entries}/{found['id']}")).status == 404
    assert [one["key"] for one in (await server.get(entries)).data] == ["a", "c"]
    assert (await server.delete(entries)).status == 200
    assert (await server.get(entries)).data == []


async def test_a_key_that_a_run_holds_is_there_for_good_when_it_is_put_in(server: World) -> None:
    await server.post("/data-pools", json={"name": "orders"})
    config = {"pool": "orders", "key": "id"}
    flow = await server.flow(
        {"microservice": "de-dupe", "config": config}, {"microservice": "delay", "config": {"seconds": 9}}
    )
    id = await flow.start({"id": "a"})
    await server.work()
    assert (await server.get("/data-pools/1/entries")).data[0]["flow_run_id"] == id
    assert (await server.post("/data-pools/1/entries", json={"keys": ["a"]})).data == {"added": 1}
    await server.post(f"/flow-runs/{id}/stop")
    [entry] = (await server.get("/data-pools/1/entries")).data
    assert (entry["state"], "flow_run_id" in entry) == ("permanent", False)


async def test_a_pool_in_use_stays(server: World) -> None:
    await server.post("/data-pools", json={"name": 'the "best" 100%_'})
    config = {"pool": 'the "best" 100%_', "key": "id"}
    flow = await server.flow({"microservice": "de-dupe", "config": config})
    answer = await server.delete("/data-pools/1")
    assert (answer.status, list(answer.json()["errors"])) == (422, ["data_pool"])
    assert f'version 1 of flow {flow.id} "Orders"' in answer.json()["message"]
    answer = await server.put("/data-pools/1", json={"name": "other"})
    assert (answer.status, list(answer.json()["errors"])) == (422, ["name"])
    await server.put(flow.path, json={"deployed_at": None})
    assert (await server.delete("/data-pools/1")).status == 200


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/data-pools", {}, "name"),
        ("/data-pools", {"name": "x" * 101}, "name"),
        ("/data-pools", {"name": " "}, "name"),
        ("/data-pools", {"name": "a", "description": "x" * 10_001}, "description"),
        ("/data-pools/1/entries", {"keys": []}, "keys"),
        ("/data-pools/1/entries", {"keys": [""]}, "keys.0"),
        ("/data-pools/1/entries", {"keys": ["a", "x" * 256]}, "keys.1"),
        ("/data-pools/1/entries", {"keys": [1]}, "keys.0"),
        ("/data-pools/1/entries", {"keys": ["a"] * 1001}, "keys"),
        ("/data-pools/1/entries", {"keys": ["a\0"]}, "keys.0"),
    ],
)
async def test_bad_input(sqlite_server: World, path: str, body: dict[str, Any], field: str) -> None:
    await sqlite_server.post("/data-pools", json={"name": "orders"})
    answer = await sqlite_server.post(path, json=body)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])
