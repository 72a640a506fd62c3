"""What NATS has delivered to this worker: ids of runs, each in hand until it is said what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Final

import structlog
from nats.aio.msg import Msg

from flowloom import errors
from flowloom.store import jetstream
from flowloom.store.wire import FAILURES, Wire

log = structlog.get_logger(__name__)

# A run that cannot be claimed is tried again after ten seconds, in nanoseconds.
LATER: Final = b'-NAK {"delay": 10000000000}'
PROGRESS_IN_ACK_WAIT: Final = 3


class Deliveries:
    """Hands out what the queue delivers; every method is called on the event loop. `wake` is called when more came."""

    def __init__(
        self, wire: Wire, names: jetstream.Names, ack_seconds: float, wake: Callable[[], None]
    ) -> None:
        self._wire = wire
        self._ack_seconds = ack_seconds
        self._wake = wake
        self._pulls = {at: jetstream.Pull(wire, names, at, self._arrive) for at in jetstream.PRIORITIES}
        self._arrived: list[tuple[int, Msg]] = []
        self._in_hand: dict[int, list[Msg]] = {}

    async def take(self, room: int) -> list[int]:
        """The next runs for this worker, at most `room`, by priority; none when nothing waits. Then wait_for_work."""
        if not self._wire.is_up:
            return []
        try:
            await self._fetch(room)
        except FAILURES as error:
            log.info("nats_gave_nothing", reason=errors.words(error))
        self._arrived.sort(key=lambda arrived: arrived[0])
        taken, self._arrived = self._arrived[:room], self._arrived[room:]
        self.refuse()
        for _, message in taken:
            self._in_hand.setdefault(int(message.data), []).append(message)
        return [int(message.data) for _, message in taken]

    async def _fetch(self, room: int) -> None:
        """Ask the priorities in their order for what is there; of one with a standing request it is known: nothing."""
        for pull in self._pulls.values():
            if len(self._arrived) >= room:
                return
            if not pull.is_asking:
                await pull.fetch(room - len(self._arrived))
        if not self._arrived:
            for pull in self._pulls.values():
                if not pull.is_asking:
                    await pull.stand()

    def _arrive(self, priority: int, message: Msg) -> None:
        if not message.data.isdigit():
            # Nobody of ours has sent this: it shall not come again.
            self._wire.send(message.reply, Msg.Ack.Term)
            return
        self._arrived.append((priority, message))
        self._wake()

    def refuse(self) -> None:
        """There is no room: what has arrived meanwhile goes to others."""
        self._give_back(message for _, message in self._arrived)
        self._arrived = []

    def done(self, run_ids: Collection[int]) -> None:
        """These runs need no worker any more."""
        for run_id in run_ids:
            for message in self._in_hand.pop(run_id, ()):
                self._wire.send(message.reply)

    def put_back(self, run_ids: Collection[int]) -> None:
        """These runs go to another worker."""
        for run_id in run_ids:
            self._give_back(self._in_hand.pop(run_id, ()))

    def put_off(self, run_ids: Collection[int]) -> None:
        """These runs go to any worker, after a while."""
        for run_id in run_ids:
            self._give_back(self._in_hand.pop(run_id, ()), LATER)

    def _give_back(self, messages: Iterable[Msg], how: bytes = Msg.Ack.Nak) -> None:
        for message in messages:
            self._wire.send(message.reply, how)

    async def say_progress(self) -> None:
        """As long as runs are worked on, nobody else is given them."""
        while True:
            await asyncio.sleep(self._ack_seconds / PROGRESS_IN_ACK_WAIT)
            for messages in self._in_hand.values():
                for message in messages:
                    self._wire.send(message.reply, Msg.Ack.Progress)

    def forget(self) -> None:
        """The connection is another one: what was asked for on the one before does not come."""
        for pull in self._pulls.values():
            pull.forget()
