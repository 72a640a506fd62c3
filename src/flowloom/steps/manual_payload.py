"""The manual-payload step: puts a payload written in the flow in place of what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from pydantic import Field

from flowloom import errors
from flowloom.domain import templates
from flowloom.domain.payload import JSON_TYPE, Payload, is_json_type, is_text_type
from flowloom.domain.templates import Scope
from flowloom.steps import aside, contract


class ManualPayload(contract.Config):
    body: Any = Field(
        description="JSON, or text that holds it; for other content types the text. May hold templates.",
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
    body, own_bytes = _body(config), aside.about_bytes(config.body)

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        filled = body(context.scope(payload))
        size_bytes = own_bytes + payload.size_bytes
        return contract.Done(
            [Payload(filled, config.content_type, payload.meta, payload.position, size_bytes)]
        )

    return contract.Compiled(run)


def _body(config: ManualPayload) -> Callable[[Scope], object]:
    if is_json_type(config.content_type):
        parsed = _parsed(config.body) if isinstance(config.body, str) else config.body
        return templates.compile_tree(parsed, "body").value
    if not isinstance(config.body, str):
        raise errors.Invalid.field("body", f"The body of a payload of type {config.content_type} is text.")
    render = templates.compile(config.body, "body").render
    return render if is_text_type(config.content_type) else lambda scope: render(scope).encode()


def _parsed(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"The body is not JSON ({error}); correct it, or set content_type to text/plain."
        raise errors.Invalid.field("body", message) from None


TYPE = contract.StepType(
    microservice="manual-payload",
    title="Manual payload",
    help=(
        "Replaces the payload by the one written here, which may hold templates. With a JSON content type, "
        "text is read as JSON and its strings are filled in, so a placeholder stands inside quotes; alone "
        "there it keeps its JSON type."
    ),
    failure="It does not fail: bad JSON is refused when the step is saved.",
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
    ],
)
