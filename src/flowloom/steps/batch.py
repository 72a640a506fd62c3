"""The batch step: cuts a list into payloads of at most so many items."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from flowloom.domain.payload import Payload, compile_path, fitting_type
from flowloom.steps import contract
from flowloom.steps.records_only import records_only


class Batch(contract.Config):
    path: str | None = Field(None, description="Where the list is; absent: the payload is the list.")
    size: int = Field(ge=1, le=100_000, description="How many items a payload holds at most.")


def compile(config: Batch, legs: Sequence[contract.Leg]) -> contract.Compiled:
    path = compile_path(config.path)
    size = config.size

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        items = payload.items_at(path)
        if items is None:
            where = f"at '{config.path}'" if config.path else "in the payload"
            return contract.Fail(f"There is no list {where} to make batches of.")
        batches = [items[start : start + size] for start in range(0, len(items), size)]
        item_bytes = payload.size_bytes / max(len(items), 1)
        return contract.Done([_payload(payload, at, batch, item_bytes) for at, batch in enumerate(batches)])

    return contract.Compiled(records_only(run))


def _payload(payload: Payload, at: int, items: list[object], item_bytes: float) -> Payload:
    size_bytes = round(item_bytes * len(items))
    content_type = fitting_type(payload.content_type, items)
    return Payload(items, content_type, payload.meta, f"{payload.position}.{at}", size_bytes)


TYPE = contract.StepType(
    microservice="batch",
    title="Batch",
    help=(
        "Cuts a list into payloads of `size` items, the last one with what remains. Without `path` the "
        "payload is the list. Meta stays, and rows of CSV stay CSV; an empty list gives no payloads."
    ),
    failure="A payload without records (JSON, CSV, XML), or that has no list where one is expected, fails.",
    config=Batch,
    compile=compile,
    examples=[
        contract.Example("Two at a time", {"size": 2}, payloads=[[1, 2, 3]], expect=[[1, 2], [3]]),
        contract.Example(
            "The lines of an order, one by one",
            {"path": "lines", "size": 1},
            payloads=[{"lines": [{"sku": "a"}, {"sku": "b"}]}],
            expect=[[{"sku": "a"}], [{"sku": "b"}]],
        ),
        contract.Example("An empty list", {"size": 10}, payloads=[[]], expect=[]),
    ],
)
