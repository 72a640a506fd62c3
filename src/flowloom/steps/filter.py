"""The filter step: keeps or drops records by a condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from flowloom.domain import comparison, conditions
from flowloom.domain.payload import Payload, compile_path
from flowloom.steps import contract, parts
from flowloom.steps.records_only import records_only


class Filter(contract.Config):
    path: str | None = Field(None, description="Where the records are; absent: the payload, or its items.")
    keep: bool = Field(
        True, description="On (true): the records that satisfy the condition go on; off (false): the others."
    )
    where: dict[str, Any] = Field(
        description="What a record must satisfy: field, operator and value, or all, any or not of such.",
        json_schema_extra={"x-template": True, "x-operators": [*comparison.OPERATORS]},
    )


def compile(config: Filter, legs: Sequence[contract.Leg]) -> contract.Compiled:
    path = compile_path(config.path)
    holds = conditions.compile(config.where).holds
    keep = config.keep

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        scope = context.scope(payload)

        def kept(records: list[object]) -> list[object]:
            found = parts.of(context, records)
            if keep:
                return [record for part in found for record in part if holds(record, scope)]
            return [record for part in found for record in part if not holds(record, scope)]

        body = path.replace_records(payload.body, kept)
        return contract.Done([payload.with_body(body)] if path.records(body) else [])

    return contract.Compiled(records_only(run))


_PAID = {"field": "status", "operator": "equals", "value": "paid"}

TYPE = contract.StepType(
    microservice="filter",
    title="Filter",
    help=(
        "Keeps the records that satisfy a condition, or drops them when `keep` is false. The records are "
        "the items of a list payload, the payload itself, or what stands at `path`. A payload in which no "
        "record is left goes no further; that includes one whose list at `path` was empty or missing."
    ),
    failure="A payload that is not JSON, CSV or XML fails. A record that lacks a field just does not satisfy.",
    config=Filter,
    compile=compile,
    examples=[
        contract.Example(
            "Keep the paid orders of a list",
            {"where": _PAID},
            payloads=[[{"id": 1, "status": "paid"}, {"id": 2, "status": "open"}]],
            expect=[[{"id": 1, "status": "paid"}]],
        ),
        contract.Example(
            "Drop large orders, one payload an order",
            {"keep": False, "where": {"field": "total", "operator": "greater", "value": "{{limit}}"}},
            payloads=[{"total": 20}, {"total": 200}],
            expect=[{"total": 20}],
            variables={"limit": 100},
        ),
        contract.Example(
            "Keep the lines of an order that are in stock",
            {"path": "lines", "where": {"field": "stock", "operator": "greater", "value": 0}},
            payloads=[{"id": 1, "lines": [{"sku": "a", "stock": 3}, {"sku": "b", "stock": 0}]}],
            expect=[{"id": 1, "lines": [{"sku": "a", "stock": 3}]}],
        ),
        contract.Example(
            "Nothing left: the payload goes no further", {"where": _PAID}, payloads=[[{"id": 2}]], expect=[]
        ),
    ],
)
