"""Dying at every named point, on a flow that passes them all, and keeping the promises after the restart.

Webhook, receive of a large page, a run of another flow that is awaited, a try-catch in which some payloads fail, a
delay, a last send.
"""

from __future__ import annotations

import ast
import asyncio
import base64
import os
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import create_engine, func, select
from tests import remote as remotes
from tests.architecture import sources
from tests.crash import process
from tests.crash.test_crash import Scene, settled
from tests.remote import Seen

from flowloom.engine import faults
from flowloom.store import tables

pytestmark = pytest.mark.crash

SUCCESS, PARTIAL = 2, 5
ELSEWHERE = {"schedules-fired", "rows-pruned", "notification-delivered", "keys-claimed"}
# Noise is not compressed, so each page is larger than what is kept inline.
NOISE = base64.b64encode(random.Random(7).randbytes(100_000)).decode()


def is_bad(number: int) -> bool:
    return number % 4 == 3


async def answer(seen: Seen) -> web.Response:
    if seen.path == "/page":
        return web.json_response({"n": int(seen.query["n"]), "noise": NOISE})
    if seen.path == "/shop" and is_bad(seen.body["n"]):
        return web.Response(status=422)
    return web.Response()


async def draw(scene: Scene) -> None:
    """Draw and deploy the child, then the flow, and give it a webhook."""
    async with scene.serving() as server:
        scene.key = await server.sign_in()
        small = {"n": "[[payload.n]]"}
        child = await _flow(server, "Child", [scene.remote.send("/child", body=small)])
        flow = await server.post("/flows", {"name": "Orders", "is_enabled": True})
        scene.flow_id = flow["data"]["id"]
        version = (await server.get(f"/flows/{scene.flow_id}/versions"))["data"][0]
        graph = f"/flow-versions/{version['id']}/graph"
        receive = scene.remote.receive("/page?n=[[payload.n]]")
        parent = await _add(server, graph, receive, (await server.get(graph))["data"]["steps"][0]["id"])
        wait = {"microservice": "run-flow", "config": {"flow_id": child, "wait": True}}
        parent = await _add(server, graph, wait, parent)
        guard = await _add(server, graph, {"microservice": "try-catch"}, parent)
        tried, caught = (await server.get(f"{graph}/steps/{guard}/routes"))["data"]
        shop = scene.remote.send("/shop", body=small, retries=0)
        shop = await _add(server, graph, shop, guard, flow_step_route_id=tried["id"])
        delay = await _add(server, graph, {"microservice": "delay", "config": {"seconds": 0.1}}, shop)
        await _add(server, graph, scene.remote.send("/last", body=small), delay)
        bad = scene.remote.send("/bad", body=small)
        await _add(server, graph, bad, guard, flow_step_route_id=caught["id"])
        await _deploy(server, scene.flow_id, version["id"])
        hook = (await server.post(f"/flows/{scene.flow_id}/webhooks", {"name": "Orders"}))["data"]["url"]
        scene.hook = f"/webhooks/{hook.partition('/webhooks/')[2]}"


async def _flow(server: process.Server, name: str, steps: list[dict[str, Any]]) -> int:
    id: int = (await server.post("/flows", {"name": name, "is_enabled": True}))["data"]["id"]
    version = (await server.get(f"/flows/{id}/versions"))["data"][0]
    graph = f"/flow-versions/{version['id']}/graph"
    parent = (await server.get(graph))["data"]["steps"][0]["id"]
    for step in steps:
        parent = await _add(server, graph, step, parent)
    await _deploy(server, id, version["id"])
    return id


async def _add(server: process.Server, graph: str, step: dict[str, Any], parent: int, **where: Any) -> int:
    made: int = (await server.post(f"{graph}/steps", {**step, "parent_id": parent, **where}))["data"]["id"]
    return made


