"""Dying while a retry does a run of another flow again: it is done again once, under the keys that it had."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from tests import remote as remotes
from tests.crash import process
from tests.crash.test_crash import Scene, settled
from tests.remote import Seen

pytestmark = pytest.mark.crash

SUCCESS, FAILURE = 2, 3


async def deployed(server: process.Server, name: str, *steps: dict[str, Any]) -> int:
    id: int = (await server.post("/flows", {"name": name, "is_enabled": True}))["data"]["id"]
    version = (await server.get(f"/flows/{id}/versions"))["data"][0]["id"]
    graph = f"/flow-versions/{version}/graph"
    parent = (await server.get(graph))["data"]["steps"][0]["id"]
    for step in steps:
        parent = (await server.post(f"{graph}/steps", {**step, "parent_id": parent}))["data"]["id"]
    now = {"deployed_at": datetime.now(UTC).isoformat()}
    await server.call("PUT", f"/api/v1/flows/{id}/versions/{version}", json=now)
    return id


@pytest.fixture
async def scene(database_url: str, tmp_path):
    async with remotes.serving() as remote:
        made = Scene(database_url, tmp_path, remote)
        async with made.serving() as server:
            made.key = await server.sign_in()
            child = await deployed(server, "Child", remote.send("/one"), remote.send("/two", retries=0))
            wait = {"microservice": "run-flow", "config": {"flow_id": child, "wait": True}}
            made.flow_id = await deployed(server, "Parent", wait, remote.send("/last"))
        yield made


async def failed(scene: Scene, server: process.Server) -> int:
    """A run that failed because of the child's second send."""

    async def refuse(seen: Seen) -> web.Response:
        return web.Response(status=400 if seen.path == "/two" else 200)

    scene.remote.answer = refuse
    started = await server.post(f"/flows/{scene.flow_id}/start/raw", {"n": 1})
    assert [run["status"] for run in await settled(server)] == [FAILURE, FAILURE]
    scene.remote.answer = remotes.accept
    id: int = started["flow_run_id"]
    return id


@pytest.mark.parametrize("point", ["child-started", "run-before-park", "run-parked", "journal-after-commit"])
async def test_dying_in_the_retry(scene: Scene, point: str):
    async with scene.serving() as server:
        id = await failed(scene, server)
    async with scene.serving(point) as server:
        asking = asyncio.ensure_future(server.post(f"/flow-runs/{id}/retry"))
        await server.dies()
        await asyncio.gather(asking, return_exceptions=True)
    async with scene.serving() as server:
        runs = await settled(server)
    assert sorted(run["status"] for run in runs) == [SUCCESS, SUCCESS, FAILURE, FAILURE]
    assert [len(scene.remote.keys(path)) for path in ("/one", "/last")] == [1, 1]
    assert len(set(scene.remote.keys("/two"))) == 1
