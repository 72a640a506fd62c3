"""Connections: where connectors may go and how they authenticate there.

A secret goes in sealed and never comes out. It is bound to its kind of authentication and to its hosts:
whoever changes one of these gives it again, so that nobody can send a stored secret elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec
from sqlalchemy import Connection, Row, Text, bindparam, delete, insert, select, type_coerce, update

from flowloom import errors
from flowloom.domain import version
from flowloom.engine import addresses
from flowloom.services import described, views
from flowloom.services.actor import Actor
from flowloom.store import query, tables
from flowloom.store.connections import seal_context
from flowloom.store.secrets import Vault

CONNECTIONS = tables.connections.c
AUTH_NONE: Final = "none"
# By kind of authentication: the field that is shown, and the one that is secret.
_SHOWN: Final = {"basic": "username", "header": "name"}
_SECRET: Final = {"bearer": "token", "basic": "password", "header": "value"}
_STORED: Final = (
    "name", "base_url", "allowed_hosts", "headers", "timeout_seconds", "connector_id", "variables"
)  # fmt: skip
_EMPTY: Final[Mapping[str, Any]] = {
    "base_url": None, "allowed_hosts": [], "headers": {}, "timeout_seconds": None, "connector_id": None,
    "variables": {},
}  # fmt: skip
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_UNSAFE_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_UNSAFE_IN_URL = re.compile(r"[\s\x00-\x1f\x7f\\]")

LISTING = query.Listing(
    select=select(tables.connections).where(CONNECTIONS.company_id == bindparam("company_id")),
    id=CONNECTIONS.id,
    sorts={name: CONNECTIONS[name] for name in ("name", "created_at", "updated_at")},
    filters={
        "id": query.Filter(CONNECTIONS.id, "id"),
        "name": query.Filter(CONNECTIONS.name, "text", help="Exact names, with commas between"),
        "connector_id": query.Filter(CONNECTIONS.connector_id, "id"),
    },
)


def page(connection: Connection, actor: Actor, asked: query.Page) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's connections."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [view(row) for row in found.rows]


def get(connection: Connection, actor: Actor, id: int) -> dict[str, Any]:
    """One connection. Raises Missing."""
    return view(load(connection, actor, id))


def load(connection: Connection, actor: Actor, id: int, *, lock: bool = False) -> Row[Any]:
    """A connection's row, its secret sealed. Raises Missing."""
    own = (CONNECTIONS.id == id, CONNECTIONS.company_id == actor.company_id)
    statement = select(tables.connections).where(*own)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise errors.Missing("Connection", id)
    return row


