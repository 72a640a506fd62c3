"""What a connector's document holds: its models, and everything that must be true of one before it is kept.

It describes a system for everybody: where it is, how one authenticates there (no secret), and its endpoints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    WithJsonSchema,
)

from flowloom import errors
from flowloom.domain import templates
from flowloom.services import credentials
from flowloom.steps import registry

MAX_ENDPOINTS: Final = 2000
MAX_VARIABLES: Final = 200
# By field of an endpoint: the field of a connector step's config that it stands for.
CONFIG_FIELDS: Final[Mapping[str, str]] = {
    "direction": "direction",
    "method": "method",
    "path": "url",
    "query": "query",
    "headers": "headers",
    "body": "body",
    "pagination": "pagination",
    "records": "path",
    "response_format": "response_format",
}
_ENDPOINT_FIELDS = {config: name for name, config in CONFIG_FIELDS.items()}
_PLACEHOLDER = re.compile(r"\{\{[^{}]+\}\}")
_UNSAFE_IN_URL = re.compile(r"[\s\x00-\x1f\x7f\\]")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_UNSAFE_IN_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Text = Annotated[str, StringConstraints(max_length=10_000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float | bool) or (isinstance(value, str) and len(value) > 10_000):
        raise ValueError("Use a text of up to 10,000 characters, a number, true or false")
    return value


Scalar = Annotated[Any, AfterValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)


class ConnectorAuth(_Part):
    """How one authenticates, without any secret: those belong to connections."""

    type: Literal[
        "none", "bearer", "basic", "header", "oauth2_client_credentials", "oauth2_refresh_token"
    ] = "none"
    username: Text | None = Field(default=None, description="With basic, where it is the same for everybody")
    name: Text | None = Field(default=None, description="With header: which one")
    token_url: Url | None = Field(default=None, description="With oauth2")
    client_id: Text | None = Field(
        default=None, description="With oauth2, where it is the same for everybody"
    )
    scope: Text | None = Field(default=None, description="With oauth2; with spaces between")
    audience: Text | None = Field(default=None, description="With oauth2_client_credentials")
    credentials_in: Literal["body", "header"] | None = Field(default=None, description="With oauth2")


class ConnectorVariable(_Part):
    """What differs from connection to connection: `{{name}}` in the base URL, headers, auth and endpoints."""

    name: Name
    description: Text | None = None
    default: Scalar | None = Field(default=None, description="For connections that do not say")
    is_secret: bool | None = Field(
        default=None, description="A connection gives it in `secrets`; only endpoints may hold it"
    )


class ConnectorEndpoint(_Part):
    """One thing to ask of the system or to send to it; a step that names its key gets a copy."""

    key: Key = Field(description="Names it within its connector")
    name: Name
    description: Text | None = None
    direction: Literal["receive", "send"]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] | None = None
    path: Url = Field(description="Below the base URL, such as /orders/[[payload.id]]")
    query: dict[str, Scalar] = {}
    headers: dict[str, Scalar] = {}
    body: JsonValue = None
    pagination: dict[str, JsonValue] | None = Field(
        default=None, description="As in the config of a connector step"
    )
    records: str | None = Field(default=None, description="Path to the records in the answer")
    response_format: Literal["json", "text", "csv", "xml"] | None = None


class ConnectorDocument(_Part):
    """A system, described once."""

    base_url: Url | None = Field(default=None, description="Absolute, http or https; may hold `{{variable}}`")
    auth: ConnectorAuth = ConnectorAuth()
    headers: dict[str, Text] = Field(default={}, description="Sent with every request; not secret")
    timeout_seconds: int | None = Field(default=None, ge=1, le=1800)
    variables: list[ConnectorVariable] = Field(default=[], max_length=MAX_VARIABLES)
    endpoints: list[ConnectorEndpoint] = Field(default=[], max_length=MAX_ENDPOINTS)


def kept(document: ConnectorDocument) -> dict[str, Any]:
    """The document as it is kept and shown: what is not set is left out. Raises Invalid on `document.<place>`."""
    _check_variables(document.variables)
    _check_system(document)
    seen: set[str] = set()
    for number, endpoint in enumerate(document.endpoints):
        place = f"document.endpoints.{number}"
        if endpoint.key in seen:
            raise errors.Invalid.field(f"{place}.key", f"The key '{endpoint.key}' is there twice.")
        seen.add(endpoint.key)
        check_endpoint(endpoint, place)
    return document.model_dump(exclude_none=True)


def config_of(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """What an endpoint says of a connector step's config; what is empty is left out."""
    fields = ((config, endpoint.get(name)) for name, config in CONFIG_FIELDS.items())
    return {config: value for config, value in fields if value not in (None, {})}


