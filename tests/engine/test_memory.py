"""The resident size of the process while a run receives what is far larger than what may be in memory."""

from __future__ import annotations

import asyncio
import gc

import psutil
import pytest
from aiohttp import web
from tests.remote import Remote, Seen
from tests.world import World

from flowloom.engine import streams

SUCCESS = 2
MEGABYTE = 2**20
RECORD = b'{"n":1,"text":"' + b"x" * 480 + b'"}'


class Watch:
    """The largest resident size while something is done."""

    def __init__(self) -> None:
        gc.collect()
        self._process = psutil.Process()
        self.before = self.peak = self._process.memory_info().rss

    async def during(self, work) -> object:
        task = asyncio.ensure_future(work)
        while not task.done():
            self.peak = max(self.peak, self._process.memory_info().rss)
            await asyncio.wait([task], timeout=0.02)
        return task.result()

    @property
    def grown_bytes(self) -> int:
        return self.peak - self.before


def few_pass(remote: Remote) -> list[dict]:
    """What comes after the receive: a filter that looks at every record, and a send."""
    where = {"field": "n", "operator": "equals", "value": 2}
    return [{"microservice": "filter", "config": {"where": where}}, remote.send("/to")]


def looked_at(run: dict) -> int:
    """How many payloads the filter was given."""
    return next(step["payloads_in"] for step in run["summary"]["steps"] if step["key"].startswith("filter"))


async def test_a_body_of_sixty_megabytes(
    sqlite_server: World, remote: Remote, monkeypatch: pytest.MonkeyPatch
):
    http = sqlite_server.server.dispatcher._executor._around.calls._http
    monkeypatch.setattr(http, "_spill_from_bytes", 4 * MEGABYTE)
    size = 60 * MEGABYTE

    async def body():
        part = b",".join([RECORD] * 128)
        yield b"[" + part
        for _ in range(size // len(part)):
            yield b"," + part
        yield b"]"

    async def answer(seen: Seen) -> web.Response:
        return (
            web.Response()
            if seen.path == "/to"
            else web.Response(body=body(), content_type="application/json")
        )

    remote.answer = answer
    flow = await sqlite_server.flow(remote.receive("/large", timeout_seconds=300), *few_pass(remote))
    watch = Watch()
    run = await watch.during(flow.run())
    assert run["status"] == SUCCESS, run
    assert looked_at(run) > 40
    assert watch.grown_bytes < size / 2, watch.grown_bytes / MEGABYTE


async def test_four_hundred_pages(sqlite_server: World, remote: Remote, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streams, "BUFFER_BYTES", MEGABYTE)
    page = b"[" + b",".join([RECORD] * 256) + b"]"

    async def answer(seen: Seen) -> web.Response:
        is_over = int(seen.query.get("page", 1)) > 400
        return web.Response(body=b"[]" if is_over else page, content_type="application/json")

    remote.answer = answer
    flow = await sqlite_server.flow(remote.receive("/p", pagination={"type": "page"}), *few_pass(remote))
    watch = Watch()
    run = await watch.during(flow.run())
    assert run["status"] == SUCCESS, run
    assert looked_at(run) == 400
    assert watch.grown_bytes < 400 * len(page) / 2, watch.grown_bytes / MEGABYTE
