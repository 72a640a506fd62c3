"""The outbox: messages that are written together with what they tell of, and delivered afterwards.

One row for each channel. A message has a key under which it is told once, whatever is done twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select, update

from flowloom.store import database, tables

GROUPS, ROWS = tables.notification_groups.c, tables.notifications.c
QUEUED, SENT, FAILED = STATES = ("queued", "sent", "failed")
CHANNEL_TYPES: Final = ("email", "webhook", "log")
MAX_SUBJECT: Final = 500
MAX_TEXT: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told; `once_key` (up to 240 characters) names the event, `flow_id` and `run_id` where it happened."""

    company_id: int
    subject: str
    text: str
    once_key: str
    flow_id: int | None = None
    run_id: int | None = None


def tell(connection: Connection, message: Message, *, group_id: int, at: datetime) -> None:
    """Queue a message for a notification group; for one that is gone, keep that nobody was told."""
    own = (GROUPS.id == group_id, GROUPS.company_id == message.company_id)
    channels = connection.execute(select(GROUPS.channels).where(*own)).scalar_one_or_none()
    if channels is not None:
        add(connection, message, channels, at)
        return
    why = f"Notification group {group_id} was not found; choose another one."
    _insert(
        connection,
        [{**_row(message, 0, {"type": "log"}, at), "state": FAILED, "next_at": None, "error": why}],
    )


def add(
    connection: Connection, message: Message, channels: Sequence[Mapping[str, Any]], at: datetime
) -> None:
    """Queue a message for these channels; those that have it already do not get it again."""
    _insert(connection, [_row(message, number, channel, at) for number, channel in enumerate(channels)])


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(database.insert_or_ignore(connection, tables.notifications, ROWS.once_key), rows)


def _row(message: Message, number: int, channel: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {
        "company_id": message.company_id,
        "flow_id": message.flow_id,
        "run_id": message.run_id,
        "once_key": f"{message.once_key}/{number}",
        "channel_type": channel["type"],
        "channel": dict(channel),
        "subject": " ".join(message.subject.replace("\0", "").split())[:MAX_SUBJECT],
        "text": message.text.replace("\0", "")[:MAX_TEXT],
        "state": QUEUED,
        "attempts": 0,
        "next_at": at,
        "error": None,
        "created_at": at,
        "updated_at": at,
    }


_DUE = (
    select(tables.notifications)
    .where(
        ROWS.channel_type == bindparam("channel_type"),
        ROWS.next_at <= bindparam("now", type_=ROWS.next_at.type),
        ROWS.id.not_in(bindparam("under_way", expanding=True)),
    )
    .order_by(ROWS.next_at, ROWS.id)
    .limit(bindparam("room"))
)


def due(
    connection: Connection, channel_type: str, now: datetime, room: int, under_way: Sequence[int]
) -> Sequence[Row[Any]]:
    """The queued messages of a kind of channel whose time has come, at most `room`, without those under way."""
    asked = {"channel_type": channel_type, "now": now, "room": room, "under_way": under_way}
    return connection.execute(_DUE, asked).all()


def state_after(*, is_sent: bool, next_at: datetime | None) -> str:
    """The state of a message after an attempt that arrived or did not; `next_at` is when it is tried again."""
    if is_sent:
        return SENT
    return FAILED if next_at is None else QUEUED


def settle(
    connection: Connection, id: int, at: datetime, state: str, error: str | None, next_at: datetime | None
) -> None:
    """Note how an attempt went; what is sent or failed never changes again."""
    values = {
        "state": state,
        "attempts": ROWS.attempts + 1,
        "next_at": next_at,
        "error": error and error.replace("\0", ""),
        "updated_at": at,
    }
    connection.execute(update(tables.notifications).where(ROWS.id == id, ROWS.state == QUEUED).values(values))
