"""What the operator does from the command line, with the rights of whoever holds the machine."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from flowloom import errors
from flowloom.services import keys, names, passwords, users
from flowloom.services.actor import Actor, Role
from flowloom.store import tables

MIN_PASSWORD = 10


def operator(connection: Connection, company_id: int, at: datetime) -> Actor:
    """The operator as an administrator of a company. Raises Missing."""
    columns = tables.companies.c
    if connection.scalar(select(columns.id).where(columns.id == company_id)) is None:
        raise errors.Missing("Company", company_id)
    return Actor(company_id, Role.ADMINISTRATOR, at)


def create_user(
    connection: Connection,
    company_id: int,
    email: str,
    name: str | None,
    role: str,
    password: str | None,
    at: datetime,
) -> dict[str, Any]:
    """A user; with `password` in the answer if it was generated. Raises Missing, Invalid."""
    if role not in list(Role):
        raise errors.Invalid.field("role", f"The role is one of {', '.join(Role)}.")
    email = names.require("email", email)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise errors.Invalid.field("email", "An e-mail address looks like somebody@example.com.")
    if password is not None and len(password) < MIN_PASSWORD:
        raise errors.Invalid.field("password", f"A password has at least {MIN_PASSWORD} characters.")
    chosen = password or secrets.token_urlsafe(12)
    fields = {
        "email": email.lower(),
        "name": email if name is None else names.require("name", name),
        "role": role,
        "password_hash": passwords.hash(chosen),
    }
    made = users.create(connection, operator(connection, company_id, at), fields)
    return made if password else {**made, "password": chosen}


def create_key(connection: Connection, company_id: int, name: str, at: datetime) -> dict[str, Any]:
    """An API key, shown in the answer. Raises Missing, Invalid."""
    actor = operator(connection, company_id, at)
    return keys.create(connection, actor, names.require("name", name), keys.generate())


def revoke_key(connection: Connection, company_id: int, id: int, at: datetime) -> None:
    """End an API key. Raises Missing."""
    keys.revoke(connection, operator(connection, company_id, at), id)
