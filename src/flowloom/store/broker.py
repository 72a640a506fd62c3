"""Signals inside one process: there is work, this run changed, stop that run. `shared_broker`: between several.

Signals are hints. The truth is in the database, so a lost signal costs a poll's delay and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

# A subscriber that does not read is cut off here rather than fill the memory.
BACKLOG = 1000
# Of a wait that is longer, the second within which a poll finds that it is over is little.
WOKEN_SECONDS = 60.0
# An event loop's timers are as exact as that.
LATENESS_SECONDS = 0.001


class Broker:
    """The in-process broker; every method is called on the event loop."""

    def __init__(self) -> None:
        self._work = asyncio.Event()
        self._subscribers: dict[int, set[asyncio.Queue[dict[str, Any] | None]]] = {}
        self._stop_handler: Callable[[int], None] | None = None
        self._is_closing = False

    async def start(self) -> None:
        """Begin to listen; before anything else is called."""

    async def stop(self) -> None:
        """Stop listening; after everything else."""

    def faults(self) -> list[str]:
        """Why signals do not get through, in words."""
        return []

    def wake(self) -> None:
        """Say that a run may be ready."""
        self._work.set()

    def wake_in(self, seconds: float) -> None:
        """Say then that a run may be ready. What is further away those find who look now and then."""
        if seconds < WOKEN_SECONDS:
            asyncio.get_running_loop().call_later(max(seconds, 0.0) + LATENESS_SECONDS, self.wake)

    def announce(self, run_id: int, priority: int) -> None:
        """Say that a run is committed and ready."""
        self.wake()

    async def wait_for_work(self, timeout_seconds: float) -> None:
        """Return at the next wake, or after the timeout."""
        await noticed(self._work, timeout_seconds)

    def publish(self, run_id: int, event: dict[str, Any]) -> None:
        """Give an event to whoever watches this run."""
        for subscriber in self._subscribers.get(run_id, ()):
            if subscriber.full():
                subscriber.get_nowait()
            subscriber.put_nowait(event)

    def is_watched(self, run_id: int) -> bool:
        return run_id in self._subscribers

    @asynccontextmanager
    async def watch(self, run_id: int) -> AsyncIterator[asyncio.Queue[dict[str, Any] | None]]:
        """A queue of this run's events, from now on."""
        events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(BACKLOG)
        self._subscribers.setdefault(run_id, set()).add(events)
        if self._is_closing:
            events.put_nowait(None)
        try:
            yield events
        finally:
            self._subscribers[run_id].discard(events)
            if not self._subscribers[run_id]:
                del self._subscribers[run_id]

    def close_watchers(self) -> None:
        """End every stream, also those to come: the server goes down."""
        self._is_closing = True
        for subscribers in self._subscribers.values():
            for subscriber in subscribers:
                if subscriber.full():
                    subscriber.get_nowait()
                subscriber.put_nowait(None)

    def tell(self, topic: str, content: dict[str, Any]) -> None:
        """Tell the other processes something; alone, there are none."""

    def on_told(self, topic: str, handler: Callable[[dict[str, Any]], None]) -> None:
        """Call this with what other processes tell; before the start."""

    def on_stop(self, handler: Callable[[int], None]) -> None:
        self._stop_handler = handler

    def order_stop(self, run_id: int) -> None:
        """Ask whoever runs this run to stop it."""
        if self._stop_handler is not None:
            self._stop_handler(run_id)


async def noticed(event: asyncio.Event, timeout_seconds: float) -> None:
    """Return when it is set, and take that back, or after the timeout."""
    try:
        # Not wait_for, which until Python 3.12 loses a cancellation that comes together with what it waits for.
        async with asyncio.timeout(timeout_seconds):
            await event.wait()
    except TimeoutError:
        return
    event.clear()
