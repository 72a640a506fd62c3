"""Connections that speak another protocol than HTTP: what describes their server, and what must go together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Row

from flowloom import errors
from flowloom.engine import addresses, sftp, systems
from flowloom.services import credentials, described

HTTP: Final = "http"
# Each kind of authentication of a server is named as its one secret.
_KINDS: Final = tuple(name for name, kind in credentials.KINDS.items() if kind.part == credentials.OF_SERVER)
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "sftp": frozenset({"host", "port", "username", "password", "private_key", "host_key"}),
    "postgresql": frozenset({"host", "port", "username", "password", "database", "tls"}),
    "mysql": frozenset({"host", "port", "username", "password", "database", "tls"}),
    "sqlite": frozenset({"file"}),
}
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "sftp": ("host", "username", "host_key"),
    "postgresql": ("host", "username", "database"),
    "mysql": ("host", "username", "database"),
    "sqlite": ("file",),
}
_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    protocol: {"port": port} if protocol == "sftp" else {"port": port, "tls": False}
    for protocol, port in systems.DEFAULT_PORTS.items()
}
# A change of one of these would take the stored secret elsewhere, or over an open line.
_BINDING: Final = ("host", "port", "host_key", "tls")
_ONLY_HTTP: Final = (
    "base_url", "allowed_hosts", "headers", "auth", "rate_limit", "circuit_breaker", "connector_id", "secrets"
)  # fmt: skip
_FILE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_OWN_DATABASE: Final = "flowloom.db"


def require_http(fields: Mapping[str, Any]) -> None:
    """Raise Invalid for what only other protocols have."""
    if fields.get("server") is not None:
        raise errors.Invalid.field(
            "server", "Over http the base_url says it all; remove this or set protocol."
        )


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a connection over another protocol, but for the secret. Raises Invalid."""
    protocol = fields["protocol"]
    for name in _ONLY_HTTP:
        if fields.get(name) not in (None, [], {}, {"type": credentials.NONE}):
            message = f"A connection over {protocol} has no {name}; describe its server in server."
            raise errors.Invalid.field(name, message)
    described.require_variables(fields["variables"])
    server = _given(fields)
    _require_fields(protocol, server)
    shown = {name: value for name, value in server.items() if name not in _KINDS}
    return {
        "name": fields["name"],
        "timeout_seconds": fields["timeout_seconds"],
        "base_url": None,
        "headers": {},
        "allowed_hosts": [],
        "rate_limit": None,
        "circuit_breaker": None,
        "connector_id": None,
        "variables": fields["variables"],
        "auth_type": auth(fields)["type"],
        "auth": {**_DEFAULTS.get(protocol, {}), **shown},
        "protocol": protocol,
    }


def auth(fields: Mapping[str, Any]) -> dict[str, Any]:
    """How such a connection authenticates: the type, and the secret if one was sent. Raises Invalid for two.

    The kind is that of the secret that was sent, else the one there was.
    """
    server = _given(fields)
    given = [name for name in _KINDS if name in server]
    if len(given) > 1:
        raise errors.Invalid.field("server.private_key", "Give the password or the private key, not both.")
    if fields["protocol"] == "sqlite":
        return {"type": credentials.NONE}
    kind = given[0] if given else fields.get("kind") or _KINDS[0]
    return {"type": kind, kind: server.get(kind)}


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (fields.get("server") or {}).items() if value is not None}


def stored(row: Row[Any]) -> dict[str, Any]:
    """The fields of a row as they would be sent, but for the secret."""
    server = {"protocol": row.protocol, "server": dict(row.auth), "kind": row.auth_type}
    return {
        "name": row.name,
        "timeout_seconds": row.timeout_seconds,
        "variables": row.variables,
        **server,
    }


def is_bound(values: Mapping[str, Any], row: Row[Any]) -> bool:
    """Whether the stored secret would go where it went before."""
    return all(values["auth"].get(name) == row.auth.get(name) for name in _BINDING)


def require_same(protocol: str, asked: str) -> None:
    """Raise Invalid for a change of protocol."""
    if asked != protocol:
        raise errors.Invalid.field(
            "protocol", f"This connection speaks {protocol}; create another one instead."
        )


def _require_fields(protocol: str, server: Mapping[str, Any]) -> None:
    for name in sorted(server.keys() - _FIELDS[protocol]):
        allowed = ", ".join(sorted(_FIELDS[protocol]))
        raise errors.Invalid.field(
            f"server.{name}", f"A server over {protocol} has no {name}; allowed: {allowed}."
        )
    for name in _NEEDED[protocol]:
        if not server.get(name):
            raise errors.Invalid.field(
                f"server.{name}", f"The {name} is needed for a connection over {protocol}."
            )
    _require(server, "host", addresses.literal, "Use a host name or an address")
    _require(
        server, "host_key", sftp.require_host_key, "Use a line such as ssh-ed25519 AAAA..., or SHA256:..."
    )
    _require(server, "private_key", sftp.require_private_key, "Use a private key without a passphrase")
    _require(
        server, "file", _require_file, "Use a bare file name; the file lies in files/ of the data directory"
    )


def _require(server: Mapping[str, Any], name: str, check: Callable[[str], object], way_out: str) -> None:
    if name not in server:
        return
    try:
        check(server[name])
    except ValueError as error:
        raise errors.Invalid.field(f"server.{name}", f"{way_out}: {error}.") from None


def _require_file(name: str) -> None:
    if not _FILE.fullmatch(name) or name.lower().startswith(_OWN_DATABASE):
        raise ValueError(f"'{name[:100]}' cannot be used")
