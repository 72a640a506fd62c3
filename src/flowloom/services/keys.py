"""API keys: made once, kept as their hash, revoked but never forgotten."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from flowloom import errors
from flowloom.services import principals, views
from flowloom.services.actor import Actor
from flowloom.store import query, tables

KEYS = tables.api_keys.c

LISTING = query.Listing(
    select=select(tables.api_keys).where(KEYS.company_id == bindparam("company_id")),
    id=KEYS.id,
    sorts={name: KEYS[name] for name in ("name", "created_at")},
    filters={"search": query.part_of(KEYS.name)},
)


def generate() -> str:
    """A new key: `flk_` and 43 characters that nobody guesses."""
    return principals.KEY_PREFIX + secrets.token_urlsafe(32)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's keys, revoked ones too."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [view(row) for row in found.rows]


def create(connection: Connection, actor: Actor, name: str, key: str) -> dict[str, Any]:
    """Keep the hash of a key; the answer alone holds the key itself, as `key`."""
    row = {
        "company_id": actor.company_id,
        "name": name,
        "key_hash": principals.hash_key(key),
        "hint": key[-4:],
        "created_at": actor.at,
    }
    created = connection.execute(insert(tables.api_keys).values(row).returning(tables.api_keys)).one()
    return {**view(created), "key": key}


def revoke(connection: Connection, actor: Actor, id: int) -> None:
    """End a key for good; one that is revoked already keeps its time. Raises Missing."""
    own = (KEYS.id == id, KEYS.company_id == actor.company_id)
    if connection.scalar(select(KEYS.id).where(*own)) is None:
        raise errors.Missing("API key", id)
    revoked = update(tables.api_keys).where(*own, KEYS.revoked_at.is_(None))
    connection.execute(revoked.values(revoked_at=actor.at))


def view(row: Row[Any]) -> dict[str, Any]:
    """A key as the API shows it."""
    return views.present(
        {
            "id": row.id,
            "name": row.name,
            "hint": row.hint,
            "created_at": views.instant(row.created_at),
            "revoked_at": views.instant(row.revoked_at),
        }
    )
