"""How a request gets the base URL, the headers and the authentication of a connection."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from flowloom.steps import contract
from flowloom.store.connections import Connection

OAUTH: Final = frozenset({"oauth2_client_credentials", "oauth2_refresh_token"})
# Among the secrets of a connection that has fetched one; it is never stored.
FETCHED: Final = "access_token"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def apply(request: contract.Request, connection: Connection) -> contract.Request:
    """The request as it goes out: absolute URL, the connection's headers below the step's own. Raises RequestFailed."""
    if connection.protocol != "http":
        raise contract.RequestFailed(
            f'Connection {connection.id} "{connection.name}" speaks {connection.protocol}, not HTTP.',
            passing=False,
        )
    return msgspec.structs.replace(
        request,
        url=absolute(request.url, connection.base_url),
        headers={**connection.headers, **request.headers, **auth_headers(connection)},
        timeout_seconds=min(request.timeout_seconds, connection.timeout_seconds or request.timeout_seconds),
    )


def absolute(url: str, base_url: str | None) -> str:
    """A relative URL below the base URL, path joined to path. Raises RequestFailed without a base."""
    if _SCHEME.match(url):
        return url
    if base_url is None:
        raise contract.RequestFailed(
            f"The URL {url!r} is relative; write it as https://host/path, or give its connection a base_url.",
            passing=False,
        )
    return f"{base_url.rstrip('/')}/{url.lstrip('/')}" if url else base_url


def auth_headers(connection: Connection) -> dict[str, str]:
    """The header that authenticates, if any."""
    secret = connection.secret
    match connection.auth_type:
        case "bearer":
            return {"Authorization": f"Bearer {secret['token']}"}
        case "basic":
            pair = f"{connection.auth['username']}:{secret['password']}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        case "header":
            return {connection.auth["name"]: secret["value"]}
        case kind if kind in OAUTH:
            return {"Authorization": f"Bearer {secret[FETCHED]}"}
        case _:
            return {}


def secret_words(connection: Connection) -> set[str]:
    """Its secrets, and what tells as much: `Basic` joins user and password to one word."""
    is_ready = connection.auth_type not in OAUTH or FETCHED in connection.secret
    headers = auth_headers(connection) if is_ready else {}
    told = {value.rpartition(" ")[2] for value in headers.values()}
    return {*connection.secret.values(), *connection.secret_variables.values(), *told}


def allowed_hosts(connection: Connection) -> Sequence[str] | None:
    """Where the connection may be used; None (anywhere) only when it carries no secret and names no host."""
    has_secret = connection.auth_type != "none" or connection.secret_variables
    if not has_secret and not connection.allowed_hosts:
        return None
    return connection.allowed_hosts


def secret_headers(connection: Connection) -> Collection[str]:
    """The headers that never follow a redirect to another host, lower case."""
    return {name.lower() for name in (*auth_headers(connection), *connection.headers)}
