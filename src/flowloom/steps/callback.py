"""The callback step: answers whoever waits at the flow's callback URL, and hands the payload on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import Field

from flowloom import errors
from flowloom.domain import declaration, formats, templates
from flowloom.domain.payload import JSON_TYPE, TEXT_TYPE, Payload, kind_of
from flowloom.domain.templates import Scope, Template
from flowloom.steps import aside, contract

CONTENT_TYPE: Final = "content-type"
MAX_VALUE: Final = 2000
# The server's own headers, cookies and what speaks of the connection are not for flows to set.
HEADERS: Final = frozenset(
    {"cache-control", "content-disposition", "content-language", CONTENT_TYPE, "etag", "expires"}
    | {"last-modified", "link", "location", "retry-after"}
)
_OWN_HEADER = re.compile(r"x-[a-z0-9-]{1,100}")
_MEDIA_TYPE = re.compile(r"[^/\s]+/[^/\s].*")
_NOT_OPEN: Final = frozenset({"x-frame-options", "x-content-type-options", "x-accel-redirect", "x-sendfile"})


class Callback(contract.Config):
    status: int = Field(200, ge=200, le=599, description="HTTP status of the answer.")
    headers: dict[str, str] = Field(
        default_factory=dict,
        max_length=50,
        description="Headers of the answer, whose values may hold templates: "
        f"{', '.join(sorted(HEADERS))}, and names that begin with X-.",
        json_schema_extra={"x-template": True},
    )
    body: Any = Field(
        None,
        description="Body of the answer, JSON or text, which may hold templates; left out, it is the payload.",
        json_schema_extra={"x-template": True},
    )


def compile(config: Callback, legs: Sequence[contract.Leg]) -> contract.Compiled:
    """Raises errors.Invalid on the header or template that is wrong."""
    headers = _headers(config.headers)
    body, own_bytes = _body(config), aside.about_bytes(config.body)

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        scope = context.scope(payload)
        filled = {name: value.render(scope) for name, value in headers.items()}
        if fault := _fault(filled):
            return contract.Fail(fault)
        answer = payload if body is None else _answer(body(scope), payload, payload.size_bytes + own_bytes)
        content_type = filled.pop(CONTENT_TYPE, answer.content_type)
        answer = Payload(answer.body, content_type, size_bytes=answer.size_bytes)
        if fault := _unwritable(answer):
            return contract.Fail(fault)
        return contract.Done([payload], writes=[contract.Reply(config.status, filled, answer)])

    return contract.Compiled(run, effect=True)


def _headers(given: Mapping[str, str]) -> dict[str, Template]:
    """The templates of the headers, by lower-case name."""
    headers: dict[str, Template] = {}
    for name, text in given.items():
        lower, field = name.lower(), f"headers.{name[:100]}"
        is_own = _OWN_HEADER.fullmatch(lower) and lower not in _NOT_OPEN
        if lower not in HEADERS and not is_own:
            allowed = f"allowed: {', '.join(sorted(HEADERS))}, and names that begin with X-."
            raise errors.Invalid.field(field, f"The header '{name[:100]}' cannot be set; {allowed}")
        if lower in headers:
            raise errors.Invalid.field(field, f"The header '{lower}' is there twice.")
        headers[lower] = templates.compile(text, field)
        if headers[lower].is_constant and (fault := _fault({lower: text})):
            raise errors.Invalid.field(field, fault)
    return headers


def _body(config: Callback) -> Callable[[Scope], object] | None:
    is_given = "body" in config.model_fields_set
    return templates.compile_tree(config.body, "body").value if is_given else None


def _answer(body: object, payload: Payload, size_bytes: int) -> Payload:
    """A body of its own; one that is the payload's bytes is what the payload is."""
    if isinstance(body, bytes):
        return Payload(body, payload.content_type, size_bytes=size_bytes)
    content_type = f"{TEXT_TYPE}; charset=utf-8" if isinstance(body, str) else JSON_TYPE
    return Payload(body, content_type, size_bytes=size_bytes)


def _unwritable(answer: Payload) -> str | None:
    """Why an answer cannot be written as its content type says."""
    kind = kind_of(answer.content_type)
    if kind == "json":
        return (
            "The body is no JSON; set a Content-Type that fits." if isinstance(answer.body, bytes) else None
        )
    if kind == "bytes":
        return None
    try:
        formats.decode(formats.encode(answer.body, answer.content_type), answer.content_type)
    except (declaration.Unwritable, declaration.Unreadable) as error:
        return f"The answer cannot be written as {answer.content_type[:100]}: {error.why}"
    return None


def _fault(headers: Mapping[str, str]) -> str | None:
    """Why these values cannot be sent."""
    for name, value in headers.items():
        if len(value) > MAX_VALUE:
            return f"The header {name} is longer than {MAX_VALUE} characters."
        if not value.isascii() or not value.isprintable():
            return f"The header {name} holds a line break or a character that is not plain ASCII."
        if name == CONTENT_TYPE and not _MEDIA_TYPE.fullmatch(value):
            return f"'{value[:100]}' is no content type; write it like application/json."
    return None


TYPE = contract.StepType(
    microservice="callback",
    title="Callback",
    help=(
        "Answers the caller who waits at the flow's callback URL with status, headers and body, and hands the "
        "payload on: the flow goes on after it has answered. Only the first answer of a run counts. A body that "
        "is text is sent as text/plain, any other as JSON, unless a Content-Type header is set. A run-flow step "
        "that waits for the run gets the answer's body as its payload; without either the answer is only kept."
    ),
    failure=(
        "A header that a template fills with a line break, with more than plain ASCII or with over 2,000 "
        "characters fails the payload. A caller who has gone does not matter."
    ),
    config=Callback,
    compile=compile,
    examples=[
        contract.Example("Answer with the payload", {}),
        contract.Example(
            "Say that the order was taken, and where it is",
            {
                "status": 201,
                "headers": {"Location": "https://shop.example.com/orders/[[payload.id]]"},
                "body": {"id": "[[payload.id]]", "state": "taken"},
            },
        ),
    ],
)
