"""The load generator, a process of its own: bounded in count and time, with the figures as JSON on its output.

It reads one JSON object from its input: {mode, port, count, ...}.
repeat: {connections, method, path, authorization} - the same request over and over on each connection.
trips:  {at_once, path, sink_port} - calls a webhook with a record, and waits for the answer and for the POST that
        comes of it at the sink before the next one.
fill:   {connections, path, count} - calls a webhook so many times, each time with another record, and does not look
        at what comes of it.
paced:  {per_second, seconds, path} - calls a webhook at a fixed rate and tells how long each answer took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec
import uvloop

from bench import wire

LIMIT_SECONDS = 120.0


class Caller(asyncio.Protocol):
    """A connection that sends one request at a time."""

    def __init__(self) -> None:
        self._messages = wire.Messages()
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        for head, body in self._messages.feed(data):
            assert self._answer is not None
            if head.startswith(b"HTTP/1.1 200"):
                self._answer.set_result(body)
            else:
                self._answer.set_exception(RuntimeError((head + b"\n" + body[:500]).decode()))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    def call(self, request: bytes) -> asyncio.Future[bytes]:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer


class Sink(asyncio.Protocol):
    """Takes POSTs and tells each body."""

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        self._messages = wire.Messages()
        self._receive = receive

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        for _, body in self._messages.feed(data):
            self._transport.write(wire.OK)
            self._receive(body)


async def connect(port: int) -> Caller:
    _, caller = await asyncio.get_running_loop().create_connection(Caller, "127.0.0.1", port)
    return caller


async def free(idle: list[Caller], port: int) -> Caller:
    """The connection used last, or a new one where the server has closed them for being idle."""
    while idle:
        caller = idle.pop()
        if caller.is_open:
            return caller
    return await connect(port)


async def repeat(order: dict[str, Any]) -> dict[str, Any]:
    callers = [await connect(order["port"]) for _ in range(order["connections"])]
    request = wire.request(order["method"], order["path"], authorization=order["authorization"])
    first = await callers[0].call(request)
    left = iter(range(order["count"]))

    async def work(caller: Caller) -> None:
        for _ in left:
            await caller.call(request)

    began = time.perf_counter()
    await asyncio.gather(*(work(caller) for caller in callers))
    return {"seconds": time.perf_counter() - began, "first": first.decode()}


def record(number: int) -> bytes:
    """An order that the measured flow lets through."""
    line = {"sku": f"SKU-{number % 97}", "quantity": 1 + number % 5, "price": 19.95}
    order = {
        "id": number,
        "status": "paid",
        "customer": {"name": "Ann Example", "city": "Delft"},
        "lines": [line],
    }
    return msgspec.json.encode(order)


async def trips(order: dict[str, Any]) -> dict[str, Any]:
    arrivals = [asyncio.get_running_loop().create_future() for _ in range(order["count"])]

    def receive(body: bytes) -> None:
        arrived = arrivals[msgspec.json.decode(body)["reference"]]
        if not arrived.done():
            arrived.set_result(None)

    sink = await asyncio.get_running_loop().create_server(
        lambda: Sink(receive), "127.0.0.1", order["sink_port"]
    )
    callers = [await connect(order["port"]) for _ in range(order["at_once"])]
    left = iter(range(order["count"]))

    async def work(caller: Caller) -> None:
        for number in left:
            await caller.call(wire.request("POST", order["path"], record(number)))
            await arrivals[number]

    began = time.perf_counter()
    await asyncio.gather(*(work(caller) for caller in callers))
    seconds = time.perf_counter() - began
    sink.close()
    return {"seconds": seconds}


async def fill(order: dict[str, Any]) -> dict[str, Any]:
    callers = [await connect(order["port"]) for _ in range(order["connections"])]
    left = iter(range(order["count"]))

    async def work(caller: Caller) -> None:
        for number in left:
            await caller.call(wire.request("POST", order["path"], record(number)))

    began = time.perf_counter()
    await asyncio.gather(*(work(caller) for caller in callers))
    return {"seconds": time.perf_counter() - began}


async def paced(order: dict[str, Any]) -> dict[str, Any]:
    latencies: list[float] = []
    loop, count = asyncio.get_running_loop(), int(order["per_second"] * order["seconds"])
    idle = [await connect(order["port"]) for _ in range(64)]
    began = loop.time()

    async def one(number: int, caller: Caller) -> None:
        due = began + number / order["per_second"]
        await caller.call(wire.request("POST", order["path"], record(number)))
        latencies.append((loop.time() - due) * 1000)
        idle.append(caller)

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(began + number / order["per_second"] - loop.time())
            group.create_task(one(number, await free(idle, order["port"])))
    return {"latencies_ms": latencies}


async def main() -> None:
    order = json.load(sys.stdin)
    work = {"repeat": repeat, "trips": trips, "fill": fill, "paced": paced}[order["mode"]]
    async with asyncio.timeout(LIMIT_SECONDS):
        json.dump(await work(order), sys.stdout)


if __name__ == "__main__":
    uvloop.run(main())