async def _deploy(server: process.Server, flow_id: int, version_id: int) -> None:
    path = f"/api/v1/flows/{flow_id}/versions/{version_id}"
    await server.call("PUT", path, json={"deployed_at": datetime.now(UTC).isoformat()})


async def check(scene: Scene, server: process.Server) -> None:
    """The promises of the design, from outside."""
    runs = {run["id"]: run for run in await settled(server)}
    for id, number in scene.acknowledged.items():
        assert runs[id]["status"] == (PARTIAL if is_bad(number) else SUCCESS), runs[id]
    taken: dict[tuple[str, int], set[str | None]] = defaultdict(set)
    for seen in scene.remote.seen:
        if seen.content and seen.path != "/page":
            taken[seen.path, seen.body["n"]].add(seen.key)
    acknowledged = set(scene.acknowledged.values())
    good, bad = {n for n in acknowledged if not is_bad(n)}, {n for n in acknowledged if is_bad(n)}
    for path, numbers in (("/child", acknowledged), ("/shop", acknowledged), ("/last", good), ("/bad", bad)):
        assert {(path, number) for number in numbers} <= set(taken), path
    assert not {n for path, n in taken if path == "/last" and is_bad(n)}
    # Each payload has one key at each step, and each key is of one payload.
    assert {len(keys) for keys in taken.values()} == {1}
    assert len(set.union(*taken.values())) == len(taken)
    letters = (await server.get("/dead-letters", per_page=100))["data"]
    failed = [letter["flow_run_id"] for letter in letters]
    assert sorted(failed) == sorted(id for id, run in runs.items() if run["status"] == PARTIAL)
    children = [run for run in runs.values() if "parent_run_id" in run]
    assert sorted(run["parent_run_id"] for run in children) == sorted(
        runs.keys() - {c["id"] for c in children}
    )


@pytest.fixture
async def scene(database_url: str, tmp_path):
    async with remotes.serving() as remote:
        remote.answer = answer
        made = Scene(database_url, tmp_path, remote)
        await draw(made)
        yield made


@pytest.mark.parametrize("point", sorted(faults.POINTS.keys() - ELSEWHERE))
async def test_dying_at(scene: Scene, point: str):
    async with scene.serving(f"{point}:3") as server:
        await asyncio.gather(scene.shoot(server, 12, at_once=4), server.dies())
    async with scene.serving() as server:
        await check(scene, server)


async def test_dying_between_rows_and_their_files(scene: Scene):
    """What retention removed is gone or whole: never a row whose file is missing."""
    async with scene.serving() as server:
        await scene.shoot(server, 3)
        await settled(server)
    engine = create_engine(scene.database_url)
    with engine.begin() as connection:
        connection.execute(tables.runs.update().values(queued_at=datetime.now(UTC) - timedelta(days=10)))
    async with scene.serving("rows-pruned") as server:
        await server.dies()
    async with scene.serving() as server:
        for _ in range(200):
            with engine.connect() as connection:
                left = connection.scalar(select(func.count()).where(tables.payloads.c.blob.is_not(None)))
            if not left:
                break
            await asyncio.sleep(0.05)
    engine.dispose()
    assert left == 0


async def test_killed_again_and_again(scene: Scene):
    """At random moments of a flow that does everything: `make crash` kills a hundred times."""
    chance = random.Random(os.environ.get("FLOWLOOM_KILLS_SEED"))
    for _ in range(int(os.environ.get("FLOWLOOM_KILLS", "2"))):
        async with scene.serving() as server:
            shooting = asyncio.ensure_future(scene.shoot(server, 12, at_once=4))
            await asyncio.sleep(chance.uniform(0.0, 0.8))
            server.kill()
            await server.dies()
            await shooting
    async with scene.serving() as server:
        await check(scene, server)


def test_every_point_is_reached_somewhere_and_every_place_has_a_name():
    reached = {
        node.args[0].value
        for path in sources.modules()
        for node in ast.walk(sources.tree(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("reach")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert reached == set(faults.POINTS)