def check_endpoint(endpoint: ConnectorEndpoint, place: str) -> None:
    """Raise Invalid on the field below `place` that no step could have."""
    if not endpoint.path.startswith("/"):
        raise errors.Invalid.field(f"{place}.path", f'{_label(endpoint)}: A path begins with "/".')
    registry.require_bounded(endpoint.body, f"{place}.body")
    config = config_of(endpoint.model_dump())
    try:
        problems = registry.check(registry.get("connector"), config)[1]
    except errors.Invalid as invalid:
        problems = invalid.errors
    if problems:
        label = _label(endpoint)
        raise errors.Invalid(
            {
                f"{place}.{_named(field)}": [f"{label}: {text}" for text in texts]
                for field, texts in problems.items()
            }
        )


def _label(endpoint: ConnectorEndpoint) -> str:
    return f'Endpoint "{endpoint.key}"'


def _named(field: str) -> str:
    """A field of the config as the endpoint calls it: `config.url` is `path`."""
    name, dot, rest = field.removeprefix("config.").partition(".")
    return f"{_ENDPOINT_FIELDS.get(name, name)}{dot}{rest}"


def _check_variables(variables: Sequence[ConnectorVariable]) -> None:
    seen: set[str] = set()
    for number, variable in enumerate(variables):
        place = f"document.variables.{number}.name"
        if not templates.is_variable_name(variable.name):
            raise errors.Invalid.field(
                place, "A variable's name has letters, digits, '_', '-' and '.' only, up to 200 of them."
            )
        if variable.name in seen:
            raise errors.Invalid.field(place, f"The variable '{variable.name}' is there twice.")
        seen.add(variable.name)
        if variable.is_secret and variable.default is not None:
            raise errors.Invalid.field(
                f"document.variables.{number}.default", "A secret has no default, for everybody would see it."
            )


def _check_system(document: ConnectorDocument) -> None:
    known = {variable.name for variable in document.variables if not variable.is_secret}
    for field, text in _texts(document):
        _require_known(f"document.{field}", text, known)
    for name, value in document.headers.items():
        require_header(f"document.headers.{name[:100]}", name, value)
    if document.base_url is not None:
        require_url("document.base_url", document.base_url)
    _check_auth(document.auth)


def _texts(document: ConnectorDocument) -> Iterator[tuple[str, str]]:
    """What may hold `{{variable}}`, by place: all that a connection takes over."""
    if document.base_url is not None:
        yield "base_url", document.base_url
    for name, value in document.headers.items():
        yield f"headers.{name[:100]}", value
    for name, value in document.auth.model_dump(exclude={"type"}, exclude_none=True).items():
        yield f"auth.{name}", value


def _require_known(field: str, text: str, known: set[str]) -> None:
    template = templates.compile(text, field)
    if "[[" in _PLACEHOLDER.sub("", text) and not templates.compile(_PLACEHOLDER.sub("", text)).is_constant:
        raise errors.Invalid.field(
            field, "Only {{variables}} of the connector stand here: no payload is known."
        )
    for name in sorted(template.variables - known):
        raise errors.Invalid.field(
            field,
            f"The connector has no variable '{name}' that may be shown; add it to its variables. "
            "A secret belongs in endpoints, or in the authentication of connections.",
        )


def _check_auth(auth: ConnectorAuth) -> None:
    allowed = credentials.KINDS[auth.type].shown
    for name in auth.model_dump(exclude={"type"}, exclude_none=True):
        if name not in allowed:
            said = f"allowed: {', '.join(allowed)}" if allowed else "remove it"
            raise errors.Invalid.field(
                f"document.auth.{name}", f"A connector with {auth.type} says nothing of the {name}; {said}."
            )
    if auth.name is not None:
        require_header("document.auth.name", auth.name, "")
    if auth.token_url is not None:
        require_url("document.auth.token_url", auth.token_url)


def require_header(field: str, name: str, value: str) -> None:
    """Raise Invalid for what cannot be sent as a header."""
    if not _HEADER_NAME.fullmatch(_PLACEHOLDER.sub("x", name)):
        raise errors.Invalid.field(field, f"{name[:100]!r} is no header name; use letters, digits and -.")
    if _UNSAFE_IN_HEADER.search(value):
        raise errors.Invalid.field(
            field, f"The header {name} holds a line break or another control character."
        )


def require_url(field: str, text: str) -> None:
    """Raise Invalid for what is no absolute URL, whatever its variables hold."""
    if not _is_url(text) and not (text.startswith("{{") and not _UNSAFE_IN_URL.search(text)):
        raise errors.Invalid.field(
            field,
            "Use an absolute URL such as https://{{shop}}.example.com/v1, without user, query or fragment.",
        )


def _is_url(text: str) -> bool:
    sample = _PLACEHOLDER.sub("1", text)
    if _UNSAFE_IN_URL.search(sample):
        return False
    try:
        parts = urlsplit(sample)
        is_absolute = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_absolute and "@" not in parts.netloc and not parts.fragment and not parts.query
