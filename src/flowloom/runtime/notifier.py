"""The notifier: delivers what is in the outbox, each message at least once, and notices flows that do not run.

Deliveries go on beside the loop, each kind of channel with room of its own: a slow server holds up nobody else.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Row

from flowloom import errors
from flowloom.domain import templates, timestamp
from flowloom.engine.http import Client
from flowloom.engine.mail import Mail, Mailer
from flowloom.steps import contract
from flowloom.store import alerts, columns, outbox, secret_variables
from flowloom.store.database import Database
from flowloom.store.secrets import Vault

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
WATCH_EVERY: Final = timedelta(seconds=30)
# How many messages are on their way at the same time, for each kind of channel.
ROOM: Final = {"email": 8, "webhook": 16, "log": 64}
WEBHOOK_TIMEOUT_SECONDS: Final = 15.0
# 30 s, a minute, two ...: the last attempt is about an hour after the first.
MAX_ATTEMPTS: Final = 8
BACKOFF: Final = timedelta(seconds=30)
DATABASE_PAUSE_SECONDS: Final = 1.0


class Notifier:
    """`tick` begins the deliveries that are due; they go on as tasks of the event loop."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        http: Client,
        mailer: Mailer,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        reach: Callable[[str], None],
    ) -> None:
        self._database = database
        self._vault = vault
        self._http = http
        self._mailer = mailer
        self._clock = clock
        self._sleep = sleep
        self._reach = reach
        self._under_way: dict[str, dict[int, asyncio.Task[None]]] = {kind: {} for kind in ROOM}
        self._watch_again_at = columns.EPOCH

    async def tick(self, now: datetime) -> int:
        """Notice who is silent, and begin what is due; how many deliveries."""
        await self._watch(now)
        begun = 0
        for kind, room in ROOM.items():
            under_way = self._under_way[kind]
            left = room - len(under_way)
            rows = await self._database.read(outbox.due, kind, now, left, list(under_way)) if left > 0 else ()
            for row in rows:
                self._begin(kind, row)
            begun += len(rows)
        return begun

    async def wait(self) -> None:
        """Until it is worth to look again."""
        await asyncio.sleep(POLL_SECONDS)

    async def settle(self) -> None:
        """Wait for the deliveries that are under way."""
        await asyncio.gather(*self._tasks(), return_exceptions=True)

    async def stop(self) -> None:
        """Break off what is under way; it is delivered again after the next start."""
        for task in self._tasks():
            task.cancel()
        await self.settle()

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [task for tasks in self._under_way.values() for task in tasks.values()]

    async def _watch(self, now: datetime) -> None:
        if now < self._watch_again_at:
            return
        self._watch_again_at = now + WATCH_EVERY
        for flow_id in await self._database.read(alerts.changes_in_time, now):
            await self._database.write(alerts.tell_in_time, flow_id, now)

    def _begin(self, kind: str, row: Row[Any]) -> None:
        def forget(done: asyncio.Task[None]) -> None:
            if not done.cancelled() and done.exception() is not None:
                # It keeps its place, so that what fails inside is not sent each second until the next start.
                log.error("notification_failed_inside", id=row.id, exc_info=done.exception())
                return
            del self._under_way[kind][row.id]

        task = self._under_way[kind][row.id] = asyncio.create_task(self._deliver(row))
        task.add_done_callback(forget)

    async def _deliver(self, row: Row[Any]) -> None:
        """Send one message, and write down how that went however long the database is away."""
        said, again = await self._outcome(row)
        self._reach("notification-delivered")
        now = self._clock()
        next_at = now + BACKOFF * 2**row.attempts if again and row.attempts + 1 < MAX_ATTEMPTS else None
        state = outbox.state_after(is_sent=again is None, next_at=next_at)
        while True:
            try:
                await self._database.write(outbox.settle, row.id, now, state, said, next_at)
                return
            except errors.Busy as busy:
                log.warning("notification_waits_for_database", reason=busy.message)
                await self._sleep(DATABASE_PAUSE_SECONDS)

    async def _outcome(self, row: Row[Any]) -> tuple[str | None, bool | None]:
        """What is to be said of an attempt, and whether to try again; None: it arrived."""
        try:
            return await self._send(row), None
        except contract.RequestFailed as failed:
            return failed.why, failed.passing

    async def _send(self, row: Row[Any]) -> str | None:
        match row.channel_type:
            case "email":
                return await self._mailer.send(_mail(row))
            case "webhook":
                await self._post(row)
            case _:
                log.info("notification", **_told(row))
        return None

    async def _post(self, row: Row[Any]) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": _id(row)}
        answer = await self._http.send(
            contract.Request(
                method="POST",
                url=self._url(row),
                headers=headers,
                body=msgspec.json.encode(_told(row)),
                timeout_seconds=WEBHOOK_TIMEOUT_SECONDS,
                is_delivery=True,
            )
        )
        if not 200 <= answer.status < 300:
            raise contract.RequestFailed(f"The webhook answered {answer.status}.", passing=True)

    def _url(self, row: Row[Any]) -> str:
        """Where a webhook leads, with its secrets filled in; without any it is as it is, whatever it holds."""
        url: str = row.channel["url"]
        kept = row.channel.get("secrets")
        if kept is None:
            return url
        try:
            secrets = secret_variables.opened(self._vault, secret_variables.CHANNEL, row.company_id, kept)
        except errors.Invalid as invalid:
            raise contract.RequestFailed(invalid.message, passing=False) from None
        return templates.compile(url).render(templates.Scope(secrets, None, row.created_at))


def _told(row: Row[Any]) -> dict[str, Any]:
    return {
        "subject": row.subject,
        "text": row.text,
        "flow_id": row.flow_id,
        "run_id": row.run_id,
        "at": timestamp.written(row.created_at),
    }


def _mail(row: Row[Any]) -> Mail:
    return Mail(id=_id(row), to=row.channel["to"], subject=row.subject, text=row.text, at=row.created_at)


def _id(row: Row[Any]) -> str:
    """Equal on every attempt of this message to this channel."""
    return hashlib.sha256(row.once_key.encode()).hexdigest()[:32]
