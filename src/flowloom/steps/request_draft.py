"""The request that a connector sends: URL, query, headers and body, filled in for each payload and each page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import Field, JsonValue

from flowloom import errors
from flowloom.domain import templates
from flowloom.domain.payload import Payload
from flowloom.steps import aside, contract, pagination, request_body, ways
from flowloom.steps.conversion import Format, FormatName
from flowloom.steps.pagination import Pagination

_KEY_HEADER = "Idempotency-Key"
_BODYLESS = frozenset({"GET", "HEAD"})
_AUTHORITY_END = re.compile(r"[/?#\\]")
_TEMPLATE: dict[str, Any] = {"x-template": True}

Scalar = str | int | float | bool
Templates = Sequence[tuple[str, templates.Template]]


class Parts(ways.Ways):
    """The fields that say what a request is made of."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] | None = Field(
        None, description="GET for a receive and POST for a send, unless set"
    )
    query: dict[str, Scalar] = Field(
        default_factory=dict, description="Parameters of the URL", json_schema_extra=_TEMPLATE
    )
    headers: dict[str, Scalar] = Field(
        default_factory=dict,
        description="Headers, besides those of the connection",
        json_schema_extra=_TEMPLATE,
    )
    endpoint: str | None = Field(
        None,
        max_length=100,
        description="Key of an endpoint of the connection's connector; saving copies it below what the step says",
    )
    body: JsonValue = Field(
        None, description="JSON or text; a send without it sends the payload", json_schema_extra=_TEMPLATE
    )
    send_format: FormatName | None = Field(
        None, description="What a send makes of the payload; unset, it goes out as it is"
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """A request with templates in it, compiled."""

    config: Parts
    pages: Pagination | None
    timeout_seconds: float
    method: str
    url: templates.Template
    query: Templates
    headers: Templates
    body: request_body.Body | None
    body_bytes: int

    def size_bytes(self, context: contract.Context, incoming: Payload) -> int:
        """About how much there is to work on for a request."""
        return self.body_bytes + incoming.size_bytes + aside.about_bytes(context.variables)

    def request(
        self,
        context: contract.Context,
        incoming: Payload,
        place: pagination.Place | None,
        spills: Callable[[str], bool],
    ) -> contract.Request:
        """The request for a payload and the page at `place`; `spills` as there. Raises declaration.Unwritable."""
        scope = context.scope(incoming)
        headers = {name: template.render(scope) for name, template in self.headers}
        body = None
        cursor = None if self.pages is None else self.pages.in_body(place)
        if self.body is not None or cursor is not None:
            body, content_type = (self.body or request_body.Body()).encode(scope, incoming, cursor)
            _default(headers, "Content-Type", content_type)
        url, query = self._target(scope, place)
        is_send = self.config.direction == "send"
        if is_send:
            sent = f"{self.method} {url} {query} ".encode(errors="replace") + (body or b"")
            _default(headers, _KEY_HEADER, context.idempotency_key(sent))
        if not _is_same_origin(url, self.url.render_url(scope)):
            # The other side named this next page: what the author wrote for his own host is not for another one.
            headers = {}
        return contract.Request(
            self.method,
            url,
            headers,
            query,
            body,
            self.config.connection_id,
            self.timeout_seconds,
            spills=spills,
            is_delivery=is_send,
        )

    def content(self, scope: templates.Scope, incoming: Payload) -> bytes:
        """What a file is to hold: the step's own body, or the payload. Raises declaration.Unwritable."""
        return (self.body or request_body.Body()).encode(scope, incoming, None)[0]

    def _target(
        self, scope: templates.Scope, place: pagination.Place | None
    ) -> tuple[str, Sequence[tuple[str, str]]]:
        own = None if self.pages is None else self.pages.query(place)
        if own is None and place is not None:
            return str(place), ()
        query = {name: template.render(scope) for name, template in self.query}
        url = pagination.without_parameters(self.url.render_url(scope), own or ())
        return url, tuple({**query, **(own or {})}.items())


def _is_same_origin(url: str, own: str) -> bool:
    """Whether a next page's URL leads where the step's own does; a relative one does."""
    if url.partition("?")[0] == own.partition("?")[0]:
        return True
    there, here = urlsplit(url), urlsplit(own)
    return not there.scheme or not here.scheme or there[:2] == here[:2]


def _default(headers: dict[str, str], name: str, value: str) -> None:
    if not any(own.lower() == name.lower() for own in headers):
        headers[name] = value


def compile(config: Parts, pages: Pagination | None, format: Format | None, timeout_seconds: float) -> Draft:
    """Raises errors.Invalid on the field whose template is wrong, or that a request cannot have."""
    is_send = config.direction == "send"
    method = config.method or ("POST" if is_send else "GET")
    if pages is not None:
        has_object = method not in _BODYLESS and isinstance(config.body, dict | None)
        pagination.check_body(pages, has_object=has_object)
    url = config.url or ""
    _require_reachable(url)
    takes_payload = is_send and method not in _BODYLESS
    whole = request_body.Body(send_format=config.send_format, format=format) if takes_payload else None
    return Draft(
        config,
        pages,
        timeout_seconds,
        method,
        templates.compile(url, "url"),
        _compiled_map(config.query, "query"),
        _compiled_map(config.headers, "headers"),
        request_body.compile(config.body, config.headers, whole),
        aside.about_bytes(config.body),
    )


def _require_reachable(url: str) -> None:
    """Raise Invalid for a URL that no run could ever request."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme.isalpha() and scheme.lower() not in ("http", "https"):
        raise errors.Invalid.field("url", f"Only http and https URLs can be requested, not {scheme}.")
    if separator and scheme.isalpha():
        _require_host(_AUTHORITY_END.split(rest, maxsplit=1)[0])
    if not templates.compile(url, "url").is_constant:
        return
    try:
        _ = urlsplit(url).port
    except ValueError as error:
        raise errors.Invalid.field("url", f"The URL cannot be read: {error}.") from None


def _require_host(authority: str) -> None:
    """Raise Invalid for what stands where the host does and is none; a template may still give one."""
    host = authority.rpartition("@")[2].partition(":")[0]
    if "{{" not in authority and "[[" not in authority and (not host or any(map(str.isspace, authority))):
        raise errors.Invalid.field("url", "The URL names no host; write it as https://host/path.")


def _compiled_map(values: Mapping[str, Scalar], field: str) -> Templates:
    return [(name, templates.compile(_source(value), f"{field}.{name}")) for name, value in values.items()]


def _source(value: Scalar) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
