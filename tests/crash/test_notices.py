"""Dying between a step, a run's end and the delivery of what they tell: one message each, delivered at least once."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests import remote as remotes
from tests.crash import process, test_points
from tests.crash.test_crash import Scene, settled
from tests.remote import Seen

pytestmark = pytest.mark.crash

POINTS = (
    "effect-done",
    "effect-recorded",
    "run-before-end",
    "journal-after-commit",
    "notification-delivered",
)
FAILURE = 3


def is_bad(number: int) -> bool:
    return number % 2 == 1


async def answer(seen: Seen) -> web.Response:
    return web.Response(status=422 if seen.path == "/shop" and is_bad(seen.body["n"]) else 200)


async def draw(scene: Scene) -> None:
    """A flow that tells of each payload, and of each failure."""
    async with scene.serving() as server:
        scene.key = await server.sign_in()
        channels = [{"type": "webhook", "url": scene.remote.url("/told")}]
        group = (await server.post("/notification-groups", {"name": "Ops", "channels": channels}))["data"][
            "id"
        ]
        notice = {"group_id": group, "subject": "[[payload.n]]"}
        steps = [{"microservice": "notify", "config": notice}, scene.remote.send("/shop", retries=0)]
        scene.flow_id = await test_points._flow(server, "Orders", steps)
        alerts = {"alerts": {"notification_group_id": group}}
        await server.call("PUT", f"/api/v1/flows/{scene.flow_id}", json=alerts)
        hook = (await server.post(f"/flows/{scene.flow_id}/webhooks", {"name": "Orders"}))["data"]["url"]
        scene.hook = f"/webhooks/{hook.partition('/webhooks/')[2]}"


@pytest.fixture
async def scene(database_url: str, tmp_path: Path):
    async with remotes.serving() as remote:
        remote.answer = answer
        made = Scene(database_url, tmp_path, remote)
        await draw(made)
        yield made


async def delivered(server: process.Server) -> list[dict[str, Any]]:
    """All notifications, once none is queued."""
    for _ in range(1000):
        if not (await server.get("/notifications", **{"filter[state]": "queued"}))["data"]:
            break
        await asyncio.sleep(0.02)
    rows: list[dict[str, Any]] = (await server.get("/notifications", per_page=100))["data"]
    return rows


@pytest.mark.parametrize("point", POINTS)
async def test_dying_at(scene: Scene, point: str) -> None:
    async with scene.serving(f"{point}:3") as server:
        await asyncio.gather(scene.shoot(server, 12, at_once=4), server.dies())
    async with scene.serving() as server:
        runs = {run["id"]: run for run in await settled(server)}
        rows = await delivered(server)
    assert {row["state"] for row in rows} == {"sent"}
    notices = Counter(row["flow_run_id"] for row in rows if row["subject"].isdigit())
    assert notices == Counter(runs.keys())
    failed = [id for id, run in runs.items() if run["status"] == FAILURE]
    told = Counter(row["flow_run_id"] for row in rows if row["subject"].endswith("failed"))
    assert told == Counter(failed)
    assert {id for id, number in scene.acknowledged.items() if is_bad(number)} <= set(failed)
    keys: dict[str, set[str | None]] = defaultdict(set)
    for seen in scene.remote.seen:
        if seen.path == "/told":
            keys[f"{seen.body['subject']} {seen.body['run_id']}"].add(seen.key)
    assert len(keys) == len(rows)
    assert {len(found) for found in keys.values()} == {1}
