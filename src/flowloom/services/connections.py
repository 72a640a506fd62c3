"""Connections: where connectors may go and how they authenticate there.

What is secret of it goes in sealed and never comes out. It is bound to its kind of authentication and to its hosts:
whoever changes one of these gives it again, so that nobody can send a stored secret elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from flowloom import errors
from flowloom.engine import addresses, circuits
from flowloom.engine.circuits import Circuits
from flowloom.services import credentials, described, in_use, secret_variables, servers, views
from flowloom.services.actor import Actor
from flowloom.store import connections as stored
from flowloom.store import query, tables
from flowloom.store.secret_variables import CONNECTION, Kept
from flowloom.store.secrets import Vault

CONNECTIONS = tables.connections.c
_STORED: Final = (
    "name", "base_url", "allowed_hosts", "headers", "timeout_seconds", "rate_limit", "circuit_breaker",
    "connector_id", "variables",
)  # fmt: skip
_EMPTY: Final[Mapping[str, Any]] = {
    "base_url": None, "allowed_hosts": [], "headers": {}, "timeout_seconds": None, "rate_limit": None,
    "circuit_breaker": None, "connector_id": None, "variables": {}, "secrets": {}, "protocol": servers.HTTP,
}  # fmt: skip

LISTING = query.Listing(
    select=select(tables.connections).where(CONNECTIONS.company_id == bindparam("company_id")),
    id=CONNECTIONS.id,
    sorts={name: CONNECTIONS[name] for name in ("name", "created_at", "updated_at")},
    filters={
        "id": query.Filter(CONNECTIONS.id, "id"),
        "name": query.Filter(CONNECTIONS.name, "text", help="Exact names, with commas between"),
        "search": query.part_of(CONNECTIONS.name),
        "connector_id": query.Filter(CONNECTIONS.connector_id, "id"),
    },
)


def page(
    connection: Connection, actor: Actor, states: Circuits, asked: query.Page
) -> tuple[query.Found, list[dict[str, Any]]]:
    """A page of the company's connections."""
    found = query.fetch(connection, LISTING, asked, company_id=actor.company_id)
    return found, [view(row, states.state(row.id, actor.at)) for row in found.rows]


def get(connection: Connection, actor: Actor, states: Circuits, id: int) -> dict[str, Any]:
    """One connection. Raises Missing."""
    return view(load(connection, actor, id), states.state(id, actor.at))


def load(connection: Connection, actor: Actor, id: int, *, lock: bool = False) -> Row[Any]:
    """A connection's row, its secret sealed. Raises Missing."""
    own = (CONNECTIONS.id == id, CONNECTIONS.company_id == actor.company_id)
    statement = select(tables.connections).where(*own)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise errors.Missing("Connection", id)
    return row


