"""A server in this process with a set clock: its API to call, its loops to turn by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert
from tests import asgi
from tests.contract import contract, document

from flowloom import bootstrap
from flowloom.engine import tracing
from flowloom.services import principals
from flowloom.services.actor import Role
from flowloom.settings import Settings
from flowloom.store import tables

NOW = datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC)
KEY, OTHER_KEY = "flk_manager-of-the-first-company", "flk_manager-of-the-other-company"
DEFAULT = "default"


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, *, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class World:
    """Two companies with a user of each role and an API key each, behind one server."""

    server: bootstrap.Server
    clock: Clock
    slept: list[float] = field(default_factory=list)
    key: str = KEY
    other_key: str = OTHER_KEY

    @property
    def platform(self) -> Any:
        return self.server.platform

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: bytes | Sequence[bytes] | None = None,
        key: str | None = DEFAULT,
        headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
    ) -> asgi.Answer:
        sent = dict(headers or {})
        if key is not None:
            sent.setdefault("authorization", self.key if key == DEFAULT else key)
        content: bytes | Sequence[bytes] = body if body is not None else b""
        if json is not None:
            content = _encode(json)
            sent.setdefault("content-type", "application/json")
        where = (
            path
            if path.startswith(("/api/", "/fabric/", "/webhooks/", "/callbacks/")) or path in BARE
            else f"/api/v1{path}"
        )
        answer = await asgi.call(self.server.app, method, where, headers=sent, query=query, body=content)
        self._judge(method, urlsplit(where).path, answer)
        return answer

    def _judge(self, method: str, path: str, answer: asgi.Answer) -> None:
        """Hold every answer of every test against the published contract and our own document."""
        content_type = answer.headers.get("content-type", "")
        ours = document.of(self.server.app)
        faults = contract.violations(method, path, answer.status, answer.body)
        faults += ours.violations(method, path, answer.status, content_type, answer.body)
        assert not faults, (method, path, answer.status, faults, answer.body[:2000])

    async def get(self, path: str, **sent: Any) -> asgi.Answer:
        return await self.request("GET", path, **sent)

    async def post(self, path: str, **sent: Any) -> asgi.Answer:
        return await self.request("POST", path, **sent)

    async def put(self, path: str, **sent: Any) -> asgi.Answer:
        return await self.request("PUT", path, **sent)

    async def patch(self, path: str, **sent: Any) -> asgi.Answer:
        return await self.request("PATCH", path, **sent)

    async def delete(self, path: str, **sent: Any) -> asgi.Answer:
        return await self.request("DELETE", path, **sent)

    async def token(self, role: str) -> str:
        """The credentials of the first company's user with this role."""
        return self.bearer(role)

    def bearer(self, role: str) -> str:
        """The same, for a test that has no event loop."""
        issuer = self.server.app.state.doors.principals
        user_id = 1 + list(Role).index(Role(role))
        return f"Bearer {issuer.issue_token(user_id, 'no-password', self.clock.now)}"

    async def flow(self, *steps: dict[str, Any], deploy: bool = True, **fields: Any) -> Flow:
        """A flow whose steps follow each other; deployed and enabled unless told otherwise."""
        made = (await self.post("/flows", json={"name": "Orders", "is_enabled": True, **fields})).data
        version = (await self.get(f"/flows/{made['id']}/versions")).data[0]
        flow = Flow(self, made["id"], version["id"])
        for step in steps:
            await flow.add(**step)
        if deploy:
            await flow.deploy()
        return flow

    async def work(self) -> int:
        """Turn the dispatcher until no run is left that is ready; how many ran."""
        total = 0
        while claimed := await self.server.duty.dispatcher.tick(self.clock.now):
            total += claimed
            await self.settle()
        return total

    async def settle(self) -> None:
        """Wait for the runs that are worked on."""
        import asyncio

        tasks = list(self.server.duty.dispatcher._tasks.values())
        await asyncio.gather(*tasks)
        await asyncio.sleep(0)

    async def notify(self) -> int:
        """Turn the notifier until nothing is due; how many deliveries there were."""
        total = 0
        while begun := await self.server.loops.notifier.tick(self.clock.now):
            total += begun
            await self.server.loops.notifier.settle()
        return total

    async def tick(self) -> int:
        """Turn the scheduler once."""
        return await self.server.loops.scheduler.tick(self.clock.now)


