"""The floor of a webhook's run: the same I/O (receive, filter, map, POST by aiohttp) without versions or history."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import msgspec

from bench.floor import asgi


class Pipeline:
    """Answers a call at once and works on it afterwards, as the product does."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        content = await asgi.body(receive)
        if content:
            task = asyncio.create_task(self.work(msgspec.json.decode(content)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await asgi.answer(send, b'{"message":"Run queued."}')

    async def work(self, order: dict[str, Any]) -> None:
        if order.get("status") != "paid":
            return
        customer = order["customer"]
        mapped = {
            "reference": order["id"],
            "ship_to": {"name": customer["name"], "city": customer["city"].upper()},
            "lines": order["lines"],
            "channel": "webshop",
        }
        await self.post(msgspec.json.encode(mapped))

    async def post(self, content: bytes) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=512))
        headers = {"Content-Type": "application/json"}
        async with self._session.post(self._target, data=content, headers=headers) as answer:
            await answer.read()


if __name__ == "__main__":
    given = asgi.arguments("--target")
    asgi.run(Pipeline(given.target), given.port)
