"""The track step: notes which entities a run saw, so that one can search for the runs of an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from flowloom.domain.payload import Payload, compile_path
from flowloom.steps import contract, record_text
from flowloom.steps.records_only import records_only

MAX_CHARACTERS: Final = 255


class Track(contract.Config):
    entity_type: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]+$")] = (
        Field(description="What it is, such as `order`; searches go by it.")
    )
    value: str = Field(
        description="What identifies it: a path of the record (`id`), or a template (`{{shop}}-[[payload.id]]`).",
        min_length=1,
        json_schema_extra={"x-template": True},
    )
    direction: Literal["in", "out"] = Field("in", description="Whether it came in or went out.")
    path: str | None = Field(None, description="Where the records are; absent: the payload, or its items.")


def compile(config: Track, legs: Sequence[contract.Leg]) -> contract.Compiled:
    path = compile_path(config.path)
    read = record_text.compile(config.value, "value")

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        scope = context.scope(payload)
        for record in path.records(payload.body):
            value = read(record, scope).replace("\0", "")[:MAX_CHARACTERS]
            if value:
                context.track(config.entity_type, value, config.direction)
        return contract.Done([payload])

    return contract.Compiled(records_only(run))


TYPE = contract.StepType(
    microservice="track",
    title="Track",
    help=(
        "Notes of every record what it is, so that tracked data answers which runs saw order 1042, in which "
        "direction. The payload goes on as it is. A record without the value is passed over, and of a longer "
        "one the first 255 characters count."
    ),
    failure="A payload without records, such as plain text, fails.",
    config=Track,
    compile=compile,
    examples=[
        contract.Example(
            "Orders that came in",
            {"entity_type": "order", "value": "id"},
            payloads=[[{"id": 1042}, {"id": 1043}]],
            expect=[[{"id": 1042}, {"id": 1043}]],
        ),
        contract.Example(
            "Lines that go out, by shop and number",
            {
                "entity_type": "order line",
                "value": "{{shop}}-[[payload.sku]]",
                "direction": "out",
                "path": "lines",
            },
            payloads=[{"lines": [{"sku": "a"}]}],
            expect=[{"lines": [{"sku": "a"}]}],
            variables={"shop": "nl"},
        ),
    ],
)