def create(connection: Connection, actor: Actor, vault: Vault, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A connection of {name, base_url, allowed_hosts, auth, headers, timeout_seconds, rate_limit, circuit_breaker,
    connector_id, variables, secrets}, or of {name, protocol, server, timeout_seconds, variables}.

    Raises Invalid.
    """
    secrets = _secrets(vault, actor, {}, fields)
    whole: Mapping[str, Any] = {**_EMPTY, **fields, "secrets": secrets}
    if whole["protocol"] == servers.HTTP:
        whole = described.completed(connection, actor, whole)
    row = {
        "company_id": actor.company_id,
        **_checked(whole),
        "secret": _sealed(vault, actor.company_id, _auth(whole), {}),
        "secrets": secrets,
        "created_at": actor.at,
        "updated_at": actor.at,
    }
    made = connection.execute(insert(tables.connections).values(row).returning(tables.connections)).one()
    return view(made, circuits.State("closed"))


def change(
    connection: Connection,
    actor: Actor,
    states: Circuits,
    vault: Vault,
    id: int,
    fields: Mapping[str, Any],
) -> dict[str, Any]:
    """Change some of a connection's fields; hosts that follow from its URLs go on doing so.

    Raises Missing, and Invalid also where the stored secret would serve another kind or other hosts.
    """
    row = load(connection, actor, id, lock=True)
    servers.require_same(row.protocol, fields.get("protocol", row.protocol))
    secrets = _secrets(vault, actor, row.secrets, fields)
    whole = _changed(connection, actor, row, {**fields, "secrets": secrets})
    values = {**_checked(whole), "secrets": secrets}
    if not _is_same_place(row, values):
        _require_given_again(secrets, fields.get("secrets") or {})
    values["secret"] = _changed_secret(vault, row, _auth(whole), is_bound=_is_bound(row, values))
    _require_unused(connection, actor, id, _variables(row) - {*values["variables"], *secrets})
    connection.execute(
        update(tables.connections).where(CONNECTIONS.id == id).values(**values, updated_at=actor.at)
    )
    return get(connection, actor, states, id)


def _secrets(vault: Vault, actor: Actor, kept: Kept, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The secret variables that a connection has with these fields, as they are kept. Raises Invalid."""
    given = fields.get("secrets")
    secret_variables.judge(given or {})
    return secret_variables.merged(vault, CONNECTION, actor.company_id, kept, given)


def _variables(row: Row[Any]) -> set[str]:
    return {*row.variables, *row.secrets}


def _require_unused(connection: Connection, actor: Actor, id: int, names: Collection[str]) -> None:
    """Raise Invalid for variables that go while a step of a Deployed version names them: it would send nothing."""
    for name in sorted(names):
        user = in_use.find_variable(connection, actor, id, name)
        if user is not None:
            raise errors.Invalid.field(
                "variables",
                f"The variable '{name}' is used by the Deployed {user}; keep it, or deploy one without it.",
            )


def _require_given_again(secrets: Collection[str], given: secret_variables.Given) -> None:
    """Raise Invalid for secret variables that would be taken to other hosts than they were given for."""
    for name in sorted(secrets):
        if given.get(name) is None:
            raise errors.Invalid.field(
                f"secrets.{name}", f"The secret '{name}' was given for other hosts; give it again for these."
            )


def _changed(
    connection: Connection, actor: Actor, row: Row[Any], fields: Mapping[str, Any]
) -> dict[str, Any]:
    """All fields of a connection, some of them changed. Raises Invalid."""
    before = fields_of(row)
    if row.protocol != servers.HTTP:
        return {**before, **fields}
    return described.changed(connection, actor, before, fields)


def fields_of(row: Row[Any]) -> dict[str, Any]:
    """The fields as they would be sent, but for the secret."""
    if row.protocol != servers.HTTP:
        return servers.stored(row)
    names = (*_STORED, "protocol", "secrets")
    fields = {name: getattr(row, name) for name in names}
    auth = {"type": row.auth_type, **row.auth}
    if row.allowed_hosts == _own_hosts(*_urls(row.base_url, auth)):
        fields["allowed_hosts"] = []
    return {**fields, "auth": auth}


def remove(connection: Connection, actor: Actor, id: int) -> None:
    """Delete a connection. Raises Missing, or Invalid while a Deployed version uses it."""
    load(connection, actor, id, lock=True)
    user = in_use.find_by_id(connection, actor, "connection_id", id)
    if user is not None:
        raise errors.Invalid.field(
            "connection",
            f"Connection {id} is used by the Deployed {user}; undeploy it or deploy one without it.",
        )
    connection.execute(delete(tables.connections).where(CONNECTIONS.id == id))


def view(row: Row[Any], state: circuits.State) -> dict[str, Any]:
    """A connection as the API shows it: of its secret only whether there is one."""
    circuit = None if row.circuit_breaker is None else _circuit_view(state)
    is_http = row.protocol == servers.HTTP
    return views.present(
        {
            "id": row.id,
            "name": row.name,
            "base_url": row.base_url,
            "allowed_hosts": row.allowed_hosts,
            "protocol": row.protocol,
            "server": None if is_http else row.auth,
            "auth": {
                "type": row.auth_type,
                **(row.auth if is_http else {}),
                "has_secret": row.secret is not None,
            },
            "headers": row.headers,
            "timeout_seconds": row.timeout_seconds,
            "rate_limit": row.rate_limit,
            "circuit_breaker": row.circuit_breaker,
            "circuit": circuit,
            "connector_id": row.connector_id,
            "variables": row.variables or None,
            "secrets": sorted(row.secrets) or None,
            "created_at": views.instant(row.created_at),
            "updated_at": views.instant(row.updated_at),
        }
    )


def _circuit_view(state: circuits.State) -> dict[str, Any]:
    return views.present({"state": state.name, "opens_until": views.instant(state.opens_until)})


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of these fields, but for the secret. Raises Invalid."""
    if fields["protocol"] != servers.HTTP:
        return servers.checked(fields)
    servers.require_http(fields)
    auth = fields["auth"]
    base, token = _urls(fields["base_url"], auth)
    hosts = list(fields["allowed_hosts"]) or _own_hosts(base, token)
    has_secret = auth["type"] != credentials.NONE or bool(fields["secrets"])
    _require_hosts(hosts, {"base_url": base, "token_url": token}, has_secret=has_secret)
    credentials.require_headers(fields["headers"])
    return {
        **{name: fields[name] for name in _STORED},
        "protocol": servers.HTTP,
        "allowed_hosts": hosts,
        "auth_type": auth["type"],
        "auth": credentials.shown(auth),
        "rate_limit": _rate_limit(fields["rate_limit"]),
    }


def _auth(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """How a connection of these fields authenticates, with the secret fields that were sent."""
    auth: Mapping[str, Any] = fields["auth"] if fields["protocol"] == servers.HTTP else servers.auth(fields)
    return auth


def _rate_limit(limit: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if limit is None:
        return None
    given = {name: value for name, value in limit.items() if value is not None}
    if ("per_second" in given) == ("per_minute" in given):
        raise errors.Invalid.field("rate_limit", "Give either per_second or per_minute.")
    return {"burst": 1, **given}


def _sealed(vault: Vault, company_id: int, auth: Mapping[str, Any], kept: Mapping[str, str]) -> str | None:
    """The secret fields, sealed; those that are not given are the kept ones. Raises Invalid when one is missing."""
    secret = credentials.secret(auth, kept)
    return stored.sealed(vault, company_id, secret) if secret else None


def _changed_secret(vault: Vault, row: Row[Any], auth: Mapping[str, Any], *, is_bound: bool) -> str | None:
    """The sealed secret of a connection after a change. What is sent whole does not need the stored one opened."""
    given = [auth.get(name) is not None for name in credentials.KINDS[auth["type"]].secret]
    if is_bound and not any(given):
        secret: str | None = row.secret
        return secret
    is_merged = is_bound and not all(given)
    kept = stored.opened(vault, row.company_id, row.secret) if is_merged else {}
    return _sealed(vault, row.company_id, auth, kept)


def _is_bound(row: Row[Any], values: Mapping[str, Any]) -> bool:
    """Whether a connection that changes so may keep the secret of its authentication: same kind and same place."""
    return values["auth_type"] == row.auth_type and _is_same_place(row, values)


def _is_same_place(row: Row[Any], values: Mapping[str, Any]) -> bool:
    """Whether it leads to no further host, over the same protocols, to the same server."""
    return (
        set(values["allowed_hosts"]) <= set(row.allowed_hosts)
        and _schemes(values["base_url"], values["auth"]) == _schemes(row.base_url, row.auth)
        and servers.is_bound(values, row)
    )


def _schemes(base_url: str | None, auth: Mapping[str, Any]) -> tuple[str, str]:
    return urlsplit(base_url or "").scheme, urlsplit(auth.get("token_url", "")).scheme


def _urls(base_url: str | None, auth: Mapping[str, Any]) -> tuple[SplitResult | None, SplitResult | None]:
    """Base URL and token URL, in parts. Raises Invalid."""
    example = "https://api.example.com/v1"
    base = None if base_url is None else credentials.http_url(base_url, "base_url", example)
    return base, credentials.token_url(auth)


def _own_hosts(*urls: SplitResult | None) -> list[str]:
    """The hosts that follow from the URLs of a connection."""
    return list(dict.fromkeys(_host_of(url) for url in urls if url is not None))


def _require_hosts(hosts: Sequence[str], urls: Mapping[str, SplitResult | None], *, has_secret: bool) -> None:
    if not hosts and has_secret:
        raise errors.Invalid.field(
            "allowed_hosts", "Name the hosts that may get the secret, or give a base_url."
        )
    for number, host in enumerate(hosts):
        addresses.Rules([host], f"allowed_hosts.{number}")
    for name, url in urls.items():
        if url is not None and hosts:
            port = url.port or {"http": 80, "https": 443}[url.scheme]
            if not addresses.Rules(hosts, "allowed_hosts").name(url.hostname or "", port):
                raise errors.Invalid.field(
                    "allowed_hosts", f"The host of the {name} is not among them; add {_host_of(url)}."
                )


def _host_of(url: SplitResult) -> str:
    """The entry of allowed hosts that a URL stands for: its host, and its port where it names one."""
    host = url.hostname or ""
    if url.port is None:
        return host
    return f"[{host}]:{url.port}" if ":" in host else f"{host}:{url.port}"