def create(connection: Connection, actor: Actor, vault: Vault, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A connection of {name, base_url, allowed_hosts, auth, headers, timeout_seconds, connector_id, variables}.

    Raises Invalid.
    """
    values = _checked(described.completed(connection, actor, {**_EMPTY, **fields}))
    secret = values.pop("secret")
    row = {
        "company_id": actor.company_id,
        **values,
        "secret": _sealed(vault, actor.company_id, values["auth_type"], secret, kept=None),
        "created_at": actor.at,
        "updated_at": actor.at,
    }
    return view(
        connection.execute(insert(tables.connections).values(row).returning(tables.connections)).one()
    )


def change(
    connection: Connection, actor: Actor, vault: Vault, id: int, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Change some of a connection's fields; hosts that follow from its base URL go on doing so.

    Raises Missing, and Invalid also where the stored secret would serve another kind or other hosts.
    """
    row = load(connection, actor, id, lock=True)
    values = _checked(described.changed(connection, actor, stored(row), fields))
    secret = values.pop("secret")
    is_bound = (
        values["auth_type"] == row.auth_type
        and set(values["allowed_hosts"]) <= set(row.allowed_hosts)
        and urlsplit(values["base_url"] or "").scheme == urlsplit(row.base_url or "").scheme
    )
    values["secret"] = _sealed(
        vault, actor.company_id, values["auth_type"], secret, kept=row.secret if is_bound else None
    )
    connection.execute(
        update(tables.connections).where(CONNECTIONS.id == id).values(**values, updated_at=actor.at)
    )
    return get(connection, actor, id)


def stored(row: Row[Any]) -> dict[str, Any]:
    """The fields as they would be sent, but for the secret."""
    fields = {name: getattr(row, name) for name in _STORED}
    if row.base_url and row.allowed_hosts == [_host_of(urlsplit(row.base_url))]:
        fields["allowed_hosts"] = []
    return {**fields, "auth": {"type": row.auth_type, **row.auth}}


def remove(connection: Connection, actor: Actor, id: int) -> None:
    """Delete a connection. Raises Missing, or Invalid while a Deployed version uses it."""
    load(connection, actor, id, lock=True)
    user = _user_of(connection, actor, id)
    if user is not None:
        raise errors.Invalid.field(
            "connection",
            f"Connection {id} is used by the Deployed {user}; undeploy it or deploy one without it.",
        )
    connection.execute(delete(tables.connections).where(CONNECTIONS.id == id))


def _user_of(connection: Connection, actor: Actor, id: int) -> str | None:
    """The name of a Deployed version that has a step with this connection."""
    flows, versions, steps = tables.flows.c, tables.versions.c, tables.steps.c
    candidates = connection.execute(
        select(flows.id, flows.name, versions.iteration, steps.config)
        .join(tables.versions, versions.flow_id == flows.id)
        .join(tables.steps, steps.flow_version_id == versions.id)
        .where(
            flows.company_id == actor.company_id,
            versions.status == version.Status.DEPLOYED,
            type_coerce(steps.config, Text).contains(f'"connection_id":{id}'),
        )
        .order_by(flows.id)
    )
    for row in candidates:
        if row.config.get("connection_id") == id:
            return f'version {row.iteration} of flow {row.id} "{row.name}"'
    return None


def view(row: Row[Any]) -> dict[str, Any]:
    """A connection as the API shows it: of its secret only whether there is one."""
    return views.present(
        {
            "id": row.id,
            "name": row.name,
            "base_url": row.base_url,
            "allowed_hosts": row.allowed_hosts,
            "auth": {"type": row.auth_type, **row.auth, "has_secret": row.secret is not None},
            "headers": row.headers,
            "timeout_seconds": row.timeout_seconds,
            "connector_id": row.connector_id,
            "variables": row.variables or None,
            "created_at": views.instant(row.created_at),
            "updated_at": views.instant(row.updated_at),
        }
    )


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of these fields, the secret still plain. Raises Invalid."""
    auth = fields["auth"]
    kind = auth["type"]
    base = None if fields["base_url"] is None else _base_url(fields["base_url"])
    hosts = list(fields["allowed_hosts"]) or ([_host_of(base)] if base else [])
    _require_hosts(hosts, kind, base)
    _require_headers(fields["headers"])
    shown = _SHOWN.get(kind)
    if shown is not None:
        _require_credential(kind, shown, auth.get(shown))
    return {
        **{name: fields[name] for name in _STORED},
        "allowed_hosts": hosts,
        "auth_type": kind,
        "auth": {} if shown is None else {shown: auth[shown]},
        "secret": auth.get(_SECRET.get(kind, "")),
    }


def _sealed(vault: Vault, company_id: int, kind: str, secret: str | None, *, kept: str | None) -> str | None:
    """The secret, sealed; where none is given the one that is kept. Raises Invalid when there must be one."""
    name = _SECRET.get(kind)
    if name is None:
        return None
    if secret is None and kept is not None:
        return kept
    _require_credential(kind, name, secret)
    return vault.seal(msgspec.json.encode({name: secret}), context=seal_context(company_id))


def _require_credential(kind: str, name: str, value: str | None) -> None:
    field = f"auth.{name}"
    if value is None:
        words = f"The {name} is needed for {kind} authentication"
        way_out = ", and again for another kind or other hosts." if name == _SECRET[kind] else "."
        raise errors.Invalid.field(field, words + way_out)
    if kind == "header" and name == "name":
        _require_header_name(field, value)
    if _UNSAFE_IN_VALUE.search(value):
        raise errors.Invalid.field(field, f"The {name} holds a line break or another control character.")
    if name == "username" and ":" in value:
        raise errors.Invalid.field(field, "The username of basic authentication holds no colon.")
    if not value and name != "password":
        raise errors.Invalid.field(field, f"The {name} is empty.")


def _require_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        field = f"headers.{name[:100]}"
        _require_header_name(field, name)
        if _UNSAFE_IN_VALUE.search(value):
            raise errors.Invalid.field(
                field, f"The header {name} holds a line break or another control character."
            )


def _require_header_name(field: str, name: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise errors.Invalid.field(field, f"{name[:100]!r} is no header name; use letters, digits and -.")


def _require_hosts(hosts: Sequence[str], kind: str, base: SplitResult | None) -> None:
    if not hosts and kind != AUTH_NONE:
        raise errors.Invalid.field(
            "allowed_hosts", "Name the hosts that may get the secret, or give a base_url."
        )
    for number, host in enumerate(hosts):
        addresses.Rules([host], f"allowed_hosts.{number}")
    if base is not None and hosts:
        port = base.port or {"http": 80, "https": 443}[base.scheme]
        if not addresses.Rules(hosts, "allowed_hosts").name(base.hostname or "", port):
            raise errors.Invalid.field(
                "allowed_hosts", f"The host of the base_url is not among them; add {_host_of(base)}."
            )


def _base_url(text: str) -> SplitResult:
    """Raises Invalid unless it is an absolute http or https URL with nothing but a path behind the host."""
    if not _UNSAFE_IN_URL.search(text):
        try:
            parts = urlsplit(text)
            is_usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
            if is_usable and "@" not in parts.netloc and not parts.query and not parts.fragment:
                return parts
        except ValueError:
            pass
    raise errors.Invalid.field(
        "base_url", "Use an absolute URL such as https://api.example.com/v1, without user, query or fragment."
    )


def _host_of(base: SplitResult) -> str:
    """The entry of allowed hosts that a base URL stands for: its host, and its port where it names one."""
    host = base.hostname or ""
    if base.port is None:
        return host
    return f"[{host}]:{base.port}" if ":" in host else f"{host}:{base.port}"
