"""How a connection authenticates: by kind, the fields that are shown and those that are secret, and their rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from flowloom import errors

NONE: Final = "none"
OVER_HTTP: Final = "auth"
OF_SERVER: Final = "server"
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_UNSAFE_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# What these hold is never business data: it belongs where it is sealed.
_SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
        "api-key",
        "x-auth-token",
        "x-access-token",
    }
)
_UNSAFE_IN_URL = re.compile(r"[\s\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class Kind:
    """The fields of one kind of authentication, `part` of what a connection is made of. Those in `optional` may be
    missing. What goes out over HTTP stands in one line."""

    shown: Sequence[str] = ()
    secret: Sequence[str] = ()
    optional: Sequence[str] = ()
    part: str = OVER_HTTP


KINDS: Final[Mapping[str, Kind]] = {
    NONE: Kind(),
    "bearer": Kind(secret=("token",)),
    "basic": Kind(("username",), ("password",)),
    "header": Kind(("name",), ("value",)),
    "oauth2_client_credentials": Kind(
        ("token_url", "client_id", "scope", "audience", "credentials_in"),
        ("client_secret",),
        ("scope", "audience", "credentials_in"),
    ),
    "oauth2_refresh_token": Kind(
        ("token_url", "client_id", "scope", "credentials_in"),
        ("refresh_token", "client_secret"),
        ("scope", "credentials_in", "client_secret"),
    ),
    "password": Kind(secret=("password",), part=OF_SERVER),
    "private_key": Kind(secret=("private_key",), part=OF_SERVER),
}


def shown(auth: Mapping[str, Any]) -> dict[str, str]:
    """The fields of an `auth` as it was sent that are stored as they are. Raises Invalid on `auth.<field>`."""
    return _fields(auth["type"], KINDS[auth["type"]].shown, auth)


def secret(auth: Mapping[str, Any], kept: Mapping[str, str]) -> dict[str, str]:
    """Its secret fields, those that were not sent from the ones that are kept. Raises Invalid on `<part>.<field>`."""
    sent = {name: value for name, value in auth.items() if value is not None}
    return _fields(auth["type"], KINDS[auth["type"]].secret, {**kept, **sent})


def token_url(auth: Mapping[str, Any]) -> SplitResult | None:
    """Where access tokens come from, in parts; None for a kind that has none. Raises Invalid."""
    if "token_url" not in KINDS[auth["type"]].shown:
        return None
    return http_url(shown(auth)["token_url"], "auth.token_url")


def _fields(kind: str, names: Sequence[str], values: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        value = values.get(name)
        if value is None and name in KINDS[kind].optional:
            continue
        found[name] = _checked(kind, name, value)
    return found


def _checked(kind: str, name: str, value: str | None) -> str:
    part = KINDS[kind].part
    field = f"{part}.{name}"
    if value is None:
        words = f"The {name} is needed for {kind} authentication"
        way_out = ", and again for another kind or other hosts." if name in KINDS[kind].secret else "."
        raise errors.Invalid.field(field, words + way_out)
    if kind == "header" and name == "name":
        require_header_name(field, value)
    if part == OVER_HTTP and _UNSAFE_IN_VALUE.search(value):
        raise errors.Invalid.field(field, f"The {name} holds a line break or another control character.")
    if name == "username" and ":" in value:
        raise errors.Invalid.field(field, "The username of basic authentication holds no colon.")
    if not value and name != "password":
        raise errors.Invalid.field(field, f"The {name} is empty.")
    return value


def require_headers(headers: Mapping[str, str]) -> None:
    """Raise Invalid on `headers.<name>` for a header that cannot be sent."""
    for name, value in headers.items():
        field = f"headers.{name[:100]}"
        require_header_name(field, name)
        if name.lower() in _SECRET_HEADERS:
            raise errors.Invalid.field(
                field,
                f"The header {name} is a secret, and headers are shown; use auth: {{type: header, name, value}}.",
            )
        if _UNSAFE_IN_VALUE.search(value):
            raise errors.Invalid.field(
                field, f"The header {name} holds a line break or another control character."
            )


def require_header_name(field: str, name: str) -> None:
    """Raise Invalid on `field` unless it is the name of a header."""
    if not _TOKEN.fullmatch(name):
        raise errors.Invalid.field(field, f"{name[:100]!r} is no header name; use letters, digits and -.")


def http_url(text: str, field: str, example: str = "https://login.example.com/token") -> SplitResult:
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
        field, f"Use an absolute URL such as {example}, without user, query or fragment."
    )
