"""The private marketplace: upload, list, install."""

from __future__ import annotations

from typing import Any

import pytest
from tests.asgi import Answer
from tests.world import Flow, World

BATCH = {"microservice": "batch", "name": "Tens", "config": {"size": 10}}


async def upload(server: World, flow: Flow, key: str | None = None, **sent: Any) -> Answer:
    key = key or await server.token("administrator")
    return await server.post(f"/flow-versions/{flow.version_id}/upload", key=key, **({"json": {}} | sent))


async def test_a_deployed_version_becomes_an_app(server: World) -> None:
    flow = await server.flow(BATCH, description="All of them")
    made = (await upload(server, flow)).data
    assert made == {
        "marketplace_app_id": 1,
        "version": 1,
        "private": True,
        "flow_id": flow.id,
        "flow_version_id": flow.version_id,
        "iteration": 1,
        "name": "Orders",
        "created_at": "2026-03-02T10:00:00.000000Z",
    }
    app = (await server.get("/marketplace-apps/1", key=await server.token("read-only"))).data
    assert app.pop("versions") == [
        {"version": 1, "iteration": 1, "uploaded_by": 4, "created_at": made["created_at"]}
    ]
    assert app["description"] == "All of them"
    assert (await server.get("/marketplace-apps")).data == [app]


async def test_uploading_again_makes_the_next_version(server: World) -> None:
    flow = await server.flow(BATCH)
    await upload(server, flow)
    await server.put(f"/flows/{flow.id}", json={"name": "Renamed"})
    again = (await upload(server, flow)).data
    assert (again["marketplace_app_id"], again["version"], again["name"]) == (1, 2, "Renamed")
    app = (await server.get("/marketplace-apps/1")).data
    assert (app["latest_version"], [one["version"] for one in app["versions"]]) == (2, [2, 1])
    other = await server.flow(BATCH)
    assert (await upload(server, other)).data["marketplace_app_id"] == 2


@pytest.mark.parametrize("private", ["true", "1", True])
async def test_private_is_what_an_app_is(server: World, private: object) -> None:
    assert (await upload(server, await server.flow(), json={"private": private})).data["private"] is True


@pytest.mark.parametrize("private", ["false", "0", False, "yes", "", 1, 0, None, [], "TRUE"])
async def test_any_other_private_is_refused(server: World, private: object) -> None:
    answer = await upload(server, await server.flow(), json={"private": private})
    assert (answer.status, list(answer.json()["errors"])) == (422, ["private"])


async def test_no_body_is_private_too(server: World) -> None:
    assert (await upload(server, await server.flow(), json=None)).status == 200


async def test_only_a_deployed_version_can_be_uploaded(server: World) -> None:
    flow = await server.flow(BATCH, deploy=False)
    answer = await upload(server, flow)
    assert (answer.status, list(answer.json()["errors"])) == (422, ["version"])
    await flow.deploy()
    await server.put(flow.path, json={"deployed_at": None})
    assert (await upload(server, flow)).status == 422


async def test_only_an_administrator_with_a_token_uploads(server: World) -> None:
    flow = await server.flow()
    for key in (server.key, server.other_key, await server.token("manager")):
        assert (await upload(server, flow, key=key)).status == 403
    key = await server.token("administrator")
    assert (await server.post("/flow-versions/999/upload", json={}, key=key)).status == 404


async def test_an_installed_app_is_a_disabled_flow_with_a_draft(server: World) -> None:
    flow = await server.flow(BATCH, priority=2, labels=["shop"])
    await upload(server, flow)
    made = (await server.post("/marketplace-apps/1/install")).data
    assert made["id"] != flow.id
    assert (made["name"], made["is_enabled"], made["priority"], made["labels"]) == (
        "Orders",
        False,
        2,
        ["shop"],
    )
    version = (await server.get(f"/flows/{made['id']}/versions", query={"include": "steps"})).data[0]
    assert (version["status"], version["message"]) == ("Draft", "Imported")
    assert [(step["key"], step["name"], step["config"]) for step in version["steps"]][1][1:] == (
        "Tens",
        {"size": 10},
    )
    original = (await server.get(flow.path)).data
    assert version["content_hash"] == original["content_hash"]
    named = (await server.post("/marketplace-apps/1/install", json={"name": "Mine"})).data
    assert named["name"] == "Mine"


async def test_an_older_version_of_an_app_can_be_installed(server: World) -> None:
    flow = await server.flow(BATCH)
    await upload(server, flow)
    await server.put(f"/flows/{flow.id}", json={"name": "Renamed"})
    await upload(server, flow)
    older = await server.post("/marketplace-apps/1/install", json={"version": 1})
    assert older.data["name"] == "Orders"
    refused = await server.post("/marketplace-apps/1/install", json={"version": 3})
    assert (refused.status, list(refused.json()["errors"])) == (422, ["version"])


async def test_an_app_outlives_its_flow(server: World) -> None:
    flow = await server.flow(BATCH)
    await upload(server, flow)
    await server.put(flow.path, json={"deployed_at": None})
    await server.delete(f"/flows/{flow.id}")
    assert (await server.post("/marketplace-apps/1/install")).status == 200


async def test_apps_belong_to_their_company(server: World) -> None:
    await upload(server, await server.flow())
    other = {"key": server.other_key}
    assert (await server.get("/marketplace-apps", **other)).data == []
    assert (await server.get("/marketplace-apps/1", **other)).status == 404
    assert (await server.post("/marketplace-apps/1/install", **other)).status == 404
    user = await server.token("user")
    assert (await server.post("/marketplace-apps/1/install", key=user)).status == 403
