"""The de-dupe step: lets each record through once, by keys that are kept in a named data pool."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final, Literal

from msgspec.structs import replace
from pydantic import Field, StringConstraints

from flowloom.domain.payload import Path, Payload, compile_path
from flowloom.steps import aside, contract, record_text

MAX_CHARACTERS: Final = 255


class DeDupe(contract.Config):
    pool: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="Name of the data pool."
    )
    key: str = Field(
        description="What identifies a record: a path of it (`id`), or a template (`{{shop}}-[[payload.id]]`).",
        min_length=1,
        json_schema_extra={"x-template": True},
    )
    mode: Literal["filter", "track", "both"] = Field(
        "both",
        description=(
            "filter: drop the records whose key is in the pool; track: put the keys in, drop nothing; both: let "
            "only new records through and put their keys in."
        ),
    )
    path: str | None = Field(None, description="Where the records are; absent: the payload, or its items.")


def compile(config: DeDupe, legs: Sequence[contract.Leg]) -> contract.Compiled:
    path = compile_path(config.path)
    read = record_text.compile(config.key, "key")

    def keys_of(context: contract.Context, payload: Payload) -> list[str]:
        scope = context.scope(payload)
        return [read(record, scope) for record in path.records(payload.body)]

    async def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        if not payload.is_json:
            return contract.Fail(
                f"This step works on JSON records, but the payload is {payload.content_type}."
            )
        keys = await aside.run(payload.size_bytes, keys_of, context, payload)
        for at, key in enumerate(keys):
            if len(key) > MAX_CHARACTERS or "\0" in key:
                return contract.Fail(
                    f"The key of record {at} is no text of up to {MAX_CHARACTERS} characters; choose another key."
                )
        is_new = await _news(config, context, keys)
        if config.mode == "track" or (keys and all(is_new)):
            return contract.Done([payload])
        left = await aside.run(payload.size_bytes, _without, payload, path, keys, is_new)
        return contract.Done([] if left is None else [left])

    return contract.Compiled(run, effect=True, pool=config.pool)


async def _news(config: DeDupe, context: contract.Context, keys: Sequence[str]) -> Sequence[bool]:
    """For each record whether it is new; one without a key always is."""
    asked = [key for key in keys if key]
    answers = iter(await context.claim_keys(config.pool, asked, claim=config.mode != "filter"))
    return [next(answers) if key else True for key in keys]


def _without(payload: Payload, path: Path, keys: Sequence[str], is_new: Sequence[bool]) -> Payload | None:
    """The payload with the new records only; None when there is none.

    Its position tells which are left: when a retry finds others, what follows must not take them for these.
    """
    if not any(is_new):
        return None
    going_on = iter(is_new)
    body = path.replace_records(
        payload.body, lambda records: [record for record in records if next(going_on)]
    )
    left = "\n".join(key for key, new in zip(keys, is_new, strict=True) if new)
    mark = hashlib.sha256(left.encode(errors="replace")).hexdigest()[:8]
    return replace(payload.with_body(body), position=f"{payload.position}.k{mark}")


TYPE = contract.StepType(
    microservice="de-dupe",
    title="De-dupe",
    help=(
        "Knows by a key which records were there before, in this flow or in any other that uses the same data "
        "pool. A key is claimed at once, so that of two runs with the same record one lets it through, and is kept "
        "for good only when its run succeeds: after a failure or a stop the record is new again, for a retry and "
        "for any other run. With partial success that goes for the records of the payloads that failed, so put a "
        "batch of size 1 before this step where single records may fail. A record that comes twice in one run "
        "passes once. Records without a key pass and are not kept. A payload in which no record is left goes no "
        "further."
    ),
    failure=(
        "A payload without records fails, one with a key of more than 255 characters, and every payload while the "
        "pool does not exist. A re-drive of a dead letter sends it, whatever the pool says."
    ),
    config=DeDupe,
    compile=compile,
    examples=[
        contract.Example("Each order once", {"pool": "orders", "key": "id"}),
        contract.Example(
            "Drop the products that another flow has put in",
            {"pool": "products", "key": "{{shop}}-[[payload.sku]]", "mode": "filter", "path": "products"},
        ),
    ],
)
