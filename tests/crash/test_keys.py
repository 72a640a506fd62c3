"""Dying around the claim of a data pool's key: no record is lost, and none is let through twice."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from tests import remote as remotes
from tests.crash import process, test_points
from tests.crash.test_crash import Scene, settled

pytestmark = pytest.mark.crash

POINTS = ("keys-claimed", "effect-done", "run-before-end")
SUCCESS = 2
STEPS = (
    {"microservice": "batch", "config": {"size": 1}},
    {"microservice": "de-dupe", "config": {"pool": "orders", "key": "id"}},
)


async def draw(scene: Scene) -> None:
    """A flow that lets each record through once."""
    async with scene.serving() as server:
        scene.key = await server.sign_in()
        await server.post("/data-pools", {"name": "orders"})
        scene.flow_id = await test_points._flow(server, "Orders", [*STEPS, scene.remote.send("/shop")])
        hook = (await server.post(f"/flows/{scene.flow_id}/webhooks", {"name": "Orders"}))["data"]["url"]
        scene.hook = f"/webhooks/{hook.partition('/webhooks/')[2]}"


@pytest.fixture
async def scene(database_url: str, tmp_path: Path):
    async with remotes.serving() as remote:
        made = Scene(database_url, tmp_path, remote)
        await draw(made)
        yield made


def records(number: int) -> list[dict[str, int]]:
    """What the call of this number brings: each record comes in two calls."""
    return [{"id": number}, {"id": number + 1}]


async def shoot(scene: Scene, server: process.Server) -> None:
    """Call the webhook, four at a time, until nobody answers any more."""
    numbers = iter(range(12))
    await asyncio.gather(*(_shooter(scene, server, numbers) for _ in range(4)))


async def _shooter(scene: Scene, server: process.Server, numbers: Iterator[int]) -> None:
    for number in numbers:
        try:
            answer = await server.call("POST", scene.hook, json=records(number))
        except aiohttp.ClientError:
            return
        scene.acknowledged[answer["flow_run_id"]] = number


@pytest.mark.parametrize("point", POINTS)
async def test_dying_at(scene: Scene, point: str) -> None:
    async with scene.serving(f"{point}:3") as server:
        await asyncio.gather(shoot(scene, server), server.dies())
    async with scene.serving() as server:
        runs = await settled(server)
        entries = (await server.get("/data-pools/1/entries", per_page=100))["data"]
    assert {run["status"] for run in runs} == {SUCCESS}
    assert scene.acknowledged.keys() <= {run["id"] for run in runs}
    sent: dict[int, set[str | None]] = defaultdict(set)
    for seen in scene.remote.seen:
        for record in seen.body or ():
            sent[record["id"]].add(seen.key)
    acknowledged = {record["id"] for number in scene.acknowledged.values() for record in records(number)}
    assert acknowledged <= set(sent)
    # A record that two runs let through has two keys.
    assert {len(keys) for keys in sent.values()} == {1}
    assert {entry["key"]: entry["state"] for entry in entries} == {str(id): "permanent" for id in sent}
