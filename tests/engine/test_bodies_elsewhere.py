"""Runs whose large bodies are in a bucket that goes away in their middle: they wait, and lose nothing."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import select
from tests import remote as remotes
from tests import s3, world

from flowloom.store import tables

NOISE = random.Random(5).randbytes(100_000).hex()


@pytest.fixture
async def server(sqlite_template: Path, tmp_path: Path, s3_server: s3.S3) -> AsyncIterator[world.World]:
    shutil.copy(sqlite_template, tmp_path / "flowloom.db")
    url = f"sqlite+pysqlite:///{tmp_path / 'flowloom.db'}"
    async with world.open_world(url, tmp_path, blob_url=s3_server.url()) as opened:
        yield opened


@pytest.fixture
async def remote() -> AsyncIterator[remotes.Remote]:
    async with remotes.serving() as serving:
        yield serving


async def test_large_bodies_are_in_the_bucket_alone(
    server: world.World, remote: remotes.Remote, s3_server: s3.S3
):
    flow = await server.flow(remote.send("/"))
    run = await flow.run({"noise": NOISE})
    assert run["status"] == 2
    assert remote.bodies("/") == [{"noise": NOISE}]
    # As it was sent, and as the run writes it.
    assert len(s3_server.objects()) == 2
    assert not (server.platform.settings.data_dir / "blobs").exists()
    kept = (await server.get("/payload-metadata", query={"filter[flow_run_id]": run["id"]})).data
    body = await server.get(f"/payload-metadata/{kept[0]['id']}/download")
    assert json.loads(body.body) == {"noise": NOISE}


async def test_a_run_waits_for_the_bucket(server: world.World, remote: remotes.Remote, s3_server: s3.S3):
    async def answer(seen: remotes.Seen) -> web.Response:
        if len(remote.seen) == 1:
            s3_server.stop()
        return web.json_response({"noise": NOISE})

    remote.answer = answer
    flow = await server.flow(remote.receive("/large"), remote.send("/after"))
    id = await flow.start({})
    working = asyncio.create_task(server.work())
    while len(server.slept) < 2:
        await asyncio.sleep(0.01)
    # What was received is nowhere yet, so nothing after it has gone out.
    assert remote.bodies("/after") == []
    assert (await server.get("/readyz", key=None)).status == 503
    refused = await server.post(f"/flows/{flow.id}/start/raw", json={"noise": NOISE})
    assert (refused.status, "cannot be written now" in refused.json()["message"]) == (503, True)
    assert await flow.start({"small": True})
    s3_server.start()
    await working
    await server.work()
    assert (await server.get(f"/flow-runs/{id}")).data["status"] == 2
    assert {"noise": NOISE} in remote.bodies("/after")
    assert (await server.get("/readyz", key=None)).status == 200


async def test_a_body_is_read_when_the_bucket_is_back(
    server: world.World, remote: remotes.Remote, s3_server: s3.S3
):
    flow = await server.flow(remote.send("/"))
    id = await flow.start({"noise": NOISE})
    s3_server.stop()
    working = asyncio.create_task(server.work())
    while len(server.slept) < 2:
        await asyncio.sleep(0.01)
    s3_server.start()
    await working
    assert (await server.get(f"/flow-runs/{id}")).data["status"] == 2
    assert remote.bodies("/") == [{"noise": NOISE}]


async def test_retention_goes_on_without_the_bucket_and_comes_back_for_its_bodies(
    server: world.World, remote: remotes.Remote, s3_server: s3.S3
):
    flow = await server.flow(remote.send("/"))
    await flow.run({"noise": NOISE})
    pruner = server.server.loops.pruner
    s3_server.stop()
    later = server.clock.now + timedelta(days=8)
    assert await pruner.tick(later) > 0
    assert (await server.get("/payload-metadata", query={"filter[flow_run_id]": 1})).data == []
    s3_server.start()
    assert s3_server.objects()
    await pruner.tick(later + timedelta(minutes=10))
    assert s3_server.objects() == []


async def test_a_body_that_was_lost_fails_the_run_with_its_reason(
    server: world.World, remote: remotes.Remote, s3_server: s3.S3
):
    flow = await server.flow(remote.send("/"))
    id = await flow.start({"noise": NOISE})
    named = await server.platform.database.read(lambda db: db.scalar(select(tables.payloads.c.blob)))
    server.platform.blobs._shelf.remove(named)
    await server.work()
    run = (await server.get(f"/flow-runs/{id}")).data
    assert run["status"] == 3
    assert "Payload body" in json.dumps(run["summary"])
    assert remote.bodies("/") == []
