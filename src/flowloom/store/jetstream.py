"""The work queue at NATS JetStream: ids of runs that may begin, one subject for each priority, each to one worker.

A message that is not acknowledged comes again. Everything here can be lost and is made again from the database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from flowloom.store.handing import Offer
from flowloom.store.wire import FAILURES, Wire

log = structlog.get_logger(__name__)

PRIORITIES: Final = range(1, 6)
# NATS drops a message whose id it has seen so long ago, in seconds; its own default.
DUPLICATES_SECONDS: Final = 120
REPLICAS_IN_CLUSTER: Final = 3
ANSWER_SECONDS: Final = 5.0
# A request for the next message ends by itself after so long, so that one for a lost consumer is made again.
STANDING_SECONDS: Final = 5.0
# What is there comes at once, and is taken too if it comes later: a worker must go on to say that it lives.
FETCH_SECONDS: Final = 1.0
_NANOSECONDS: Final = 1_000_000_000
_NO_LIMIT: Final = -1
_MAX_WAITING: Final = 10_000
_NOT_FOUND: Final = 404


class Refused(Exception):
    """JetStream did not do what it was asked for."""


class Published(NamedTuple):
    """Where in the stream an offer stands; `is_old`: it stood there before, under the same id."""

    offer: Offer
    sequence: int
    is_old: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What the queue holds: by priority how many no worker has yet, and up to where they are delivered; `last` is where
    it ends. `made` tells one stream from the next of the same name."""

    made: str
    last: int
    pending: dict[int, int]
    delivered: dict[int, int]

    def ahead(self, priority: int) -> int:
        """How many no worker has yet that come before those of a priority, or beside them."""
        return sum(count for other, count in self.pending.items() if other <= priority)


@dataclass(frozen=True, slots=True)
class Names:
    """What belongs to one installation: its stream, its consumers and its subjects."""

    prefix: str

    @property
    def stream(self) -> str:
        return f"{self.prefix}-runs"

    def subject(self, priority: int) -> str:
        return f"{self.prefix}.runs.{priority}"

    @staticmethod
    def consumer(priority: int) -> str:
        return f"priority-{priority}"


