"""What happens to a fleet: runs that are accepted while something breaks, and what must hold of them afterwards."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import psycopg
from aiohttp import web
from tests import remote as remotes
from tests.cluster.fleet import Fleet
from tests.cluster.nats_servers import Node
from tests.postgres import Cluster

SUCCESS = 2
AT_ONCE = 16


@dataclass
class Stage:
    """A fleet on a PostgreSQL and NATS servers, a flow with two sends, and the server that they go to."""

    fleet: Fleet
    postgres: Cluster
    database_url: str
    nodes: list[Node]
    remote: remotes.Remote
    flow: dict[str, Any] = field(default_factory=dict)
    accepted: dict[int, int] = field(default_factory=dict)
    ended: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    numbers: Any = field(default_factory=itertools.count)

    async def set_right(self) -> None:
        """Everything runs, and is ready."""
        for node in self.nodes:
            if node.process is None or node.process.poll() is not None:
                node.start()
            await node.ready()
        for member in self.fleet.members:
            member.thaw()
            if member.process is None or member.process.returncode is not None:
                await member.start()
            await self.fleet.is_ready(member)

    async def prepare(self) -> None:
        """Draw and deploy the flow, and forget what ran before."""
        self.accepted.clear()
        self.remote.seen.clear()
        self.remote.answer = self._answer
        where = {"field": "n", "operator": "greater_or_equal", "value": 0}
        self.flow = await self.draw(
            {"microservice": "filter", "config": {"keep": True, "where": where}},
            self.remote.send("/first", retries=10),
            self.remote.send("/second", retries=10),
        )

    async def draw(self, *steps: dict[str, Any], schedules: int = 0, **fields: Any) -> dict[str, Any]:
        """A deployed flow of these steps; its id, its version's and the path of its webhook."""
        call = self.fleet.call
        made = (await call("POST", "/flows", json={"name": "Orders", "is_enabled": True, **fields}))["data"]
        version = (await call("GET", f"/flows/{made['id']}/versions"))["data"][0]
        graph = f"/flow-versions/{version['id']}/graph"
        last = (await call("GET", graph))["data"]["steps"][-1]["id"]
        for step in steps:
            last = (await call("POST", f"{graph}/steps", json={**step, "parent_id": last}))["data"]["id"]
        for _ in range(schedules):
            await call("POST", f"/flow-versions/{version['id']}/schedules", json={"cron_string": "0 0 1 1 *"})
        at = datetime.now(UTC).isoformat()
        await call("PUT", f"/flows/{made['id']}/versions/{version['id']}", json={"deployed_at": at})
        hook = (await call("POST", f"/flows/{made['id']}/webhooks", json={}))["data"]
        paths = {name: "/" + hook[name].split("/", 3)[3] for name in ("url", "callback_url")}
        return {
            "id": made["id"],
            "version": version["id"],
            "hook": paths["url"],
            "callback": paths["callback_url"],
        }

    async def _answer(self, seen: remotes.Seen) -> web.Response:
        await asyncio.sleep(0.005)
        return await remotes.accept(seen)

    async def shoot(self, count: int) -> None:
        """Start so many runs through all API processes; each is tried until it is accepted."""
        room = asyncio.Semaphore(AT_ONCE)

        async def one(n: int) -> None:
            async with room:
                run_id = await self._start(n)
            assert run_id not in self.accepted
            self.accepted[run_id] = n

        await asyncio.gather(*(one(next(self.numbers)) for _ in range(count)))

    async def _start(self, n: int) -> int:
        headers = {"Idempotency-Key": f"order {n}"}
        async with asyncio.timeout(60):
            for tries in itertools.count():
                doors = self.fleet["serve"]
                url = doors[(n + tries) % len(doors)].base + self.flow["hook"]
                try:
                    async with self.fleet.session.post(url, json={"n": n}, headers=headers) as answer:
                        if answer.status == 200:
                            return int((await answer.json())["flow_run_id"])
                        assert answer.status == 503, await answer.text()
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)
        raise AssertionError

    async def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database says, once it answers."""

        def ask() -> list[tuple[Any, ...]]:
            with psycopg.connect(self.database_url.replace("+psycopg", ""), connect_timeout=5) as connection:
                return connection.execute(query, values).fetchall()  # type: ignore[arg-type]

        async with asyncio.timeout(60):
            while True:
                try:
                    return await asyncio.to_thread(ask)
                except psycopg.OperationalError:
                    await asyncio.sleep(0.1)

    async def look(self) -> int:
        """How many runs have not ended. What ended before must stand as it stood."""
        found = await self.rows("SELECT id, status, finished_at, summary FROM flow_runs ORDER BY id")
        ended = {id: rest for id, *rest in found if rest[0] >= SUCCESS}
        assert {id: ended.get(id) for id in self.ended} == self.ended
        self.ended = ended
        return len(found) - len(ended)

    async def settled(self, seconds: float = 90) -> None:
        """Wait until every run has ended, and look all the while that no end changes."""
        async with asyncio.timeout(seconds):
            while await self.look():
                await asyncio.sleep(0.2)

    async def check(self) -> None:
        """Each accepted run went well, nothing else ran, and each send has one key however often it came."""
        await self.settled()
        found = dict(await self.rows("SELECT id, status FROM flow_runs WHERE flow_id = %s", self.flow["id"]))
        assert found == dict.fromkeys(self.accepted, SUCCESS)
        for path in ("/first", "/second"):
            keys: dict[int, Counter[str | None]] = {}
            for seen in self.remote.seen:
                if seen.path == path and seen.content:
                    keys.setdefault(seen.body["n"], Counter())[seen.key] += 1
            assert sorted(keys) == sorted(self.accepted.values())
            assert {n: len(of_run) for n, of_run in keys.items()} == dict.fromkeys(keys, 1)

    def repeated(self) -> int:
        """How many sends came more than once: what at-least-once means."""
        return sum(count - 1 for count in self.remote.per_key().values())


async def while_running(stage: Stage, count: int, trouble: Callable[[Stage], Awaitable[None]]) -> None:
    """Shoot runs, let trouble come among them, and check what came of all."""
    shooting = asyncio.create_task(stage.shoot(count))
    await asyncio.sleep(0.3)
    await trouble(stage)
    await shooting
    await stage.check()