BARE = ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs")


@dataclass
class Flow:
    """A flow under test and the version that is edited."""

    world: World
    id: int
    version_id: int
    last_step_id: int | None = None

    @property
    def path(self) -> str:
        return f"/flows/{self.id}/versions/{self.version_id}"

    @property
    def graph(self) -> str:
        return f"/flow-versions/{self.version_id}/graph"

    async def add(self, microservice: str, **fields: Any) -> dict[str, Any]:
        """Put a step after the last one."""
        if self.last_step_id is None:
            self.last_step_id = (await self.world.get(self.graph)).data["steps"][-1]["id"]
        sent = {"microservice": microservice, "parent_id": self.last_step_id, **fields}
        made: dict[str, Any] = (await self.world.post(f"{self.graph}/steps", json=sent)).data
        self.last_step_id = made["id"]
        return made

    async def deploy(self) -> dict[str, Any]:
        at = self.world.clock.now.isoformat()
        done: dict[str, Any] = (await self.world.put(self.path, json={"deployed_at": at})).data
        return done

    async def start(self, payload: Any = None, **sent: Any) -> int:
        """Start the Deployed version with a JSON payload; the run's id."""
        answer = await self.world.post(f"/flows/{self.id}/start/raw", json=payload, **sent)
        assert answer.status == 200, answer.body
        id: int = answer.json()["flow_run_id"]
        return id

    async def run(self, payload: Any = None) -> dict[str, Any]:
        """Start it, let it run, and give the run."""
        id = await self.start(payload)
        await self.world.work()
        found: dict[str, Any] = (await self.world.get(f"/flow-runs/{id}")).data
        return found


def _encode(value: Any) -> bytes:
    return json.dumps(value).encode()


@asynccontextmanager
async def open_world(
    database_url: str, directory: Path, traces: tracing.Tracing = tracing.OFF, **overrides: Any
) -> AsyncIterator[World]:
    """A world over a migrated, empty database."""
    world = make_world(database_url, directory, traces, **overrides)
    async with world.server.app.router.lifespan_context(world.server.app):
        yield world


def make_world(
    database_url: str, directory: Path, traces: tracing.Tracing = tracing.OFF, **overrides: Any
) -> World:
    """The same, not yet started."""
    settings = Settings(
        data_dir=directory,
        database_url=database_url,
        secret_key="a secret key for the tests",
        outbound_allow=("127.0.0.1",),
        **overrides,
    )
    return over(settings, populate, traces)


def over(
    settings: Settings,
    fill: Callable[[Any], None] = lambda _connection: None,
    traces: tracing.Tracing = tracing.OFF,
) -> World:
    """A world over whatever a database holds, not yet started."""
    clock, slept = Clock(), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds=seconds)

    platform = bootstrap.open_platform(settings, clock)
    platform.database.write_now(fill)
    server = bootstrap.build(platform, sleep=sleep, with_loops=False, traces=traces)
    return World(server, clock, slept)


def populate(connection: Any) -> None:
    """Two companies; in the first a user of each role, in the order of the roles."""
    times = {"created_at": NOW, "updated_at": NOW}
    for name, key in (("First", KEY), ("Other", OTHER_KEY)):
        company = insert(tables.companies).values(name=name, **times).returning(tables.companies.c.id)
        company_id = connection.execute(company).scalar_one()
        for role in Role if name == "First" else [Role.ADMINISTRATOR]:
            user = {
                "email": f"{role}@{name.lower()}.test",
                "name": role.title(),
                "password_hash": "no-password",
            }
            connection.execute(insert(tables.users).values(company_id=company_id, role=role, **user, **times))
        row = {"name": "Tests", "key_hash": principals.hash_key(key), "hint": key[-4:], "created_at": NOW}
        connection.execute(insert(tables.api_keys).values(company_id=company_id, **row))