class Queue:
    """The stream and its consumers."""

    def __init__(self, wire: Wire, names: Names, ack_seconds: float, replicas: int | None) -> None:
        self._wire = wire
        self._names = names
        self._ack_seconds = ack_seconds
        self._replicas = replicas

    async def ensure(self) -> None:
        """Make what is missing of it. Raises Refused, or one of FAILURES."""
        config = {
            "name": self._names.stream,
            "subjects": [self._names.subject(priority) for priority in PRIORITIES],
            "retention": "workqueue",
            "storage": "file",
            "num_replicas": self._replicas or (REPLICAS_IN_CLUSTER if self._wire.is_clustered else 1),
            "duplicate_window": DUPLICATES_SECONDS * _NANOSECONDS,
        }
        if await self._is_missing(f"STREAM.INFO.{self._names.stream}"):
            await self._api(f"STREAM.CREATE.{self._names.stream}", config)
            log.info("nats_stream_made", stream=self._names.stream, replicas=config["num_replicas"])
        for priority in PRIORITIES:
            await self._ensure_consumer(priority)

    async def _ensure_consumer(self, priority: int) -> None:
        name = f"{self._names.stream}.{self._names.consumer(priority)}"
        config = {
            "durable_name": self._names.consumer(priority),
            "filter_subject": self._names.subject(priority),
            "ack_policy": "explicit",
            "ack_wait": round(self._ack_seconds * _NANOSECONDS),
            "max_ack_pending": _NO_LIMIT,
            "max_waiting": _MAX_WAITING,
        }
        # Of one that is there it changes what has changed.
        await self._api(
            f"CONSUMER.DURABLE.CREATE.{name}", {"stream_name": self._names.stream, "config": config}
        )

    async def standing(self) -> Standing:
        """What it holds now. Raises Refused where a part of it is missing, or one of FAILURES."""
        stream = await self._api(f"STREAM.INFO.{self._names.stream}")
        listed = await self._api(f"CONSUMER.LIST.{self._names.stream}")
        consumers = {found["name"]: found for found in listed["consumers"]}
        try:
            ours = {priority: consumers[self._names.consumer(priority)] for priority in PRIORITIES}
        except KeyError as missing:
            raise Refused(f"there is no consumer {missing}") from None
        return Standing(
            made=stream["created"],
            last=stream["state"]["last_seq"],
            pending={priority: found["num_pending"] for priority, found in ours.items()},
            delivered={priority: found["delivered"]["stream_seq"] for priority, found in ours.items()},
        )

    def send(self, run_id: int, priority: int) -> None:
        """Offer a run without waiting for an answer."""
        self._wire.send(self._names.subject(priority), b"%d" % run_id, {"Nats-Msg-Id": str(run_id)})

    async def publish(self, offers: Sequence[tuple[Offer, str]]) -> list[Published]:
        """Offer runs, each under an id of its own; those that the stream has. What it has already stays as it is."""
        asked = (self._publish(offer, message_id) for offer, message_id in offers)
        return [one for one in await asyncio.gather(*asked) if one is not None]

    async def _publish(self, offer: Offer, message_id: str) -> Published | None:
        subject, headers = self._names.subject(offer.priority), {"Nats-Msg-Id": message_id}
        try:
            answer = await self._wire.client.request(
                subject, b"%d" % offer.run_id, timeout=ANSWER_SECONDS, headers=headers
            )
        except FAILURES:
            return None
        told = msgspec.json.decode(answer.data)
        return Published(offer, told["seq"], told.get("duplicate", False)) if "seq" in told else None

    async def _is_missing(self, asked: str) -> bool:
        answer = await self._answer(asked)
        return bool(answer.get("error", {}).get("code") == _NOT_FOUND)

    async def _api(self, what: str, content: Any = None) -> Any:
        answer = await self._answer(what, content)
        if "error" in answer:
            raise Refused(f"{what.split('.')[0].lower()}: {answer['error'].get('description')}")
        return answer

    async def _answer(self, what: str, content: Any = None) -> Any:
        payload = b"" if content is None else msgspec.json.encode(content)
        return msgspec.json.decode(
            await self._wire.request(f"$JS.API.{what}", payload, timeout=ANSWER_SECONDS)
        )


class Pull:
    """One priority's messages as a worker asks for them: one request at a time."""

    def __init__(self, wire: Wire, names: Names, priority: int, arrived: Callable[[int, Msg], None]) -> None:
        self._wire = wire
        self._ask_at = f"$JS.API.CONSUMER.MSG.NEXT.{names.stream}.{names.consumer(priority)}"
        self._priority = priority
        self._arrived = arrived
        self._inbox: str | None = None
        self._client: Client | None = None
        self._due = 0
        self._expires_at = 0.0
        self._ended = asyncio.Event()
        self._ended.set()

    @property
    def is_asking(self) -> bool:
        """Whether a request stands: then nothing waits for it at NATS.

        A server that dies takes it along without a word, so that its end is not waited for.
        """
        return not self._ended.is_set() and time.monotonic() < self._expires_at

    async def fetch(self, count: int) -> None:
        """Ask for up to so many messages that are there, and wait until they have arrived."""
        await self._ask(count, {"batch": count, "no_wait": True})
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                await self._ended.wait()
        except TimeoutError:
            self.forget()

    async def stand(self) -> None:
        """Ask for the next message, whenever it comes."""
        expires = round(STANDING_SECONDS * _NANOSECONDS)
        await self._ask(1, {"batch": 1, "expires": expires})

    def forget(self) -> None:
        """The request is lost, as the connection is."""
        self._ended.set()

    async def _ask(self, count: int, request: dict[str, Any]) -> None:
        client = self._wire.client
        if self._inbox is None or self._client is not client:
            self._client, self._inbox = client, client.new_inbox()
            await client.subscribe(self._inbox, cb=self._receive)
        self._due = count
        self._expires_at = time.monotonic() + STANDING_SECONDS + FETCH_SECONDS
        self._ended.clear()
        await client.publish(self._ask_at, msgspec.json.encode(request), reply=self._inbox)

    async def _receive(self, message: Msg) -> None:
        if (message.headers or {}).get("Status"):
            self._ended.set()
            return
        self._due -= 1
        self._arrived(self._priority, message)
        if self._due <= 0:
            self._ended.set()
