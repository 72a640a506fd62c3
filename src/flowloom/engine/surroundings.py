"""What runs are executed with: the stores, the way out, the clock, the sleep. All is given, so that tests set it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowloom.engine import patience, tracing
from flowloom.engine.calls import Calls, LoadConnection
from flowloom.engine.systems import Systems
from flowloom.store import blobs, broker, journal
from flowloom.store.database import Database
from flowloom.store.journal import Lines

# Of a company and the content hash of a definition: the secrets of that, by name.
LoadSecrets = Callable[[int, str], Awaitable[Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`reach` is told the named crash points."""

    database: Database
    journal: journal.Journal
    broker: broker.Broker
    blobs: blobs.Blobs
    calls: Calls
    systems: Systems
    load_connection: LoadConnection
    load_secrets: LoadSecrets
    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]
    reach: Callable[[str], None]
    tracing: tracing.Tracing = tracing.OFF

    async def keep(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Ask the stores until they answer: a run waits for them, and is not lost."""
        return await patience.patiently(work, self.sleep)

    async def record(self, lines: Lines) -> None:
        """Write what a run has made so far."""
        await self.keep(lambda: self.journal.record(lines))

    def publish(self, run_id: int, kind: str, **about: object) -> None:
        """Tell those who watch a run."""
        if self.broker.is_watched(run_id):
            self.broker.publish(run_id, {"type": kind, **about})
