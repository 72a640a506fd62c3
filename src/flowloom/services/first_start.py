"""The first start: an empty database gets a company and its administrator."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from flowloom.services import passwords, users
from flowloom.services.actor import Actor, Role
from flowloom.services.platform import Platform

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

    def work(connection: Connection) -> Actor:
        company_id, user_id = users.create_company_with_admin(
            connection,
            company=COMPANY,
            email=settings.admin_email,
            name="Administrator",
            password_hash=password_hash,
            at=now,
        )
        actor = Actor(company_id, Role.ADMINISTRATOR, now, user_id)
        plant(connection, actor)
        return actor

    actor = platform.database.write_now(work)
    return Welcome(actor, settings.admin_email, None if settings.admin_password else password)
