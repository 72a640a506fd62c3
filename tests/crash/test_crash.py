"""Killing the server: what it acknowledged is done, once in the books, at least once outside, under one key."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import create_engine, select, update
from tests import remote as remotes
from tests.crash import process
from tests.remote import Remote

from flowloom.store import tables

pytestmark = pytest.mark.crash

SUCCESS = 2
WHERE = {"field": "kind", "operator": "equals", "value": "order"}
FILTER = {"microservice": "filter", "config": {"where": WHERE}}


@dataclass
class Scene:
    """A database with one flow (webhook, filter, two sends) and what was acknowledged: {run id: number sent}."""

    database_url: str
    data_dir: Path
    remote: Remote
    key: str = ""
    flow_id: int = 0
    version_id: int = 0
    hook: str = ""
    acknowledged: dict[int, int] = field(default_factory=dict)
    sent: int = 0

    def serving(self, fault: str = "") -> Any:
        return process.serving(self.database_url, self.data_dir, key=self.key, fault=fault)

    async def shoot(self, server: process.Server, count: int, at_once: int = 16) -> None:
        """Call the webhook with ever new payloads until that is done or nobody answers any more."""
        numbers = iter(range(self.sent, self.sent + count))
        self.sent += count
        await asyncio.gather(*(self._shooter(server, numbers) for _ in range(at_once)))

    async def _shooter(self, server: process.Server, numbers: Any) -> None:
        for number in numbers:
            try:
                answer = await server.call("POST", self.hook, json={"kind": "order", "n": number})
            except aiohttp.ClientError:
                return
            self.acknowledged[answer["flow_run_id"]] = number


async def draw(scene: Scene) -> None:
    """The first start: a key, the flow, its webhook and a schedule that is not due."""
    async with scene.serving() as server:
        scene.key = await server.sign_in()
        flow = (await server.post("/flows", {"name": "Orders", "is_enabled": True}))["data"]
        version = (await server.get(f"/flows/{flow['id']}/versions"))["data"][0]
        scene.flow_id, scene.version_id = flow["id"], version["id"]
        steps = f"/flow-versions/{version['id']}/graph"
        parent = (await server.get(steps))["data"]["steps"][0]["id"]
        for step in (FILTER, scene.remote.send("/first"), scene.remote.send("/second")):
            parent = (await server.post(f"{steps}/steps", {**step, "parent_id": parent}))["data"]["id"]
        yearly = {"cron_string": "0 0 1 1 *", "catch_up": "none"}
        await server.post(f"/flow-versions/{version['id']}/schedules", yearly)
        deploy = {"deployed_at": datetime.now(UTC).isoformat()}
        await server.call("PUT", f"/api/v1/flows/{flow['id']}/versions/{version['id']}", json=deploy)
        url = (await server.post(f"/flows/{flow['id']}/webhooks", {"name": "Orders"}))["data"]["url"]
        scene.hook = f"/webhooks/{url.partition('/webhooks/')[2]}"


async def settled(server: process.Server) -> list[dict[str, Any]]:
    """All runs, once none is unfinished."""
    for _ in range(1000):
        unfinished = await server.get("/flow-runs", **{"filter[status]": "0,1", "per_page": 1})
        if not unfinished["data"]:
            break
        await asyncio.sleep(0.02)
    runs: list[dict[str, Any]] = []
    page: dict[str, Any] = {"meta": {"last_page": 1}}
    while len(runs) < page["meta"].get("total", 1):
        number = len(runs) // 100 + 1
        page = await server.get("/flow-runs", per_page=100, page=number, sort="queued_at")
        runs += page["data"]
        if not page["data"]:
            break
    return runs


async def check(scene: Scene, server: process.Server) -> None:
    """The promises, from outside."""
    runs = {run["id"]: run for run in await settled(server)}
    assert {runs[id]["status"] for id in scene.acknowledged} == {SUCCESS}
    keys = defaultdict(set)
    for seen in scene.remote.seen:
        if seen.body is not None:
            keys[seen.path, seen.body["n"]].add(seen.key)
    for path in ("/first", "/second"):
        assert {(path, number) for number in scene.acknowledged.values()} <= set(keys)
    assert {len(found) for found in keys.values()} == {1}
    assert len({key for found in keys.values() for key in found}) == len(keys)
    query = {"filter[type]": "runs", "per_page": 100}
    counted = (await server.get(f"/flows/{scene.flow_id}/version-metrics", **query))["data"]
    totals = defaultdict(int)
    for metric in counted:
        totals[metric["key"]] += metric["value"]
    assert dict(totals) == {"started": len(runs), "success": len(runs)}


@pytest.fixture
async def scene(database_url: str, tmp_path: Path):
    async with remotes.serving() as remote:
        made = Scene(database_url, tmp_path, remote)
        await draw(made)
        yield made


async def test_a_slot_fires_once_though_nobody_was_told(scene: Scene):
    slot = datetime.now(UTC).replace(second=0, microsecond=0)
    engine = create_engine(scene.database_url)
    with engine.begin() as connection:
        due = {"cron_string": "* * * * *", "next_run_at": slot, "settled_until": slot - timedelta(seconds=30)}
        due["catch_up"] = "all"  # a slow start may find the slot more than a minute old
        connection.execute(update(tables.schedules).values(due))
    async with scene.serving("schedules-fired") as server:
        await server.dies()
    async with scene.serving() as server:
        await settled(server)
    found = select(tables.runs.c.fire_at, tables.runs.c.status).where(tables.runs.c.fire_at.is_not(None))
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(found.order_by(tables.runs.c.fire_at))]
    engine.dispose()
    # The minute may have turned meanwhile; each of its slots fired once.
    assert rows[0] == (slot, SUCCESS)
    assert [at for at, _ in rows] == [slot + timedelta(minutes=n) for n in range(len(rows))]


async def test_kill_9_with_a_thousand_runs_in_flight(scene: Scene):
    killed_after = random.Random().uniform(0.3, 1.5)
    async with scene.serving() as server:
        shooting = asyncio.ensure_future(scene.shoot(server, 1000, at_once=32))
        await asyncio.sleep(killed_after)
        server.kill()
        await server.dies()
        await shooting
    async with scene.serving() as server:
        await scene.shoot(server, 1000 - len(scene.acknowledged))
        await server.alive()
        await check(scene, server)
    assert len(scene.acknowledged) == 1000, f"killed after {killed_after:.3f} s"
