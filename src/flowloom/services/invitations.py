"""Invitations: a link with which a user chooses a password, once and within seven days.

None is stored: a link is signed over the password's hash that it takes the place of, so that the new one ends it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from flowloom import errors
from flowloom.services import users, views
from flowloom.services.actor import Actor
from flowloom.store import tables
from flowloom.store.secrets import Vault

LIFETIME: Final = timedelta(days=7)
_PURPOSE: Final = "invitation"


def invite(connection: Connection, actor: Actor, vault: Vault, user_id: int) -> dict[str, Any]:
    """The token of a link for a user, and when it ends. Raises Missing."""
    row = users.load(connection, actor, user_id)
    expires_at = (actor.at + LIFETIME).replace(microsecond=0)
    expires = str(int(expires_at.timestamp()))
    token = ".".join((str(row.id), expires, _signature(vault, row, expires)))
    return {"token": token, "expires_at": views.instant(expires_at)}


def find(connection: Connection, vault: Vault, token: str, now: datetime) -> Row[Any]:
    """The user that a link is for. Raises Invalid on `token` for one that was used, has ended or never was one."""
    id, expires, signature = _parts(token)
    row = connection.execute(select(tables.users).where(users.USERS.id == id)).one_or_none()
    if row is None or not vault.verify(signature, *_signed(row, expires)):
        raise _over()
    if datetime.fromtimestamp(int(expires), UTC) <= now:
        raise _over()
    return row


def accept(connection: Connection, vault: Vault, token: str, password_hash: str, now: datetime) -> int:
    """Give the user of a link this password; the user's id. Raises Invalid as `find`."""
    row = find(connection, vault, token, now)
    own = (users.USERS.id == row.id, users.USERS.password_hash == row.password_hash)
    taken = update(tables.users).where(*own).values(password_hash=password_hash, updated_at=now)
    if not connection.execute(taken).rowcount:
        raise _over()
    return int(row.id)


def _parts(token: str) -> tuple[int, str, str]:
    id, _, rest = token.partition(".")
    expires, _, signature = rest.partition(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in (id, expires)):
        raise _over()
    return int(id), expires, signature


def _signature(vault: Vault, row: Row[Any], expires: str) -> str:
    return vault.sign(*_signed(row, expires))


def _signed(row: Row[Any], expires: str) -> tuple[str, ...]:
    return _PURPOSE, str(row.id), expires, row.password_hash


def _over() -> errors.Invalid:
    return errors.Invalid.field(
        "token", "This link was used or has ended; ask an administrator for another one."
    )
