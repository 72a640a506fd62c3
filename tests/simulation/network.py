"""The other side of the simulated network: it takes requests, refuses some, loses answers, and remembers everything."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import msgspec
from tests.simulation.flows import POISON, SITE, page
from tests.simulation.process import Killed, Process

from flowloom.steps import contract


@dataclass(slots=True)
class Call:
    """One request: when it began, whether the other side took it, and what answer came back, if one did."""

    key: str | None
    path: str
    body: object
    began_at: datetime
    is_taken: bool = False
    status: int | None = None
    is_answered: bool = False


class Network:
    """The product's http.Client, as a run sees it. `fault_rate` is how many requests of one go wrong."""

    process: Process

    def __init__(
        self, seeded: random.Random, clock: Callable[[], datetime], note: Callable[..., None]
    ) -> None:
        self.calls: list[Call] = []
        self.breaches: list[str] = []
        self.fault_rate = 0.0
        self.latency_seconds = 0.1
        self._clock = clock
        self._note = note
        self._random = seeded
        self._open: set[str] = set()

    def cut_off(self) -> None:
        """The process that asked is gone."""
        self._open.clear()

    async def reachable(self, host: str, port: int) -> list[str]:
        """No flow here leads to another server than those of HTTP."""
        raise AssertionError((host, port))

    async def send(
        self,
        request: contract.Request,
        *,
        allowed_hosts: Sequence[str] | None = None,
        secret_headers: Collection[str] = (),
    ) -> contract.Response:
        """Answer as the seed says. Raises contract.RequestFailed."""
        self._require_alive()
        path = urlsplit(request.url).path
        call = Call(
            request.headers.get("Idempotency-Key"),
            path,
            msgspec.json.decode(request.body) if request.body else None,
            self._clock(),
        )
        self.calls.append(call)
        self._enter(call)
        try:
            return await self._answer(call, request)
        finally:
            self._open.discard(call.key or "")

    def _require_alive(self) -> None:
        """A process that has died sends nothing, though its last tasks may still be ended; and caps hold."""
        if self.process.is_dead:
            raise Killed("network")
        self.breaches += self.process.over_its_caps()

    def _enter(self, call: Call) -> None:
        if call.key is not None:
            if call.key in self._open:
                self.breaches.append(f"{call.path} is sent twice at once under the key {call.key}")
            self._open.add(call.key)

    async def _answer(self, call: Call, request: contract.Request) -> contract.Response:
        fault = self._random.choice(_FAULTS) if self._random.random() < self.fault_rate else None
        await asyncio.sleep(self._latency())
        if fault == "refused":
            self._failed(call, fault)
        if fault in (429, 503):
            return self._answered(call, request, fault, {"retry-after": str(self._random.choice((0, 2, 30)))})
        if _is_poison(call.body):
            return self._answered(call, request, 422, {})
        call.is_taken = True
        self._note("taken", call.path, call.key)
        await asyncio.sleep(request.timeout_seconds if fault == "silent" else self._latency())
        if fault in ("silent", "reset"):
            self._failed(call, fault)
        return self._answered(call, request, 200, {"content-type": "application/json"})

    def _latency(self) -> float:
        return self._random.random() * self.latency_seconds

    def _failed(self, call: Call, fault: str) -> None:
        call.is_answered = True
        self._note("failed", call.path, call.key, fault)
        raise contract.RequestFailed(f"{SITE}: {fault}.", passing=True)

    def _answered(
        self, call: Call, request: contract.Request, status: int, headers: dict[str, str]
    ) -> contract.Response:
        call.status, call.is_answered = status, True
        self._note("answered", call.path, call.key, status)
        body = page(call.path, dict(request.query)) if call.key is None else {}
        return contract.Response(status, headers, msgspec.json.encode(body), request.url)


_FAULTS = ("refused", "reset", "silent", 429, 503)


def _is_poison(body: object) -> bool:
    items = body if isinstance(body, list) else [body]
    return any(isinstance(item, dict) and item.get(POISON) for item in items)
