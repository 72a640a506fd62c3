"""Users: who may log in to a company and as what. A company never loses its last administrator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from flowloom import errors
from flowloom.services import views
from flowloom.services.actor import Actor, Role
from flowloom.store import query, tables

USERS, COMPANIES = tables.users.c, tables.companies.c

LISTING = query.Listing(
    select=select(tables.users).where(USERS.company_id == bindparam("company_id")),
    id=USERS.id,
    sorts={name: USERS[name] for name in ("email", "name", "created_at", "updated_at")},
    filters={
        "id": query.Filter(USERS.id, "id"),
        "email": query.Filter(USERS.email, "text", help="Addresses in lower case, with commas between"),
        "search": query.part_of(USERS.name + " " + USERS.email, "name or of the address"),
        "role": query.Filter(USERS.role, "choice", choices={role: role for role in Role}),
    },
)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's users."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [view(row) for row in found.rows]


def get(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """One user. Raises Missing."""
    return view(load(connection, actor, id))


def load(connection: Connection, actor: Actor, id: int) -> Row[Any]:
    """A user's row. Raises Missing."""
    statement = select(tables.users).where(USERS.id == id, USERS.company_id == actor.company_id)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise errors.Missing("User", id)
    return row


def by_id(connection: Connection, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The users with these ids that still exist, by id, as `get` shows them."""
    rows = connection.execute(select(tables.users).where(USERS.id.in_(list(ids))))
    return {row.id: view(row) for row in rows}


def me(connection: Connection, actor: Actor) -> dict[str, Any]:
    """The caller: a user, or an API key, which has neither id nor e-mail address."""
    company = connection.execute(
        select(COMPANIES.name, COMPANIES.is_set_up).where(COMPANIES.id == actor.company_id)
    ).one()
    user = None if actor.user_id is None else load(connection, actor, actor.user_id)
    return {
        **({"id": user.id, "email": user.email, "name": user.name} if user else {"name": "API key"}),
        "role": actor.role,
        "company_id": actor.company_id,
        "company_name": company.name,
        "is_api_key": actor.is_key,
        "must_set_up": actor.role is Role.ADMINISTRATOR and not company.is_set_up,
    }


def create(connection: Connection, actor: Actor, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A user of {email, name, password_hash, role}. Raises Invalid on `email` when it is taken."""
    values = {"company_id": actor.company_id, **fields}
    return get(connection, actor, _insert(connection, values, actor.at))


def change(connection: Connection, actor: Actor, id: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Change some of a user's fields. Raises Missing; Invalid on `email` or `role`."""
    _lock_company(connection, actor)
    row = load(connection, actor, id)
    if fields.get("role", row.role) != row.role:
        _require_other_administrator(connection, row, "role", "demoted")
    if fields:
        changed = update(tables.users).where(USERS.id == id).values(**fields, updated_at=actor.at)
        try:
            connection.execute(changed)
        except IntegrityError:
            raise _taken(fields["email"]) from None
    return get(connection, actor, id)


def remove(connection: Connection, actor: Actor, id: int) -> None:
    """Delete a user. Raises Missing; Invalid on `user` for oneself and for the last administrator."""
    _lock_company(connection, actor)
    row = load(connection, actor, id)
    if id == actor.user_id:
        raise errors.Invalid.field("user", "Nobody deletes himself; another administrator can do it.")
    _require_other_administrator(connection, row, "user", "deleted")
    connection.execute(delete(tables.users).where(USERS.id == id))


def create_company_with_admin(
    connection: Connection,
    *,
    company: str,
    email: str,
    name: str,
    password_hash: str,
    at: datetime,
    is_set_up: bool,
) -> tuple[int, int]:
    """A company and its first administrator; their ids. Raises Invalid on `email` when it is taken."""
    row = {"name": company, "is_set_up": is_set_up, "created_at": at, "updated_at": at}
    created = insert(tables.companies).values(row).returning(COMPANIES.id)
    company_id = int(connection.execute(created).scalar_one())
    admin = {
        "company_id": company_id,
        "email": email.strip().lower(),
        "name": name,
        "password_hash": password_hash,
        "role": Role.ADMINISTRATOR,
    }
    return company_id, _insert(connection, admin, at)


def count(connection: Connection) -> int:
    """How many users there are, of all companies."""
    return connection.scalar(select(func.count()).select_from(tables.users)) or 0


def view(row: Row[Any]) -> dict[str, Any]:
    """A user as the API shows it."""
    return {
        "id": row.id,
        "email": row.email,
        "name": row.name,
        "role": row.role,
        "created_at": views.instant(row.created_at),
        "updated_at": views.instant(row.updated_at),
    }


def _insert(connection: Connection, values: Mapping[str, Any], at: datetime) -> int:
    row = {**values, "created_at": at, "updated_at": at}
    try:
        inserted = connection.execute(insert(tables.users).values(row).returning(USERS.id))
    except IntegrityError:
        raise _taken(values["email"]) from None
    return int(inserted.scalar_one())


def _taken(email: str) -> errors.Invalid:
    return errors.Invalid.field("email", f"The address {email} is taken by another user.")


def _lock_company(connection: Connection, actor: Actor) -> None:
    """Keep two administrators from taking each other's role at the same time."""
    connection.execute(select(COMPANIES.id).where(COMPANIES.id == actor.company_id).with_for_update())


def _require_other_administrator(connection: Connection, row: Row[Any], field: str, done: str) -> None:
    if row.role != Role.ADMINISTRATOR:
        return
    others = select(func.count()).where(
        USERS.company_id == row.company_id, USERS.role == Role.ADMINISTRATOR, USERS.id != row.id
    )
    if not connection.scalar(others):
        raise errors.Invalid.field(
            field, f"{row.email} is the last administrator and cannot be {done}; appoint another one first."
        )
