"""The client of NATS with what nats-py lacks: it outlives servers that talk nonsense, and an end waits for nobody.

It overrides what nats-py keeps to itself; tests/cluster/test_wire.py fails where a new release has changed that.
"""

from __future__ import annotations

from typing import Any, Final

import nats.aio.client
from nats.errors import Error

# What nats-py stumbles over where a server does not say what is expected.
_STUMBLES: Final = (AssertionError, AttributeError, LookupError, TypeError, ValueError)


class Client(nats.aio.client.Client):
    """A client that keeps to what its URLs say."""

    def abandon(self) -> None:
        """End now: what is unsent is lost, and nothing is waited for."""
        self._status = Client.CLOSED
        tasks = [self._reading_task, self._ping_interval_task, self._flusher_task, self._reconnection_task]
        tasks += [subscription._wait_for_msgs_task for subscription in self._subs.values()]
        for task in tasks:
            if task is not None:
                task.cancel()
        if (writer := self._writer()) is not None:
            writer.transport.abort()

    async def _process_connect_init(self) -> None:
        """A server that talks nonsense is one that fails: the next one is tried."""
        try:
            await super()._process_connect_init()
        except _STUMBLES as error:
            raise Error(f"what answers does not speak NATS ({error!r})") from error

    def _writer(self) -> Any:
        """What writes to the server; None before the first connection."""
        return getattr(self._transport, "_io_writer", None)
