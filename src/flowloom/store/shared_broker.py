"""Signals between the processes of one installation, over NATS: runs to workers, events to who watches, stops.

As within one process, signals are hints: whatever is lost here is found again in the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
import structlog
from nats.aio.msg import Msg

from flowloom.store import broker, jetstream
from flowloom.store.deliveries import Deliveries
from flowloom.store.handing import Offer
from flowloom.store.wire import FAILURES, Wire

log = structlog.get_logger(__name__)

# While so many runs wait at NATS that go before a run, or beside it, more stay in the database: only there companies
# take turns.
BACKLOG: Final = 1000
# How long a told backlog is believed, and how long a process is told of what is watched.
BELIEVED_SECONDS: Final = 5.0
WATCHED_SECONDS: Final = 30.0
# No process asks more often for a look at the queue.
NUDGE_SECONDS: Final = 0.02
_AHEAD: Final = msgspec.json.Decoder(dict[int, int])
Events = asyncio.Queue[dict[str, Any] | None]


class SharedBroker(broker.Broker):
    """The broker of one of several processes; every method is called on the event loop."""

    def __init__(self, wire: Wire, prefix: str, ack_seconds: float, replicas: int | None = None) -> None:
        super().__init__()
        self.wire = wire
        self._prefix = prefix
        names = jetstream.Names(prefix)
        self.queue = jetstream.Queue(wire, names, ack_seconds, replicas)
        self.deliveries = Deliveries(wire, names, ack_seconds, super().wake)
        # How many wait for each priority, and when that was told.
        self._backlog: tuple[dict[int, int], float] = ({}, 0.0)
        self._watched: dict[int, float] = {}
        self._nudged = asyncio.Event()
        self._hears_nudges = False
        self._is_nudging = False
        self._nudged_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        wire.on_change(self._reconnected)
        for subject, handler in self._heard().items():
            wire.listen(f"{prefix}.{subject}", handler)

    def _heard(self) -> dict[str, Any]:
        return {
            "stop": self._hear_stop,
            "watch": self._hear_watch,
            "backlog": self._hear_backlog,
        }

    async def start(self) -> None:
        await self.wire.start()
        self._tasks = [asyncio.create_task(self.deliveries.say_progress())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.wire.stop()

    def faults(self) -> list[str]:
        return [] if self.wire.is_up else ["NATS cannot be reached"]

    # Work: offered by whoever starts a run and by the feeder. Workers take it from `deliveries`.

    def announce(self, run_id: int, priority: int) -> None:
        """Offer a run that is committed; where many wait, the feeder does it when its turn has come."""
        ahead, told_at = self._backlog
        if ahead.get(priority, 0) < BACKLOG or time.monotonic() > told_at + BELIEVED_SECONDS:
            self.queue.send(run_id, priority)
        else:
            self.wake()

    def tell_backlog(self, ahead: Mapping[int, int]) -> None:
        """Tell all processes how many runs wait at NATS that go before a new one, by its priority."""
        self.wire.send(f"{self._prefix}.backlog", msgspec.json.encode(ahead))

    def wake(self) -> None:
        """Say that a run may be ready: look at the queue, here and where the feeder is."""
        super().wake()
        if not self._is_nudging:
            self._is_nudging = True
            ahead = self._nudged_at + NUDGE_SECONDS - time.monotonic()
            asyncio.get_running_loop().call_later(max(ahead, 0.0), self._nudge)

    def _nudge(self) -> None:
        self._is_nudging, self._nudged_at = False, time.monotonic()
        self.wire.send(f"{self._prefix}.nudge")

    async def wait_for_nudge(self, timeout_seconds: float) -> None:
        """Return when any process says that a run may be ready, or after the timeout.

        Only who leads hears that: all processes say it, and were all to hear it, many would do little else.
        """
        if not self._hears_nudges:
            self._hears_nudges = True
            await self.wire.hear(f"{self._prefix}.nudge", self._hear_nudge)
        await broker.noticed(self._nudged, timeout_seconds)

    def _reconnected(self) -> None:
        self.deliveries.forget()
        broker.Broker.wake(self)

    # Events of runs: sent where somebody watches.

    def publish(self, run_id: int, event: dict[str, Any]) -> None:
        self.wire.send(f"{self._prefix}.events.{run_id}", msgspec.json.encode(event))

    def is_watched(self, run_id: int) -> bool:
        until = self._watched.get(run_id)
        return until is not None and time.monotonic() < until

    @asynccontextmanager
    async def watch(self, run_id: int) -> AsyncIterator[Events]:
        async with super().watch(run_id) as events, self._listening(run_id):
            yield events

    @asynccontextmanager
    async def _listening(self, run_id: int) -> AsyncIterator[None]:
        """Hear the events of a run, having told all workers that it is watched.

        Where NATS does not answer nothing is heard: who watches looks at the database now and then.
        """

        async def hear(message: Msg) -> None:
            super(SharedBroker, self).publish(run_id, msgspec.json.decode(message.data))

        heard, telling = None, asyncio.create_task(self._tell_watched(run_id))
        try:
            with contextlib.suppress(*FAILURES):
                heard = await self.wire.client.subscribe(f"{self._prefix}.events.{run_id}", cb=hear)
                await self.wire.client.flush(timeout=1)
            yield
        finally:
            telling.cancel()
            if heard is not None:
                with contextlib.suppress(*FAILURES):
                    await heard.unsubscribe()

    async def _tell_watched(self, run_id: int) -> None:
        while True:
            self.wire.send(f"{self._prefix}.watch", b"%d" % run_id)
            await asyncio.sleep(WATCHED_SECONDS / 3)

    def tell(self, topic: str, content: dict[str, Any]) -> None:
        self.wire.send(f"{self._prefix}.told.{topic}", msgspec.json.encode(content))

    def on_told(self, topic: str, handler: Callable[[dict[str, Any]], None]) -> None:
        async def hear(message: Msg) -> None:
            handler(msgspec.json.decode(message.data))

        self.wire.listen(f"{self._prefix}.told.{topic}", hear)

    def order_stop(self, run_id: int) -> None:
        """Ask whoever runs this run, here or elsewhere, to stop it."""
        self.wire.send(f"{self._prefix}.stop", b"%d" % run_id)

    async def _hear_stop(self, message: Msg) -> None:
        super().order_stop(int(message.data))

    async def _hear_watch(self, message: Msg) -> None:
        now = time.monotonic()
        self._watched = {id: until for id, until in self._watched.items() if until > now}
        self._watched[int(message.data)] = now + WATCHED_SECONDS

    async def _hear_backlog(self, message: Msg) -> None:
        self._backlog = (_AHEAD.decode(message.data), time.monotonic())

    async def _hear_nudge(self, _message: Msg) -> None:
        self._nudged.set()


def message_id(offer: Offer, repeat: int) -> str:
    """What NATS tells offers of one run apart by: a run that never waited for anything is known by its id alone."""
    state = offer.state
    is_new = state.fence == 0 and state.gate == 0 and not state.holds and not repeat
    return str(offer.run_id) if is_new else f"{offer.run_id}.{'.'.join(map(str, state))}.{repeat}"
