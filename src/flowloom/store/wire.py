"""The connection to NATS: made in the background, and made again however long that takes.

What cannot be sent is dropped: whoever sends it has its truth in the database.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import structlog
from nats.aio.msg import Msg
from nats.errors import Error

from flowloom import errors
from flowloom.store.nats_client import Client

log = structlog.get_logger(__name__)

CONNECT_SECONDS: Final = 2
RECONNECT_SECONDS: Final = 0.5
# How long an end waits for a server that takes nothing.
STOP_SECONDS: Final = 5.0
# Of what waits to be sent while the connection is slow no more is kept.
MAX_UNSENT: Final = 100_000
# What a client of NATS raises when a server does not answer, or says no.
FAILURES: Final = (Error, OSError, TimeoutError)
Handler = Callable[[Msg], Awaitable[None]]


class Wire:
    """One connection, and what is told by it."""

    def __init__(self, servers: Sequence[str], name: str) -> None:
        self._servers = [server.strip() for server in servers]
        self._name = name
        self._client: Client | None = None
        self._handlers: list[tuple[str, Handler]] = []
        self._unsent: deque[tuple[str, bytes, Mapping[str, str] | None]] = deque(maxlen=MAX_UNSENT)
        self._has_unsent = asyncio.Event()
        self._is_ending = False
        self._tasks: list[asyncio.Task[None]] = []
        self._on_change: list[Callable[[], None]] = []
        self._reasons: set[str] = set()

    @property
    def is_up(self) -> bool:
        """Whether the connection stands."""
        return self._client is not None and self._client.is_connected

    @property
    def client(self) -> Client:
        """The connection. Raises ConnectionError while there is none."""
        if self._client is None or not self._client.is_connected:
            raise ConnectionError("there is no connection to NATS")
        return self._client

    @property
    def is_clustered(self) -> bool:
        """Whether the server that it is connected to is one of several."""
        return bool(self.client._server_info.get("cluster"))

    async def start(self) -> None:
        """Begin to connect; answers at once."""
        self._tasks = [asyncio.create_task(self._keep_connected()), asyncio.create_task(self._send_all())]

    async def stop(self) -> None:
        """Send what is unsent, if that can be, and end the connection; a server that takes nothing is left."""
        self._is_ending = True
        self._has_unsent.set()
        # nats-py swallows being cancelled while it sends: whatever does not end is left alone.
        ending = asyncio.create_task(self._end())
        _, late = await asyncio.wait([ending], timeout=STOP_SECONDS)
        if late:
            log.warning("nats_left", unsent=len(self._unsent))
        self._unsent.clear()
        if self._client is not None:
            self._client.abandon()
        for task in (ending, *self._tasks):
            task.cancel()

    async def _end(self) -> None:
        if self._tasks:
            keeping, sending = self._tasks
            await sending
            keeping.cancel()
            await asyncio.wait([keeping])
        if self._client is not None:
            with contextlib.suppress(*FAILURES):
                # One that closes with something unread takes back what the server has not read yet.
                await self.client.flush(timeout=STOP_SECONDS)  # type: ignore[arg-type]
            with contextlib.suppress(*FAILURES):
                await self._client.close()

    def listen(self, subject: str, handler: Handler) -> None:
        """Give the messages of a subject to a handler, from the first connection on; before the start."""
        self._handlers.append((subject, handler))

    async def hear(self, subject: str, handler: Handler) -> None:
        """The same from now on."""
        self.listen(subject, handler)
        if self.is_up:
            await self.client.subscribe(subject, cb=handler)

    def on_change(self, noticed: Callable[[], None]) -> None:
        """Call this each time the connection is lost or stands again."""
        self._on_change.append(noticed)

    def send(self, subject: str, payload: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Send something soon, in order; dropped without a connection."""
        if self.is_up:
            self._unsent.append((subject, payload, headers))
            self._has_unsent.set()

    async def request(self, subject: str, payload: bytes = b"", timeout: float = CONNECT_SECONDS) -> bytes:
        """Ask for an answer. Raises one of FAILURES."""
        answer = await self.client.request(subject, payload, timeout=timeout)
        return answer.data

    async def _keep_connected(self) -> None:
        """A client gives up for good only when a server refuses it, which may change."""
        while True:
            client = Client()
            try:
                await self._hold(client)
            except Exception as error:  # noqa: BLE001 - whatever a server has said, it is tried again
                await self._failed(error)
                client.abandon()
            except asyncio.CancelledError:
                if client is not self._client:
                    client.abandon()
                raise
            self._client = None
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _hold(self, client: Client) -> None:
        """Connect it, which takes as long as it takes, and wait until it is closed."""
        closed = asyncio.Event()

        async def ended() -> None:
            closed.set()

        await client.connect(
            self._servers,
            name=self._name,
            connect_timeout=CONNECT_SECONDS,
            reconnect_time_wait=RECONNECT_SECONDS,  # type: ignore[arg-type]
            max_reconnect_attempts=-1,
            ping_interval=10,
            max_outstanding_pings=2,
            error_cb=self._failed,
            disconnected_cb=self._lost,
            reconnected_cb=self._back,
            closed_cb=ended,
        )
        for subject, handler in self._handlers:
            await client.subscribe(subject, cb=handler)
        self._client = client
        self._tell()
        await closed.wait()

    async def _send_all(self) -> None:
        while not self._is_ending:
            await self._has_unsent.wait()
            self._has_unsent.clear()
            await self._send_unsent()

    async def _send_unsent(self) -> None:
        while self._unsent:
            subject, payload, headers = self._unsent.popleft()
            try:
                await self.client.publish(subject, payload, headers=dict(headers) if headers else None)
            except Exception as error:  # noqa: BLE001 - the next message may be well
                if not self.is_up:
                    self._unsent.clear()
                    return
                log.warning("nats_message_dropped", subject=subject, reason=errors.words(error))

    async def _failed(self, error: Exception) -> None:
        """Told once, until a connection stands: it is tried twice a second."""
        reason = errors.words(error)
        told = log.debug if reason in self._reasons else log.warning
        self._reasons.add(reason)
        told("nats_failed", reason=reason)

    async def _lost(self) -> None:
        log.warning("nats_lost")
        self._tell()

    async def _back(self) -> None:
        log.info("nats_back")
        self._tell()

    def _tell(self) -> None:
        if self.is_up:
            self._reasons.clear()
        for noticed in self._on_change:
            noticed()
