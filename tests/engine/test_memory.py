"""The resident size of the process while a run receives what is far larger than what may be in memory."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from aiohttp import web
from tests import databases, files
from tests.remote import Remote, Seen
from tests.world import Flow, World

from flowloom.engine import spills, streams

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


SIZE = 40 * MEGABYTE
TEXT = b"x" * 480


@dataclass(frozen=True)
class Kind:
    """How many records are written: what comes before and after them, and each of them with what parts it."""

    name: str
    head: bytes
    record: bytes
    tail: bytes
    path: str | None = None

    def body(self, size: int) -> Iterator[bytes]:
        yield self.head
        part = self.record * 128
        for _ in range(size // len(part)):
            yield part
        yield self.tail


KINDS = [
    Kind("json", b'{"data":[{}', b',{"n":1,"text":"%b"}' % TEXT, b"]}", "data"),
    Kind("csv", b"n,text\n", b"1,%b\n" % TEXT, b""),
    Kind("xml", b"<o><data>", b"<r><n>1</n><text>%b</text></r>" % TEXT, b"</data></o>", "o.data.r"),
]
by_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])


async def streamed(body: Iterator[bytes]) -> AsyncIterator[bytes]:
    for part in body:
        yield part


async def require_flat(flow: Flow, size: int) -> None:
    """A run that looks at pages of so many bytes in all takes far less memory than they do."""
    watch = Watch()
    run = await watch.during(flow.run())
    assert run["status"] == SUCCESS, run
    assert looked_at(run) >= size // (2 * MEGABYTE)
    # Held whole it would take several times its size: as bytes, and as objects.
    assert watch.grown_bytes < size * 3 / 4, watch.grown_bytes / MEGABYTE


@pytest.fixture
def large_answers(sqlite_server: World, remote: Remote, monkeypatch: pytest.MonkeyPatch) -> Remote:
    """Answers every receive with a body of the kind that its path names, and keeps none that is sent."""
    http = sqlite_server.server.duty.dispatcher._executor._around.calls._http
    monkeypatch.setattr(http, "_spill_from_bytes", 4 * MEGABYTE)

    async def answer(seen: Seen) -> web.Response:
        remote.seen.clear()
        kind = next((kind for kind in KINDS if seen.path == f"/{kind.name}"), None)
        if kind is None:
            return web.Response()
        return web.Response(body=streamed(kind.body(SIZE)), content_type=f"application/{kind.name}")

    remote.answer = answer
    return remote


@by_kind
async def test_a_body_of_forty_megabytes(sqlite_server: World, large_answers: Remote, kind: Kind) -> None:
    receive = large_answers.receive(f"/{kind.name}", timeout_seconds=300, path=kind.path)
    await require_flat(await sqlite_server.flow(receive, *few_pass(large_answers)), SIZE)


async def test_forty_megabytes_split_into_single_records(sqlite_server: World, large_answers: Remote) -> None:
    receive = large_answers.receive("/json", timeout_seconds=300, path="data")
    split = {"microservice": "split", "config": {}}
    await require_flat(await sqlite_server.flow(receive, split, *few_pass(large_answers)), SIZE)


@pytest.mark.parametrize("format", ["csv", "xml"])
async def test_forty_megabytes_sent_in_another_format(
    sqlite_server: World, large_answers: Remote, format: str
) -> None:
    receive = large_answers.receive("/json", timeout_seconds=300, path="data")
    flow = await sqlite_server.flow(receive, large_answers.send("/to", send_format=format))
    watch = Watch()
    run = await watch.during(flow.run())
    assert run["status"] == SUCCESS, run
    assert run["summary"]["steps"][-1]["payloads_out"] > 25
    assert watch.grown_bytes < SIZE * 3 / 4, watch.grown_bytes / MEGABYTE


@pytest.fixture
async def file_server(tmp_path: Path) -> AsyncIterator[files.FileServer]:
    """It reads part by part, so that it may be in this process."""
    served = tmp_path / "served"
    served.mkdir()
    async with files.serving(served) as server:
        yield server


async def test_a_file_of_forty_megabytes(
    sqlite_server: World,
    remote: Remote,
    file_server: files.FileServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = next(kind for kind in KINDS if kind.name == "xml")
    monkeypatch.setattr(spills, "FROM_BYTES", 4 * MEGABYTE)
    file_server.put("large.xml", b"".join(kind.body(MEGABYTE)))
    made = await sqlite_server.post("/connections", json={"name": "Files", **file_server.fields})
    config = {
        "direction": "receive",
        "connection_id": made.data["id"],
        "sftp": {"path": "/"},
        "path": kind.path,
    }
    receive = {"microservice": "connector", "config": {**config, "timeout_seconds": 300}}
    flow = await sqlite_server.flow(receive, *few_pass(remote))
    assert (await flow.run())["status"] == SUCCESS  # loads the library, which has a size of its own
    with (file_server.directory / f"large.{kind.name}").open("wb") as file:
        file.writelines(kind.body(SIZE))
    await require_flat(flow, SIZE)


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


ROWS = {
    "sqlite": (
        "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {count}) "
        "SELECT n, printf('%.480c', 'x') AS text FROM g WHERE n > :after"
    ),
    "postgresql": "SELECT n, repeat('x', 480) AS text FROM generate_series(1, {count}) g(n) WHERE n > :after",
    "mysql": "SELECT seq AS n, REPEAT('x', 480) AS text FROM seq_1_to_{count} WHERE seq > :after",
}


@pytest.mark.parametrize("protocol", ROWS)
async def test_forty_megabytes_of_rows(
    request: pytest.FixtureRequest,
    sqlite_server: World,
    remote: Remote,
    monkeypatch: pytest.MonkeyPatch,
    protocol: str,
) -> None:
    monkeypatch.setattr(streams, "BUFFER_BYTES", MEGABYTE)
    ports = {"postgresql": "postgres_port", "mysql": "mariadb_port"}
    port = request.getfixturevalue(ports[protocol]) if protocol in ports else 0
    made = await sqlite_server.post("/connections", json={"name": "Shop", **databases.fields(protocol, port)})
    write = {
        "direction": "send",
        "connection_id": made.data["id"],
        "sql": {"statement": "DROP TABLE IF EXISTS x"},
    }
    await (await sqlite_server.flow({"microservice": "connector", "config": write})).run({})
    statement = ROWS[protocol].format(count=SIZE // 500)
    after = {"column": "n", "start": 0}
    sql = {"statement": f"{statement} ORDER BY n", "page_size": 4000, "after": after}
    receive = {"microservice": "connector", "config": {**write, "direction": "receive", "sql": sql}}
    await require_flat(await sqlite_server.flow(receive, *few_pass(remote)), SIZE)
