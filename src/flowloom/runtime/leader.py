"""The leader: of the processes that may fire schedules, feed workers and clean up, the one that does."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

import structlog

from flowloom.engine import meters
from flowloom.runtime.supervisor import Supervisor
from flowloom.store.lease import Lease

log = structlog.get_logger(__name__)

# PostgreSQL ends the session of a leader that is silent for three seconds: another one leads within five.
LOOK_SECONDS: Final = 1.0


class Leader:
    """`tick` sees whether this process leads, and starts and stops the loops of whoever does."""

    def __init__(self, lease: Lease, loops: Supervisor) -> None:
        self._lease = lease
        self._loops = loops
        self.is_leading = False

    async def tick(self, _now: datetime) -> None:
        is_leading = await asyncio.to_thread(self._lease.lead)
        if is_leading and not self.is_leading:
            log.info("leads")
            self._loops.start()
        elif self.is_leading and not is_leading:
            log.warning("leads_no_more")
            await self._loops.stop()
        self.is_leading = is_leading
        meters.IS_LEADER.set(is_leading)
        if not is_leading:
            meters.QUEUE_READY.set(0)

    async def wait(self) -> None:
        await asyncio.sleep(LOOK_SECONDS)

    def faults(self) -> list[str]:
        """Which loops do not turn, while they should, in words."""
        return self._loops.faults() if self.is_leading else []

    async def stop(self) -> None:
        """Lead no more, so that another can at once."""
        self.is_leading = False
        await self._loops.stop()
        await asyncio.to_thread(self._lease.release)
