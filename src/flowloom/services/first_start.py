"""The first start: an empty database gets a company and its administrator, who says who he is when he first signs in,
unless the operator chose his password."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, update

from flowloom import errors
from flowloom.services import companies, passwords, users
from flowloom.services.actor import Actor, Role
from flowloom.services.platform import Platform
from flowloom.store import locks, tables

COMPANY = "My company"


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the first start made; `generated_password` None: the operator chose it."""

    actor: Actor
    email: str
    generated_password: str | None = field(repr=False)


def prepare(
    platform: Platform, plant: Callable[[Connection, Actor], object] = lambda _connection, _actor: None
) -> Welcome | None:
    """Make company and administrator where there is no user yet, and with them what `plant` makes; None when there
    are users."""
    if platform.database.read_now(users.count):
        return None
    settings, now = platform.settings, platform.clock()
    password = settings.admin_password or secrets.token_urlsafe(12)
    password_hash = passwords.hash(password)

    def work(connection: Connection) -> Actor | None:
        locks.hold(connection, ["first start"])
        if users.count(connection):
            return None
        company_id, user_id = users.create_company_with_admin(
            connection,
            company=COMPANY,
            email=settings.admin_email,
            name="Administrator",
            password_hash=password_hash,
            at=now,
            is_set_up=settings.admin_password is not None,
        )
        actor = Actor(company_id, Role.ADMINISTRATOR, now, user_id)
        plant(connection, actor)
        return actor

    actor = platform.database.write_now(work)
    if actor is None:
        return None
    return Welcome(actor, settings.admin_email, None if settings.admin_password else password)


def finish(connection: Connection, actor: Actor, user: Mapping[str, Any], company_name: str) -> int:
    """Set a new company up, once: the caller becomes who `user` {name, email, password_hash} says; his id.

    Raises Conflict for a company that is set up, Invalid on `email` when it is taken.
    """
    waiting = (companies.COMPANIES.id == actor.company_id, companies.COMPANIES.is_set_up.is_(False))
    taken = update(tables.companies).where(*waiting).values(is_set_up=True)
    if actor.user_id is None or not connection.execute(taken).rowcount:
        raise errors.Conflict("This company is set up; change users and the company one by one.")
    companies.change(connection, actor, {"name": company_name})
    users.change(connection, actor, actor.user_id, user)
    return actor.user_id
