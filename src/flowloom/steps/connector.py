"""The connector: receives records from an HTTP API, page by page, or sends each payload to one."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import Field, JsonValue

from flowloom import errors
from flowloom.domain import declaration, payload, templates
from flowloom.domain.payload import Payload
from flowloom.steps import answers, aside, contract, conversion, pagination, request_body, response_rules
from flowloom.steps.conversion import Format, FormatName
from flowloom.steps.pagination import Pagination
from flowloom.steps.response_rules import ResponseRule

# The request's own timeout comes first: it says what was waited for.
_STEP_GRACE_SECONDS = 5.0
# A request through a connection may have to wait for its turn, and for an access token.
_TURN_SECONDS = 3600.0
_KEY_HEADER = "Idempotency-Key"
_BODYLESS = frozenset({"GET", "HEAD"})
_AUTHORITY_END = re.compile(r"[/?#\\]")
_TEMPLATE: dict[str, Any] = {"x-template": True}

Scalar = str | int | float | bool


class Connector(contract.Config):
    direction: Literal["receive", "send"] = Field(
        description="receive asks for records; send hands each payload over"
    )
    connection_id: int | None = Field(
        None, description="Id of the connection that holds the base URL and the credentials"
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] | None = Field(
        None, description="GET for a receive and POST for a send, unless set"
    )
    url: str = Field(
        min_length=1,
        description="Relative to the connection's base URL, or absolute",
        json_schema_extra=_TEMPLATE,
    )
    query: dict[str, Scalar] = Field(
        default_factory=dict, description="Parameters of the URL", json_schema_extra=_TEMPLATE
    )
    headers: dict[str, Scalar] = Field(
        default_factory=dict,
        description="Headers, besides those of the connection",
        json_schema_extra=_TEMPLATE,
    )
    body: JsonValue = Field(
        None, description="JSON or text; a send without it sends the payload", json_schema_extra=_TEMPLATE
    )
    send_format: FormatName | None = Field(
        None, description="What a send makes of the payload; unset, it goes out as it is"
    )
    response_format: FormatName | None = Field(
        None,
        description="How to read the answer; unset, a receive goes by its content type and a send keeps the payload",
    )
    format: Format | None = Field(
        None, description="How the text, CSV or XML is written that a receive reads, or a send sends"
    )
    path: str | None = Field(None, description="Where the records are in the answer")
    pagination: Pagination | None = Field(None, description="How a receive gets to the next page")
    response_rules: list[ResponseRule] = Field(
        default_factory=list,
        max_length=50,
        description="What answers mean, before the usual rules; the first one that fits decides",
    )
    timeout_seconds: float = Field(60.0, ge=1, le=1800, description="Time for one request")
    retries: int = Field(3, ge=0, le=10, description="Further attempts after a passing failure")


@dataclass(frozen=True, slots=True)
class _Call:
    """A connector step, compiled."""

    config: Connector
    method: str
    url: templates.Template
    query: Sequence[tuple[str, templates.Template]]
    headers: Sequence[tuple[str, templates.Template]]
    body: request_body.Body | None
    body_bytes: int
    path: payload.Path
    rules: response_rules.Rules

    @property
    def _counts_pages(self) -> bool:
        return self.config.pagination is not None and self.config.pagination.type in ("page", "offset")

    async def receive(self, context: contract.Context, incoming: Payload) -> contract.Outcome:
        state = context.cursor or pagination.start()
        response = await self._fetch(context, incoming, state)
        if not isinstance(response, contract.Response):
            return response
        try:
            page, following = await aside.run(len(response.body), self._page, context, state, response)
        except answers.Unreadable as error:
            return contract.Fail(f"{self.method} {answers.shown_url(response.url)}: {error}")
        except pagination.Endless as error:
            return contract.Fail(error.why)
        if self.config.pagination and page.body in (None, []):
            return contract.Done([], following)
        position = f"{incoming.position}.{state['page']}"
        made = Payload(page.body, page.content_type, incoming.meta, position, page.size_bytes)
        return contract.Done([made], following)

    async def send(self, context: contract.Context, incoming: Payload) -> contract.Outcome:
        response = await self._fetch(context, incoming, pagination.start())
        if not isinstance(response, contract.Response):
            return response
        meta = {**incoming.meta, "response_status": str(response.status)}
        sent = incoming
        if self.config.response_format is not None:
            try:
                sent = await aside.run(len(response.body), self._answer, context, response)
            except answers.Unreadable as error:
                return contract.Fail(f"{self.method} {answers.shown_url(response.url)}: {error}")
        made = Payload(sent.body, sent.content_type, meta, incoming.position, sent.size_bytes)
        return contract.Done([made])

    async def _fetch(
        self, context: contract.Context, incoming: Payload, state: pagination.State
    ) -> contract.Response | contract.Outcome:
        """The answer, if it is a good one, or else what came of it."""
        size_bytes = self.body_bytes + incoming.size_bytes + aside.about_bytes(context.variables)
        try:
            request = await aside.run(size_bytes, self._request, context, incoming, state)
            response = await context.fetch(request)
            verdict = await self._verdict(context, incoming, response)
            if verdict is not None and verdict.action == "reauthenticate":
                response = await context.fetch(dataclasses.replace(request, renews_token=True))
                verdict = await self._verdict(context, incoming, response)
        except declaration.Unwritable as error:
            return contract.Fail(f"The payload cannot be sent. {error.why}")
        except contract.RequestFailed as failed:
            return answers.unanswered(failed)
        if verdict is not None:
            return verdict.outcome(self.method, response, context.now)
        if response.status == 404 and state["page"] and self._counts_pages:
            return contract.Done([])  # many servers answer so for the page after the last
        return (
            response if 200 <= response.status < 300 else answers.refusal(self.method, response, context.now)
        )

    async def _verdict(
        self, context: contract.Context, incoming: Payload, response: contract.Response
    ) -> response_rules.Verdict | None:
        if not self.config.response_rules:
            return None
        scope = context.scope(incoming)
        return await aside.run(len(response.body), self.rules.verdict, response, scope)

    def _request(
        self, context: contract.Context, incoming: Payload, state: pagination.State
    ) -> contract.Request:
        scope = context.scope(incoming)
        headers = {name: template.render(scope) for name, template in self.headers}
        body = None
        cursor = None if self.config.pagination is None else self.config.pagination.in_body(state["place"])
        if self.body is not None or cursor is not None:
            body, content_type = (self.body or request_body.Body()).encode(scope, incoming, cursor)
            _default(headers, "Content-Type", content_type)
        if self.config.direction == "send":
            _default(headers, _KEY_HEADER, context.idempotency_key)
        url, query = self._target(scope, state["place"])
        if not _is_same_origin(url, self.url.render_url(scope)):
            # The other side named this next page: what the author wrote for his own host is not for another one.
            headers = {}
        return contract.Request(
            self.method, url, headers, query, body, self.config.connection_id, self.config.timeout_seconds
        )

    def _target(
        self, scope: templates.Scope, place: pagination.Place | None
    ) -> tuple[str, Sequence[tuple[str, str]]]:
        pages = self.config.pagination
        own = None if pages is None else pages.query(place)
        if own is None and place is not None:
            return str(place), ()
        query = {name: template.render(scope) for name, template in self.query}
        url = pagination.without_parameters(self.url.render_url(scope), own or ())
        return url, tuple({**query, **(own or {})}.items())

    def _page(
        self, context: contract.Context, state: pagination.State, response: contract.Response
    ) -> tuple[Payload, pagination.State | None]:
        """The page an answer holds, and where the next one is. Raises answers.Unreadable, pagination.Endless."""
        whole = self._parse(response)
        page = self._picked(whole, context)
        return page, self._following(state, response, whole.body, page.body)

    def _answer(self, context: contract.Context, response: contract.Response) -> Payload:
        """What a send goes on with. Raises answers.Unreadable."""
        return self._picked(self._parse(response), context)

    def _parse(self, response: contract.Response) -> Payload:
        """The whole answer as a payload. Raises answers.Unreadable."""
        content_type = response.headers.get("content-type", "")
        wanted = self.config.response_format
        if wanted is None and _needs_records(self.config) and not payload.is_record_type(content_type):
            wanted = "json"
        format = self.config.format if self.config.direction == "receive" else None
        return answers.read(response.body, content_type, wanted, format)

    def _picked(self, whole: Payload, context: contract.Context) -> Payload:
        if not whole.has_records or self.path is payload.ROOT:
            return whole
        found = whole.records_at(self.path)
        if found is payload.MISSING:
            context.log("warning", f"The answer has nothing at '{self.path.text}'.")
            found = None
        return whole.with_body(found)

    def _following(
        self, state: pagination.State, response: contract.Response, whole: object, page: object
    ) -> pagination.State | None:
        pages = self.config.pagination
        if pages is None:
            return None
        if self._counts_pages and page in (None, []):
            return None
        if self._counts_pages and not isinstance(page, list):
            raise answers.Unreadable(
                "the page is no list, so pages cannot be counted; set path to where the list is."
            )
        items = len(page) if isinstance(page, list) else int(page is not None)
        return pagination.advance(pages, state, response, whole, items)


def _needs_records(config: Connector) -> bool:
    pages = config.pagination
    return bool(config.path) or (pages is not None and pages.type != "link")


def _is_same_origin(url: str, own: str) -> bool:
    """Whether a next page's URL leads where the step's own does; a relative one does."""
    if url.partition("?")[0] == own.partition("?")[0]:
        return True
    there, here = urlsplit(url), urlsplit(own)
    return not there.scheme or not here.scheme or there[:2] == here[:2]


def _default(headers: dict[str, str], name: str, value: str) -> None:
    if not any(own.lower() == name.lower() for own in headers):
        headers[name] = value


def compile(config: Connector, legs: Sequence[contract.Leg]) -> contract.Compiled:
    """Raises errors.Invalid on the field whose template or path is wrong."""
    if config.response_format == "text" and _needs_records(config):
        raise errors.Invalid.field(
            "response_format", "A path or these pages need an answer in JSON, CSV or XML."
        )
    is_send = config.direction == "send"
    _check_formats(config)
    if is_send and config.pagination is not None:
        raise errors.Invalid.field("pagination", "Only a receive has pages; remove it.")
    method = config.method or ("POST" if is_send else "GET")
    if config.pagination is not None:
        pagination.check(config.pagination)
        has_object = method not in _BODYLESS and isinstance(config.body, dict | None)
        pagination.check_body(config.pagination, has_object=has_object)
    _require_reachable(config)
    takes_payload = is_send and method not in _BODYLESS
    whole = request_body.Body(send_format=config.send_format, format=config.format) if takes_payload else None
    call = _Call(
        config,
        method,
        templates.compile(config.url, "url"),
        _compiled_map(config.query, "query"),
        _compiled_map(config.headers, "headers"),
        request_body.compile(config.body, config.headers, whole),
        aside.about_bytes(config.body),
        payload.compile_path(config.path, "path"),
        response_rules.compile(config.response_rules),
    )
    return contract.Compiled(
        call.send if is_send else call.receive,
        effect=True,
        sends=is_send,
        timeout_seconds=config.timeout_seconds
        + (_STEP_GRACE_SECONDS if config.connection_id is None else _TURN_SECONDS),
        retries=config.retries,
    )


def _check_formats(config: Connector) -> None:
    if config.send_format is not None and (config.direction == "receive" or config.body is not None):
        raise errors.Invalid.field(
            "send_format", "Only a send without a body of its own has this; remove it."
        )
    if config.direction == "send":
        conversion.check(config.format, config.send_format, "send_format")
    else:
        conversion.check(config.format, config.response_format, "response_format")


def _require_reachable(config: Connector) -> None:
    """Raise Invalid for a URL that no run could ever request."""
    scheme, separator, rest = config.url.partition("://")
    if separator and scheme.isalpha() and scheme.lower() not in ("http", "https"):
        raise errors.Invalid.field("url", f"Only http and https URLs can be requested, not {scheme}.")
    if separator and scheme.isalpha():
        _require_host(_AUTHORITY_END.split(rest, maxsplit=1)[0])
    if not templates.compile(config.url, "url").is_constant:
        return
    try:
        _ = urlsplit(config.url).port
    except ValueError as error:
        raise errors.Invalid.field("url", f"The URL cannot be read: {error}.") from None


def _require_host(authority: str) -> None:
    """Raise Invalid for what stands where the host does and is none; a template may still give one."""
    host = authority.rpartition("@")[2].partition(":")[0]
    if "{{" not in authority and "[[" not in authority and (not host or any(map(str.isspace, authority))):
        raise errors.Invalid.field("url", "The URL names no host; write it as https://host/path.")


def _compiled_map(values: Mapping[str, Scalar], field: str) -> Sequence[tuple[str, templates.Template]]:
    return [(name, templates.compile(_source(value), f"{field}.{name}")) for name, value in values.items()]


def _source(value: Scalar) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


TYPE = contract.StepType(
    microservice="connector",
    title="Connector",
    help=(
        "Calls an HTTP API. A receive asks for records, page after page; each page becomes a payload. "
        "A send calls the API once for each payload, with the payload or your own body, and always with an "
        "Idempotency-Key header that is equal when the same payload is sent again. Answers in JSON, CSV and XML "
        "become records; what `path` picks of CSV or XML goes on as JSON."
    ),
    failure=(
        "No answer, 408, 425, 429 and most 5xx are tried again, after the time in Retry-After if given. "
        "Any other status but 2xx fails the payload, as does an address that is not allowed; `response_rules` come "
        "first."
    ),
    config=Connector,
    compile=compile,
    examples=(
        contract.Example(
            "Receive orders, 100 to a page",
            {
                "direction": "receive",
                "url": "https://shop.example.com/orders",
                "query": {"since": "{{since}}"},
                "path": "data",
                "pagination": {"type": "page", "size_param": "per_page", "size": 100},
            },
        ),
        contract.Example(
            "Send each order to a warehouse",
            {
                "direction": "send",
                "connection_id": 1,
                "url": "/shipments",
                "body": {"reference": "[[payload.id]]", "lines": "[[payload.lines]]"},
            },
            payloads=({"id": 7, "lines": [{"sku": "A1", "quantity": 2}]},),
        ),
        contract.Example(
            "Update a record and go on with the answer",
            {
                "direction": "send",
                "method": "PUT",
                "url": "https://crm.example.com/contacts/[[payload.id]]",
                "response_format": "json",
                "path": "contact",
            },
            payloads=({"id": "c-1", "name": "Ada"},),
        ),
        contract.Example(
            "Go on when the record is there already, and wait while it is locked",
            {
                "direction": "send",
                "url": "https://erp.example.com/orders",
                "response_rules": [
                    {"status": "409", "action": "continue"},
                    {
                        "status": "4xx",
                        "where": {"field": "error.code", "operator": "equals", "value": "LOCKED"},
                        "action": "retry",
                    },
                ],
            },
            payloads=({"id": 7},),
        ),
    ),
)
