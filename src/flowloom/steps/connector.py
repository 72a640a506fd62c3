"""The connector: receives records from an HTTP API, page by page, or sends each payload to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import Field, JsonValue

from flowloom import errors
from flowloom.domain import bulk, declaration, payload, templates
from flowloom.domain.payload import Payload
from flowloom.steps import answers, aside, contract, conversion, pagination
from flowloom.steps.conversion import Format, FormatName
from flowloom.steps.pagination import Pagination

# The request's own timeout comes first: it says what was waited for.
_STEP_GRACE_SECONDS = 5.0
_KEY_HEADER = "Idempotency-Key"
_BODYLESS = frozenset({"GET", "HEAD"})
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
    response_format: FormatName | None = Field(
        None,
        description="How to read the answer; unset, a receive goes by its content type and a send keeps the payload",
    )
    format: Format | None = Field(
        None, description="How the text, CSV or XML is written that a receive reads, or a send sends"
    )
    path: str | None = Field(None, description="Where the records are in the answer")
    pagination: Pagination | None = Field(None, description="How a receive gets to the next page")
    timeout_seconds: float = Field(60.0, ge=1, le=1800, description="Time for one request")
    retries: int = Field(3, ge=0, le=10, description="Further attempts after a passing failure")


@dataclass(frozen=True, slots=True)
class _Body:
    """What to send: a JSON tree, a text, or (neither) the payload itself."""

    tree: templates.Tree | None = None
    text: templates.Template | None = None
    send_format: FormatName | None = None
    format: Format | None = None

    def encode(self, scope: templates.Scope, incoming: Payload) -> tuple[bytes, str]:
        """The bytes and their content type. Raises declaration.Unwritable."""
        if self.tree is not None:
            return bulk.encode(self.tree.value(scope)), payload.JSON_TYPE
        if self.text is None:
            return conversion.written(incoming, self.send_format, self.format)
        value = self.text.value(scope)
        if isinstance(value, str):
            return value.encode(), f"{payload.TEXT_TYPE}; charset=utf-8"
        return bulk.encode(value), payload.JSON_TYPE


@dataclass(frozen=True, slots=True)
class _Call:
    """A connector step, compiled."""

    config: Connector
    method: str
    url: templates.Template
    query: Sequence[tuple[str, templates.Template]]
    headers: Sequence[tuple[str, templates.Template]]
    body: _Body | None
    body_bytes: int
    path: payload.Path
    variables: frozenset[str]

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
            if self.config.connection_id is not None and not self.variables <= context.variables.keys():
                await context.see_connection(self.config.connection_id)
            request = await aside.run(size_bytes, self._request, context, incoming, state)
            response = await context.fetch(request)
        except declaration.Unwritable as error:
            return contract.Fail(f"The payload cannot be sent. {error.why}")
        except contract.RequestFailed as error:
            return contract.Retry(error.why) if error.passing else contract.Fail(error.why)
        if response.status == 404 and state["page"] and self._counts_pages:
            return contract.Done([])  # many servers answer so for the page after the last
        return (
            response if 200 <= response.status < 300 else answers.refusal(self.method, response, context.now)
        )

    def _request(
        self, context: contract.Context, incoming: Payload, state: pagination.State
    ) -> contract.Request:
        scope = context.scope(incoming)
        headers = {name: template.render(scope) for name, template in self.headers}
        body = None
        if self.body is not None:
            body, content_type = self.body.encode(scope, incoming)
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
        return self.url.render_url(scope), tuple({**query, **(own or {})}.items())

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
    if url == own:
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
    if config.pagination is not None:
        pagination.check(config.pagination)
    _require_reachable(config)
    method = config.method or ("POST" if is_send else "GET")
    call = _Call(
        config,
        method,
        templates.compile(config.url, "url"),
        _compiled_map(config.query, "query"),
        _compiled_map(config.headers, "headers"),
        _compiled_body(config, method),
        aside.about_bytes(config.body),
        payload.compile_path(config.path, "path"),
        templates.variables_in([config.url, config.query, config.headers, config.body]),
    )
    return contract.Compiled(
        call.send if is_send else call.receive,
        effect=True,
        sends=is_send,
        timeout_seconds=config.timeout_seconds + _STEP_GRACE_SECONDS,
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
    scheme, separator, _ = config.url.partition("://")
    if separator and scheme.isalpha() and scheme.lower() not in ("http", "https"):
        raise errors.Invalid.field("url", f"Only http and https URLs can be requested, not {scheme}.")
    if not templates.compile(config.url, "url").is_constant:
        return
    try:
        _ = urlsplit(config.url).port
    except ValueError as error:
        raise errors.Invalid.field("url", f"The URL cannot be read: {error}.") from None


def _compiled_map(values: Mapping[str, Scalar], field: str) -> Sequence[tuple[str, templates.Template]]:
    return [(name, templates.compile(_source(value), f"{field}.{name}")) for name, value in values.items()]


def _source(value: Scalar) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _compiled_body(config: Connector, method: str) -> _Body | None:
    if config.body is None:
        if config.direction == "receive" or method in _BODYLESS:
            return None
        return _Body(send_format=config.send_format, format=config.format)
    if not isinstance(config.body, str):
        return _Body(tree=templates.compile_tree(config.body, "body"))
    given = [str(value) for name, value in config.headers.items() if name.lower() == "content-type"]
    if not given or payload.is_json_type(given[0]):
        try:
            return _Body(tree=templates.compile_tree(msgspec.json.decode(config.body), "body"))
        except (msgspec.DecodeError, RecursionError):
            pass
    return _Body(text=templates.compile(config.body, "body"))


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
        "Any other status but 2xx fails the payload, as does an address that is not allowed."
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
    ),
)
