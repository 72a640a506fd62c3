"""The system that measured flows talk to: takes every POST, and answers a GET of /records with a page of them."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from bench import wire
from bench.floor import asgi, records

PAGE = 500


class Remote(asyncio.Protocol):
    """Answers as soon as a request is there: it must not be the limit."""

    def __init__(self, page: bytes) -> None:
        self._messages = wire.Messages()
        self._page = page

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        for head, _ in self._messages.feed(data):
            self._transport.write(self._page if head.startswith(b"GET /records") else wire.OK)


def answer() -> bytes:
    """The page as an answer's bytes."""
    return wire.answer(msgspec.json.encode([records.made(number) for number in range(PAGE)]))


async def main(port: int) -> None:
    page = answer()
    server = await asyncio.get_running_loop().create_server(lambda: Remote(page), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(asgi.arguments().port))
