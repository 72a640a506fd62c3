"""Stored connections as the engine needs them, with their secret unsealed in memory only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from sqlalchemy import Connection as DbConnection
from sqlalchemy import Row, select

from flowloom import errors
from flowloom.store import tables
from flowloom.store.secrets import Vault

_SECRETS: Final = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a connection leads and what it adds. `secret` is {token}, {password} or {value} by `auth_type`."""

    id: int
    name: str
    base_url: str | None
    allowed_hosts: Sequence[str]
    auth_type: str
    auth: Mapping[str, Any]
    secret: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str]
    timeout_seconds: int | None
    variables: Mapping[str, Any]


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
        name=row.name,
        base_url=row.base_url,
        allowed_hosts=row.allowed_hosts,
        auth_type=row.auth_type,
        auth=row.auth,
        secret=_open(vault, row),
        headers=row.headers,
        timeout_seconds=row.timeout_seconds,
        variables=row.variables,
    )


def _open(vault: Vault, row: Row[Any]) -> dict[str, str]:
    if row.secret is None:
        return {}
    return _SECRETS.decode(vault.open(row.secret, context=seal_context(row.company_id)))
