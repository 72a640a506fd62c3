"""The split step: makes one payload of every item of a list."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from flowloom.domain.payload import JSON_TYPE, Payload, compile_path
from flowloom.steps import contract
from flowloom.steps.records_only import records_only


class Split(contract.Config):
    path: str | None = Field(None, description="Where the list is; absent: the payload is the list.")
    wrap: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The key of an object that each item is put into; absent: the item as it is.",
    )


def compile(config: Split, legs: Sequence[contract.Leg]) -> contract.Compiled:
    path = compile_path(config.path)

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        items = payload.items_at(path)
        if items is None:
            where = f"at '{config.path}'" if config.path else "in the payload"
            return contract.Fail(f"There is no list {where} to split into its items.")
        size_bytes = round(payload.size_bytes / max(len(items), 1))
        return contract.Done(
            [_payload(payload, at, config.wrap, item, size_bytes) for at, item in enumerate(items)]
        )

    return contract.Compiled(records_only(run))


def _payload(payload: Payload, at: int, wrap: str | None, item: object, size_bytes: int) -> Payload:
    body = item if wrap is None else {wrap: item}
    # Whether an item could be a document depends on what it holds; what it is should not.
    content_type = payload.content_type if payload.is_json else JSON_TYPE
    return Payload(body, content_type, payload.meta, f"{payload.position}.{at}", size_bytes)


TYPE = contract.StepType(
    microservice="split",
    title="Split",
    help=(
        "Makes a payload of every item of a list, in order. Without `path` the payload is the list; with `*` "
        "in it the items of all lists there are taken. `wrap` puts each item into an object under that key. "
        "Meta stays; an item of CSV or XML is JSON. An empty list gives no payloads."
    ),
    failure="A payload without records (JSON, CSV, XML), or that has no list where one is expected, fails.",
    config=Split,
    compile=compile,
    examples=[
        contract.Example(
            "Order by order", {}, payloads=[[{"id": 1}, {"id": 2}]], expect=[{"id": 1}, {"id": 2}]
        ),
        contract.Example(
            "The lines of every order",
            {"path": "orders.*.lines"},
            payloads=[{"orders": [{"lines": [{"sku": "a"}]}, {"lines": [{"sku": "b"}, {"sku": "c"}]}]}],
            expect=[{"sku": "a"}, {"sku": "b"}, {"sku": "c"}],
        ),
        contract.Example(
            "Each item in an object",
            {"wrap": "order"},
            payloads=[[7, 8]],
            expect=[{"order": 7}, {"order": 8}],
        ),
    ],
)
