"""A real HTTP server on the loopback for flows to call: it keeps what it was sent and answers as a test says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

Answer = Callable[["Seen"], Awaitable[web.Response]]


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.content) if self.content else None

    @property
    def key(self) -> str | None:
        return self.headers.get("idempotency-key")


async def accept(seen: Seen) -> web.Response:
    return web.json_response({"ok": True})


async def hang(seen: Seen) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


@dataclass
class Remote:
    """`answer` may be replaced at any time."""

    port: int = 0
    answer: Answer = accept
    seen: list[Seen] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def send(self, path: str = "/", /, **config: Any) -> dict[str, Any]:
        """A step that sends each payload here."""
        return {
            "microservice": "connector",
            "name": path,
            "config": {"direction": "send", "url": self.url(path), **config},
        }

    def receive(self, path: str = "/", /, **config: Any) -> dict[str, Any]:
        """A step that receives from here."""
        return {
            "microservice": "connector",
            "name": path,
            "config": {"direction": "receive", "url": self.url(path), **config},
        }

    def bodies(self, path: str = "/") -> list[Any]:
        return [seen.body for seen in self.seen if seen.path == path]

    def keys(self, path: str = "/") -> list[str | None]:
        return [seen.key for seen in self.seen if seen.path == path]

    def per_key(self) -> Counter[str | None]:
        """How often each idempotency key arrived."""
        return Counter(seen.key for seen in self.seen)

    def answers(self, *statuses: int, **headers: str) -> None:
        """Answer with these statuses, one after another, the last one for ever."""
        left = list(statuses)

        async def answer(seen: Seen) -> web.Response:
            status = left.pop(0) if len(left) > 1 else left[0]
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.json_response({"status": status}, status=status, headers=named)

        self.answer = answer

    async def until(self, count: int) -> None:
        """Wait until so many requests have arrived."""
        while len(self.seen) < count:
            self.arrived.clear()
            await asyncio.wait_for(self.arrived.wait(), 10)

    async def _handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Seen(request.method, request.path, dict(request.query), headers, await request.read())
        self.seen.append(seen)
        self.arrived.set()
        return await self.answer(seen)


@asynccontextmanager
async def serving() -> AsyncIterator[Remote]:
    """A remote that listens on a port of its own."""
    remote = Remote()
    application = web.Application(client_max_size=2**26)
    application.router.add_route("*", "/{tail:.*}", remote._handle)
    runner = web.AppRunner(application, shutdown_timeout=0.01, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    remote.port = runner.addresses[0][1]
    try:
        yield remote
    finally:
        await runner.cleanup()
