"""The manual-payload step: puts a payload written in the flow in place of what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from pydantic import Field

from flowloom import errors
from flowloom.domain import csv_records, declaration, templates, xml_records
from flowloom.domain.declaration import Declaration
from flowloom.domain.payload import JSON_TYPE, Payload, fitting_type, is_record_type, kind_of
from flowloom.domain.templates import Scope
from flowloom.steps import contract, sizes


class ManualPayload(contract.Config):
    body: Any = Field(
        description="JSON, or text that holds JSON, CSV or XML as content_type says; else text. May hold templates.",
        json_schema_extra={"x-template": True},
    )
    content_type: str = Field(
        JSON_TYPE,
        min_length=3,
        max_length=200,
        pattern=r"^[^/\s]+/[^/\s][^\r\n]*$",
        description="What the body is",
    )


def compile(config: ManualPayload, legs: Sequence[contract.Leg]) -> contract.Compiled:
    body = _body(config)

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        filled = body(context.scope(payload))
        return sizes.made(Payload(filled, config.content_type, payload.meta, payload.position))

    return contract.Compiled(run)


def _body(config: ManualPayload) -> Callable[[Scope], object]:
    declared = _declared(config.content_type)
    if is_record_type(config.content_type):
        records = _records(config.body, declared) if isinstance(config.body, str) else config.body
        if fitting_type(config.content_type, records) != config.content_type:
            raise errors.Invalid.field("body", "CSV is a list of objects and XML an object with one key.")
        return templates.compile_tree(records, "body").value
    if not isinstance(config.body, str):
        raise errors.Invalid.field("body", f"The body of a payload of type {config.content_type} is text.")
    render = templates.compile(config.body, "body").render
    return render if kind_of(config.content_type) == "text" else lambda scope: render(scope).encode()


def _declared(content_type: str) -> Declaration:
    try:
        return declaration.parse(content_type)
    except declaration.Unreadable as error:
        raise errors.Invalid.field("content_type", error.why) from None


def _records(text: str, declared: Declaration) -> object:
    """What a text holds, before its placeholders are filled in: what they hold cannot change where a cell ends."""
    try:
        match kind_of(declared.media_type):
            case "csv":
                return csv_records.read(text, declared)
            case "xml":
                return xml_records.read(text)
            case _:
                return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"The body is not JSON ({error}); correct it, or set content_type to text/plain."
        raise errors.Invalid.field("body", message) from None
    except declaration.Unreadable as error:
        raise errors.Invalid.field("body", error.why) from None


TYPE = contract.StepType(
    microservice="manual-payload",
    title="Manual payload",
    help=(
        "Replaces the payload by the one written here, which may hold templates. With a content type of JSON, "
        "CSV or XML, text is read as such and its strings are filled in then, so in JSON a placeholder stands "
        "inside quotes; alone there it keeps its JSON type."
    ),
    failure="It does not fail: bad JSON, CSV or XML is refused when the step is saved.",
    config=ManualPayload,
    compile=compile,
    examples=[
        contract.Example(
            "A list to try a flow with", {"body": '[{"sku": "a"}]'}, payloads=[None], expect=[[{"sku": "a"}]]
        ),
        contract.Example(
            "A question with the id that came in",
            {"body": {"id": "[[payload.id]]", "shop": "Shop {{shop}}"}},
            payloads=[{"id": 7, "name": "x"}],
            expect=[{"id": 7, "shop": "Shop nl"}],
            variables={"shop": "nl"},
        ),
        contract.Example(
            "Plain text",
            {"body": "Order [[payload.id]]", "content_type": "text/plain"},
            payloads=[{"id": 7}],
            expect=["Order 7"],
        ),
        contract.Example(
            "Rows of CSV",
            {"body": "sku;shop\na;{{shop}}", "content_type": 'text/csv; delimiter=";"'},
            payloads=[None],
            expect=[[{"sku": "a", "shop": "nl"}]],
            variables={"shop": "nl"},
        ),
    ],
)
