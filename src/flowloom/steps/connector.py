"""The connector: receives records from an HTTP API, page by page, or sends each payload; or goes another way."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from msgspec.structs import replace
from pydantic import Field

from flowloom import errors
from flowloom.domain import declaration, payload, templates
from flowloom.domain.payload import Payload
from flowloom.steps import (
    answers,
    aside,
    contract,
    conversion,
    pagination,
    request_draft,
    response_rules,
    ways,
)
from flowloom.steps.conversion import Format, FormatName
from flowloom.steps.pagination import Pagination
from flowloom.steps.reading import Reading
from flowloom.steps.response_rules import ResponseRule

# The request's own timeout comes first: it says what was waited for.
_STEP_GRACE_SECONDS = 5.0
# A request through a connection may have to wait for its turn, and for an access token.
_TURN_SECONDS = 3600.0


class Connector(request_draft.Parts):
    response_format: FormatName | None = Field(
        None,
        description="How to read the answer; unset, a receive goes by its content type and a send keeps the payload",
    )
    format: Format | None = Field(
        None, description="How the text, CSV or XML is written that a receive reads, or a send sends"
    )
    path: str | None = Field(None, description="Where the records are in the answer, or in a received file")
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
    draft: request_draft.Draft
    reading: Reading
    rules: response_rules.Rules

    @property
    def _counts_pages(self) -> bool:
        return isinstance(self.config.pagination, pagination.Counted)

    @property
    def _ends_with_404(self) -> bool:
        pages = self.config.pagination
        return isinstance(pages, pagination.Counted) and pages.ends_with_404

    async def receive(self, context: contract.Context, incoming: Payload) -> contract.Outcome:
        state = context.cursor or pagination.start()
        response = await self._fetch(context, incoming, state)
        if not isinstance(response, contract.Response):
            return response
        if response.file is not None:
            return self._pages(incoming, state, response, response.file)
        try:
            page, following = await aside.run(len(response.body), self._page, context, state, response)
        except answers.Unreadable as error:
            return contract.Fail(f"{self.draft.method} {answers.shown_url(response.url)}: {error}")
        except pagination.Endless as error:
            return contract.Fail(error.why)
        if self.config.pagination and page.body in (None, []):
            return contract.Done([], following)
        position = f"{incoming.position}.{state['page']}"
        made = Payload(page.body, page.content_type, incoming.meta, position, page.size_bytes)
        return contract.Done([made], following)

    def _pages(
        self, incoming: Payload, state: pagination.State, response: contract.Response, file: BinaryIO
    ) -> contract.Outcome:
        """An answer too large for memory, as the pages that its list is cut into."""
        content_type = response.headers.get("content-type", "")
        position = f"{incoming.position}.{state['page']}"
        try:
            following = self._following(state, response, None, [True])
            pages = self.reading.pages(file, content_type, replace(incoming, position=position), "The answer")
        except (answers.Unreadable, pagination.Endless) as error:
            return contract.Fail(f"{self.draft.method} {answers.shown_url(response.url)}: {error}")
        return contract.Done([], following, pages=pages)

    def _may_spill(self, content_type: str) -> bool:
        """Whether a large answer is cut into pages; response rules and cursors need it whole."""
        pages = self.config.pagination
        if self.config.direction == "send" or any(rule.where for rule in self.config.response_rules):
            return False
        if pages is not None and pages.type not in ("page", "link"):
            return False
        return self.reading.can_be_cut(content_type)

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
                return contract.Fail(f"{self.draft.method} {answers.shown_url(response.url)}: {error}")
        made = Payload(sent.body, sent.content_type, meta, incoming.position, sent.size_bytes)
        return contract.Done([made])

    async def _fetch(
        self, context: contract.Context, incoming: Payload, state: pagination.State
    ) -> contract.Response | contract.Outcome:
        """The answer, if it is a good one, or else what came of it."""
        size_bytes = self.draft.size_bytes(context, incoming)
        try:
            request = await aside.run(
                size_bytes, self.draft.request, context, incoming, state["place"], self._may_spill
            )
            response = await context.fetch(request)
            verdict = await self._verdict(context, incoming, response)
            if verdict is not None and verdict.action == "reauthenticate":
                response = await context.fetch(replace(request, renews_token=True))
                verdict = await self._verdict(context, incoming, response)
        except declaration.Unwritable as error:
            return contract.Fail(f"The payload cannot be sent. {error.why}")
        except contract.RequestFailed as failed:
            return contract.failed(failed)
        if verdict is not None:
            return verdict.outcome(self.draft.method, response, context.now)
        if response.status == 404 and state["page"] and self._ends_with_404:
            return contract.Done([])
        return (
            response
            if 200 <= response.status < 300
            else answers.refusal(self.draft.method, response, context.now)
        )

    async def _verdict(
        self, context: contract.Context, incoming: Payload, response: contract.Response
    ) -> response_rules.Verdict | None:
        if not self.config.response_rules:
            return None
        scope = context.scope(incoming)
        return await aside.run(len(response.body), self.rules.verdict, response, scope)

    def _page(
        self, context: contract.Context, state: pagination.State, response: contract.Response
    ) -> tuple[Payload, pagination.State | None]:
        """The page an answer holds, and where the next one is. Raises answers.Unreadable, pagination.Endless."""
        whole = self._whole(response)
        page = self.reading.picked(whole, context)
        return page, self._following(state, response, whole.body, page.body)

    def _answer(self, context: contract.Context, response: contract.Response) -> Payload:
        """What a send goes on with. Raises answers.Unreadable."""
        return self.reading.picked(self._whole(response), context)

    def _whole(self, response: contract.Response) -> Payload:
        """Raises answers.Unreadable."""
        return self.reading.whole(response.body, response.headers.get("content-type", ""))

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


def compile(config: Connector, legs: Sequence[contract.Leg]) -> contract.Compiled:
    """Raises errors.Invalid on the field whose template or path is wrong."""
    call = _compiled_call(config)
    other = ways.other(config, config.timeout_seconds, call.reading, call.draft.content)
    is_send = config.direction == "send"
    takes_turns = config.connection_id is not None and other is None
    run = other or (call.send if is_send else call.receive)
    return contract.Compiled(
        _seeing(run, config),
        effect=True,
        sends=is_send,
        takes_secrets=True,
        timeout_seconds=config.timeout_seconds + (_TURN_SECONDS if takes_turns else _STEP_GRACE_SECONDS),
        retries=config.retries,
    )


def _seeing(run: contract.Run, config: Connector) -> contract.Run:
    """`run`, with the connection's variables in scope where the flow has not all that the config may name."""
    connection_id = config.connection_id
    used = templates.variables_in(config.model_dump())
    if connection_id is None or not used:
        return run

    async def seeing(context: contract.Context, incoming: Payload) -> contract.Outcome:
        if not used <= context.variables.keys():
            await context.see_connection(connection_id)
        outcome = run(context, incoming)
        return await outcome if isinstance(outcome, Awaitable) else outcome

    return seeing


