"""Whose turn it is: the rate limits of connections, shared by all runs of this process.

Each connection with a limit has a token bucket and one line before it. Whoever is first waits for a token; leaving
the line takes none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from flowloom.store.connections import Connection

SECONDS_PER_MINUTE = 60.0
# What is missing by a rounding error is not waited for, and nobody waits for less than a clock can tell.
_ENOUGH = 1 - 1e-6
_SHORTEST_SECONDS = 0.001
# Who waits longer looks now and then whether the limit is another.
LOOK_AGAIN_SECONDS = 2.0


class Asker(Protocol):
    """Whoever wants to send a request."""

    async def waits_for_turn(self, seconds: float) -> None:
        """It is about to wait about so long."""

    async def rate_limit(self) -> Mapping[str, Any] | None:
        """The limit as it is now; None is none."""

    def waited_for_turn(self, seconds: float) -> None:
        """It had to wait so long, also when it leaves the line."""


class Turns:
    """The lines of all connections. `on_wait` is called when a request begins to wait for its turn."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        on_wait: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._on_wait = on_wait
        self._buckets: dict[int, _Bucket] = {}
        # How many requests wait now.
        self.waiting = 0

    async def take(self, connection: Connection, asker: Asker) -> None:
        """Wait until this connection's next request may go out, in the order of asking."""
        limit = connection.rate_limit
        if limit is None:
            self._buckets.pop(connection.id, None)
            return
        bucket = self._buckets.get(connection.id)
        if bucket is None:
            bucket = self._buckets[connection.id] = _Bucket(limit, self._clock())
        bucket.change(limit)
        if bucket.waiting or bucket.missing_seconds(self._clock()):
            await self._wait(bucket, asker)
        else:
            bucket.tokens -= 1

    async def _wait(self, bucket: _Bucket, asker: Asker) -> None:
        began = self._clock()
        seconds = bucket.line_seconds(began)
        self.waiting += 1
        bucket.waiting += 1
        self._on_wait()
        try:
            await asker.waits_for_turn(seconds)
            async with bucket.line:
                while seconds := bucket.missing_seconds(self._clock()):
                    await self._sleep(min(seconds, LOOK_AGAIN_SECONDS))
                    if seconds > LOOK_AGAIN_SECONDS:
                        bucket.change(await asker.rate_limit())
                bucket.tokens -= 1
        finally:
            self.waiting -= 1
            bucket.waiting -= 1
            asker.waited_for_turn((self._clock() - began).total_seconds())


class _Bucket:
    """Tokens that come back with time, at most `burst` of them; each request takes one."""

    def __init__(self, limit: Mapping[str, Any], now: datetime) -> None:
        self.line = asyncio.Lock()
        self.waiting = 0
        self.change(limit)
        self.tokens = self._burst
        self._counted_at = now

    def change(self, limit: Mapping[str, Any] | None) -> None:
        """Go on by this limit, with who waits already; without one nobody waits any more."""
        self.is_open = limit is None
        if limit is None:
            return
        per_second = limit.get("per_second")
        self._rate: float = limit["per_minute"] / SECONDS_PER_MINUTE if per_second is None else per_second
        self._burst = float(limit["burst"])

    def line_seconds(self, now: datetime) -> float:
        """Seconds until there is a token for who comes last, behind all that wait."""
        return self.missing_seconds(now) + self.waiting / self._rate

    def missing_seconds(self, now: datetime) -> float:
        """Seconds until there is a whole token; 0 when there is one, or none is asked for."""
        if self.is_open:
            return 0.0
        # A clock that is set back must not stop the tokens from coming.
        passed = max((now - self._counted_at).total_seconds(), 0.0)
        self.tokens = min(self.tokens + passed * self._rate, self._burst)
        self._counted_at = now
        if self.tokens >= _ENOUGH:
            return 0.0
        return max((1 - self.tokens) / self._rate, _SHORTEST_SECONDS)
