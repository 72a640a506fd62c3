"""Stored connections as the engine needs them, with their secret unsealed in memory only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection as DbConnection
from sqlalchemy import select, update

from flowloom import errors
from flowloom.store import secret_variables, tables
from flowloom.store.secrets import Vault

_SECRETS: Final = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a connection leads, what it adds and how much of it is allowed.

    `secret` holds the secret fields of its `auth_type`, such as {token} or {client_secret}. `updated_at` tells one
    edit from the next; a token that the other side rotates is no edit. Over another `protocol` than http, `auth`
    tells the server: host, port, username, host_key, database, tls, or a file. `secret_variables` are by name.
    """

    id: int
    company_id: int
    name: str
    base_url: str | None
    allowed_hosts: Sequence[str]
    auth_type: str
    auth: Mapping[str, Any]
    secret: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str]
    timeout_seconds: int | None
    variables: Mapping[str, Any]
    rate_limit: Mapping[str, Any] | None
    circuit_breaker: Mapping[str, Any] | None
    updated_at: datetime
    protocol: str = "http"
    secret_variables: Mapping[str, str] = field(default_factory=dict, repr=False)


def seal_context(company_id: int) -> str:
    """What a connection's secret is bound to: it cannot be opened for another company."""
    return f"connection:{company_id}"


def load(connection: DbConnection, vault: Vault, company_id: int, id: int) -> Connection:
    """A company's connection. Raises Missing."""
    table = tables.connections.c
    row = connection.execute(
        select(tables.connections).where(table.id == id, table.company_id == company_id)
    ).one_or_none()
    if row is None:
        raise errors.Missing("Connection", id)
    return Connection(
        id=row.id,
        company_id=row.company_id,
        name=row.name,
        base_url=row.base_url,
        allowed_hosts=row.allowed_hosts,
        auth_type=row.auth_type,
        auth=row.auth,
        secret=opened(vault, company_id, row.secret),
        headers=row.headers,
        timeout_seconds=row.timeout_seconds,
        rate_limit=row.rate_limit,
        circuit_breaker=row.circuit_breaker,
        updated_at=row.updated_at,
        protocol=row.protocol,
        variables=row.variables,
        secret_variables=secret_variables.opened(vault, secret_variables.CONNECTION, company_id, row.secrets),
    )


def sealed(vault: Vault, company_id: int, secret: Mapping[str, str]) -> str:
    """The secret fields of a connection of this company, as they are stored."""
    return vault.seal(msgspec.json.encode(secret), context=seal_context(company_id))


def opened(vault: Vault, company_id: int, stored: str | None) -> dict[str, str]:
    """The secret fields that are stored so; none of NULL. Raises errors.Invalid when they cannot be opened."""
    if stored is None:
        return {}
    return _SECRETS.decode(vault.open(stored, context=seal_context(company_id)))


def rotate(db: DbConnection, vault: Vault, connection: Connection, secret: Mapping[str, str]) -> None:
    """Keep the secret fields that the other side gave in place of the stored ones.

    Whoever has edited the connection since it was loaded comes first: then nothing is kept.
    """
    table = tables.connections.c
    db.execute(
        update(tables.connections)
        .where(
            table.id == connection.id,
            table.company_id == connection.company_id,
            table.updated_at == connection.updated_at,
        )
        .values(secret=sealed(vault, connection.company_id, secret))
    )
