"""Those who use the server: they start runs, stop them and retry them, and remember what they were told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select
from tests.simulation import flows
from tests.simulation.process import Process

from flowloom import errors
from flowloom.domain import run
from flowloom.services import retries, runs, stops
from flowloom.services.actor import Actor, Role
from flowloom.store import tables

AGAIN_SECONDS = 2.0
RETENTION_DAYS = 7
RUNS = tables.runs.c


@dataclass(slots=True)
class Wish:
    """A run that somebody wants, and its id once he was told. Who is patient asks again, with the same key."""

    key: str
    flow_id: int
    body: bytes
    is_patient: bool
    run_id: int | None = None


class Clients:
    """All of them. `live` is the process that they reach now."""

    def __init__(
        self, seeded: random.Random, clock: Callable[[], datetime], note: Callable[..., None]
    ) -> None:
        self.wishes: list[Wish] = []
        # When somebody was told that a run is stopped.
        self.stopped: dict[int, datetime] = {}
        self._random = seeded
        self._clock = clock
        self._note = note
        self._retries = 0

    def unanswered(self) -> list[Wish]:
        return [wish for wish in self.wishes if wish.is_patient and wish.run_id is None]

    def wish(self) -> Wish:
        """Somebody wants a run of some flow."""
        key = f"w{len(self.wishes)}"
        flow_id = self._random.choice([id for id in flows.FLOWS if id != flows.CLOCK])
        body = msgspec.json.encode(flows.FLOWS[flow_id].payload(self._random, key))
        self.wishes.append(Wish(key, flow_id, body, self._random.random() < 0.8))
        return self.wishes[-1]

    async def start(self, live: Process, wish: Wish) -> None:
        order = runs.Order(
            flow_id=wish.flow_id,
            trigger=run.Trigger.API,
            body=wish.body,
            idempotency=(wish.key, "") if wish.is_patient else None,
        )
        actor = self._actor(flows.company(wish.flow_id))
        started = await self._answer(lambda: runs.start(live.platform, actor, order), wish.is_patient)
        if started is not None:
            wish.run_id = started.run_id
            self._note("started", wish.key, wish.run_id)

    async def stop(self, live: Process) -> None:
        """Stop some run that goes on, as the API does it."""
        row = await self._some(live, RUNS.status.in_(run.UNFINISHED))
        if row is None:
            return
        write, actor = live.platform.database.write, self._actor(row.company_id)
        stopped = await self._answer(lambda: write(stops.stop, actor, row.id))
        if stopped is not None:
            for id in stopped.ordered:
                live.platform.broker.order_stop(id)
            self.stopped.update(dict.fromkeys([*stopped.ended, *stopped.ordered], self._clock()))
            self._note("stopped", *stopped.ended, *stopped.ordered)

    async def retry(self, live: Process) -> None:
        """Retry some run that has ended without success."""
        row = await self._some(live, RUNS.status.in_(retries.RETRIED))
        if row is None:
            return
        self._retries += 1
        platform, actor = live.platform, self._actor(row.company_id)
        wish = retries.Wish(idempotency=(f"retry {self._retries}", ""))
        asked = actor, platform.run_ids, row.id, wish, RETENTION_DAYS
        retried = await self._answer(lambda: platform.database.write(retries.retry, *asked))
        if retried is not None:
            self._note("retried", row.id, retried.started.run_id)
            platform.broker.wake()

    async def _some(self, live: Process, which: Any) -> Any:
        def read(connection: Connection) -> Any:
            return connection.execute(select(tables.runs).where(which).order_by(RUNS.id)).all()

        rows = await self._answer(lambda: live.platform.database.read(read))
        return self._random.choice(rows) if rows else None

    async def _answer(self, ask: Callable[[], Awaitable[Any]], is_patient: bool = True) -> Any:
        """What the server answers; None when it refuses, or cannot now and nobody asks again."""
        while True:
            try:
                return await ask()
            except errors.Busy:
                if not is_patient:
                    return None
                await asyncio.sleep(AGAIN_SECONDS)
            except errors.FlowloomError as error:
                self._note("refused", error.message)
                return None

    def _actor(self, company_id: int) -> Actor:
        return Actor(company_id, Role.MANAGER, self._clock())
