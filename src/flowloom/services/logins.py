"""Logins: the account that an e-mail address names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from flowloom.store import tables

_FIND = select(tables.users).where(tables.users.c.email == bindparam("email"))


def find(connection: Connection, email: str) -> Row[Any] | None:
    """The user with this address, which is in lower case; None when there is none."""
    return connection.execute(_FIND, {"email": email}).one_or_none()
