"""The first start: an empty database gets a company and its administrator."""

from __future__ import annotations

import secrets
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


def prepare(platform: Platform) -> Welcome | None:
    """Make company and administrator where there is no user yet; None when there are users."""
    if platform.database.read_now(users.count):
        return None
    settings, now = platform.settings, platform.clock()
    password = settings.admin_password or secrets.token_urlsafe(12)
    password_hash = passwords.hash(password)

    def work(connection: Connection) -> tuple[int, int]:
        return users.create_company_with_admin(
            connection,
            company=COMPANY,
            email=settings.admin_email,
            name="Administrator",
            password_hash=password_hash,
            at=now,
        )

    company_id, user_id = platform.database.write_now(work)
    generated = None if settings.admin_password else password
    return Welcome(Actor(company_id, Role.ADMINISTRATOR, now, user_id), settings.admin_email, generated)
