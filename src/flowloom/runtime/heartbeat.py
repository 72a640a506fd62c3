"""The heartbeat of a process that runs nothing: it says that it lives. A worker says so with its dispatcher."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

from flowloom import errors
from flowloom.runtime.sources import BEATS
from flowloom.store import processes
from flowloom.store.database import Database


class Heartbeat:
    """`tick` says it once."""

    def __init__(self, database: Database, member: processes.Member) -> None:
        self._database = database
        self._member = member

    async def tick(self, _now: datetime) -> None:
        await self._database.write(processes.beat, self._member, 0)

    async def wait(self) -> None:
        await asyncio.sleep(self._member.silence.total_seconds() / BEATS)

    async def stop(self) -> None:
        """Be forgotten; without a database others find out by the silence."""
        with contextlib.suppress(errors.Busy):
            await self._database.write(processes.leave, self._member.id)
