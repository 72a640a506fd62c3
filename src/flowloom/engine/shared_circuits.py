"""Circuit breakers that several processes share: the database counts, and each tells the others what it learned.

A connection whose requests go well costs nothing here. One that nobody could be told of is learned at the next failure.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog

from flowloom import errors
from flowloom.domain import timestamp
from flowloom.engine import patience
from flowloom.engine.circuits import Circuits, resting
from flowloom.store import breakers, broker
from flowloom.store.connections import Connection
from flowloom.store.database import Database

log = structlog.get_logger(__name__)
TOPIC: Final = "circuit"
# A trial whose process died is over then.
TRIAL_SECONDS: Final = 120.0


class SharedCircuits(Circuits):
    """As Circuits, with the state of all processes."""

    def __init__(
        self,
        database: Database,
        signals: broker.Broker,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__()
        self._sleep = sleep
        self._database = database
        self._signals = signals
        self._clock = clock
        self._trials: dict[int, datetime] = {}
        self._telling: set[asyncio.Task[None]] = set()
        signals.on_told(TOPIC, self._hear)

    async def start(self) -> None:
        for kept in await self._database.read(breakers.load):
            self.know(kept.connection_id, kept.failures, kept.opens_until)

    async def admit(self, connection: Connection) -> None:
        now = self._clock()
        if self.state(connection.id, now).name != "half_open":
            return
        until = now + timedelta(seconds=TRIAL_SECONDS)
        write, read = self._database.write, self._database.read
        claim = partial(write, breakers.claim_trial, connection.id, now, until)
        if await patience.patiently(claim, self._sleep):
            self._trials[connection.id] = until
            return
        # Another tries it, or something became of it that was not heard here.
        find = partial(read, breakers.find, connection.id)
        self.know(*await patience.patiently(find, self._sleep))
        if self.state(connection.id, now).name != "closed":
            raise resting(connection, (connection.circuit_breaker or {}).get("pause_seconds", 1.0))

    def learned(self, connection: Connection, *, failed: bool, is_trial: bool) -> None:
        self._tell(self._share(connection, failed=failed, is_trial=is_trial))

    def unlearned(self, connection: Connection) -> None:
        until = self._trials.pop(connection.id, None)
        if until is not None:
            self._tell(self._give_back(connection.id, until))

    def _tell(self, telling: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(telling)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _give_back(self, connection_id: int, until: datetime) -> None:
        """Without a database the trial is over after its time."""
        with contextlib.suppress(errors.Busy):
            await self._database.write(breakers.give_back, connection_id, until)

    async def _share(self, connection: Connection, *, failed: bool, is_trial: bool) -> None:
        try:
            known = await self._write(connection, failed=failed, is_trial=is_trial)
        except errors.Busy as error:
            log.warning("circuit_not_shared", connection_id=connection.id, reason=error.message)
            return
        self.know(*known)
        until = None if known.opens_until is None else timestamp.written(known.opens_until)
        self._signals.tell(TOPIC, {"id": known.connection_id, "failures": known.failures, "until": until})

    async def _write(self, connection: Connection, *, failed: bool, is_trial: bool) -> breakers.Kept:
        if not failed:
            await self._database.write(lambda db: breakers.succeed(db, connection.id, is_trial=is_trial))
            return breakers.Kept(connection.id, 0, None)
        breaker = connection.circuit_breaker or {}
        until = self._clock() + timedelta(seconds=breaker["pause_seconds"])
        return await self._database.write(
            lambda db: breakers.fail(db, connection.id, until, breaker["failures"], is_trial=is_trial)
        )

    def _hear(self, told: dict[str, Any]) -> None:
        until = None if told["until"] is None else timestamp.parse(told["until"])
        self.know(told["id"], told["failures"], until)
