"""Whose turn it is: the rate limits of connections, shared by all runs of this process, or of all processes.

Each connection with a limit has a token bucket and one line before it. Whoever is first waits for a token; leaving
the line takes none. Processes that work together take their tokens from the database.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from flowloom.store.connections import Connection

SECONDS_PER_MINUTE = 60.0
# What is missing by a rounding error is not waited for, and nobody waits for less than a clock can tell.
_ENOUGH = 1 - 1e-6
_SHORTEST_SECONDS = 0.001
# Who waits longer looks now and then whether the limit is another.
LOOK_AGAIN_SECONDS = 2.0


# Of a connection, its requests a second and its burst: takes the next turn of all processes; in how many seconds.
Book = Callable[[int, float, float], Awaitable[float]]


class Asker(Protocol):
    """Whoever wants to send a request."""

    async def waits_for_turn(self, seconds: float) -> None:
        """It is about to wait about so long."""

    async def rate_limit(self) -> Mapping[str, Any] | None:
        """The limit as it is now; None is none."""

    def waited_for_turn(self, seconds: float) -> None:
        """It had to wait so long, also when it leaves the line."""


class Turns:
    """The lines of all connections. `on_wait` is called when a request begins to wait; `book`: see Book."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        on_wait: Callable[[], None],
        book: Book | None = None,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._on_wait = on_wait
        self._book = book
        self._lines: dict[int, _Line] = {}
        # How many requests wait now.
        self.waiting = 0

    async def take(self, connection: Connection, asker: Asker) -> None:
        """Wait until this connection's next request may go out, in the order of asking."""
        limit = connection.rate_limit
        if limit is None:
            self._lines.pop(connection.id, None)
            return
        line = self._lines.get(connection.id)
        if line is None:
            line = self._lines[connection.id] = _Line(self._tokens(connection.id, limit))
        line.tokens.change(limit)
        if line.waiting or await line.missing_seconds(self._clock()):
            await self._wait(line, asker)

    def _tokens(self, connection_id: int, limit: Mapping[str, Any]) -> _Tokens:
        if self._book is None:
            return _Bucket(limit, self._clock())
        return _Booked(limit, functools.partial(self._book, connection_id))

    async def _wait(self, line: _Line, asker: Asker) -> None:
        began = self._clock()
        seconds = line.seconds(began)
        self.waiting += 1
        line.waiting += 1
        self._on_wait()
        try:
            await asker.waits_for_turn(seconds)
            async with line.first:
                while seconds := await line.tokens.take(self._clock()):
                    await self._sleep(min(seconds, LOOK_AGAIN_SECONDS))
                    if seconds > LOOK_AGAIN_SECONDS:
                        line.tokens.change(await asker.rate_limit())
        finally:
            self.waiting -= 1
            line.waiting -= 1
            asker.waited_for_turn((self._clock() - began).total_seconds())


class _Tokens(Protocol):
    """Where the tokens of a connection come from."""

    def change(self, limit: Mapping[str, Any] | None) -> None:
        """Go on by this limit, with who waits already; without one nobody waits any more."""

    async def take(self, now: datetime) -> float:
        """Take a token, or say in how many seconds there is one; 0: it is taken, or none is asked for."""

    def missing_seconds(self, now: datetime) -> float:
        """Seconds until there is a token, as far as is known."""

    @property
    def rate(self) -> float:
        """Tokens a second."""


class _Line:
    """Who waits for the tokens of one connection."""

    def __init__(self, tokens: _Tokens) -> None:
        self.tokens = tokens
        self.first = asyncio.Lock()
        self.waiting = 0

    async def missing_seconds(self, now: datetime) -> float:
        """Take a token where nobody waits; 0, or how long there is none."""
        async with self.first:
            return await self.tokens.take(now)

    def seconds(self, now: datetime) -> float:
        """Seconds until there is a token for who comes last, behind all that wait."""
        return self.tokens.missing_seconds(now) + self.waiting / self.tokens.rate


class _Limited:
    """A limit, as it is now."""

    rate: float
    burst: float

    def __init__(self, limit: Mapping[str, Any]) -> None:
        self.is_open = False
        self.change(limit)

    def change(self, limit: Mapping[str, Any] | None) -> None:
        self.is_open = limit is None
        if limit is None:
            return
        per_second = limit.get("per_second")
        self.rate = limit["per_minute"] / SECONDS_PER_MINUTE if per_second is None else float(per_second)
        self.burst = float(limit["burst"])


class _Bucket(_Limited):
    """Tokens that come back with time, at most `burst` of them; each request takes one."""

    def __init__(self, limit: Mapping[str, Any], now: datetime) -> None:
        super().__init__(limit)
        self._tokens = self.burst
        self._counted_at = now

    async def take(self, now: datetime) -> float:
        seconds = self.missing_seconds(now)
        if not seconds:
            self._tokens -= 1
        return seconds

    def missing_seconds(self, now: datetime) -> float:
        if self.is_open:
            return 0.0
        # A clock that is set back must not stop the tokens from coming.
        passed = max((now - self._counted_at).total_seconds(), 0.0)
        self._tokens = min(self._tokens + passed * self.rate, self.burst)
        self._counted_at = now
        if self._tokens >= _ENOUGH:
            return 0.0
        return max((1 - self._tokens) / self.rate, _SHORTEST_SECONDS)


class _Booked(_Limited):
    """Tokens of all processes: whoever is first in line here books the next, and keeps it until its time has come."""

    def __init__(self, limit: Mapping[str, Any], book: Callable[[float, float], Awaitable[float]]) -> None:
        super().__init__(limit)
        self._book = book
        self._booked: tuple[float, float, datetime] | None = None

    async def take(self, now: datetime) -> float:
        if self.is_open:
            return 0.0
        if self._booked is None or self._booked[:2] != (self.rate, self.burst):
            seconds = await self._book(self.rate, self.burst)
            self._booked = (self.rate, self.burst, now + timedelta(seconds=seconds))
        seconds = self.missing_seconds(now)
        if not seconds:
            self._booked = None
        return seconds

    def missing_seconds(self, now: datetime) -> float:
        if self._booked is None or self.is_open:
            return 0.0
        seconds = (self._booked[2] - now).total_seconds()
        return seconds if seconds > _SHORTEST_SECONDS else 0.0