def _compiled_call(config: Connector) -> _Call:
    if config.response_format == "text" and _needs_records(config):
        raise errors.Invalid.field(
            "response_format", "A path or these pages need an answer in JSON, CSV or XML."
        )
    _check_formats(config)
    if config.pagination is not None:
        if config.direction == "send":
            raise errors.Invalid.field("pagination", "Only a receive has pages; remove it.")
        pagination.check(config.pagination)
    is_receive = config.direction == "receive"
    return _Call(
        config,
        request_draft.compile(config, config.pagination, config.format, config.timeout_seconds),
        Reading(
            config.response_format,
            config.format if is_receive else None,
            payload.compile_path(config.path, "path"),
            _needs_records(config),
        ),
        response_rules.compile(config.response_rules),
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


TYPE = contract.StepType(
    microservice="connector",
    title="Connector",
    help=(
        "Calls an HTTP API, or works on a file server or in a database. A receive asks for records, page after page; "
        "each page becomes a payload. A send calls the API once for each payload, with the payload or your own body, "
        "and always with an Idempotency-Key header that is equal when the same payload is sent again. With sftp a "
        "receive makes a payload of each file, and a send writes one. With sql a receive makes a payload of each page "
        "of rows, and a send executes its statement for each record of a payload, in one transaction. "
        "Answers in JSON, CSV and XML become records; what `path` picks of CSV or XML goes on as JSON. An answer or a "
        "file over 32 MB becomes several payloads: a JSON list, CSV, and XML whose records `path` names."
    ),
    failure=(
        "No answer, 408, 425, 429 and most 5xx are tried again, after the time in Retry-After if given. "
        "Any other status but 2xx fails the payload, as does an address that is not allowed, and for a send a redirect "
        "that would drop what is sent (301, 302 and 303 after a POST); `response_rules` come first. A lost connection, "
        "a lock or a deadlock is tried again; a statement or a file that the server refuses fails the payload, as does "
        "what is over 64 MB and cannot be cut into pages."
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
        contract.Example(
            "Receive the rows of a table, 500 to a payload",
            {
                "direction": "receive",
                "connection_id": 2,
                "sql": {"statement": "SELECT id, total FROM orders ORDER BY id", "page_size": 500},
            },
        ),
        contract.Example(
            "Fetch files and move them away",
            {
                "direction": "receive",
                "connection_id": 3,
                "sftp": {"path": "/out", "pattern": "*.csv", "action": "move", "move_to": "/out/done"},
            },
        ),
    ),
)
