"""The route step: hands payloads, or the items of a list, to the routes whose condition they satisfy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from flowloom.domain import conditions
from flowloom.domain.payload import Payload
from flowloom.domain.templates import Scope
from flowloom.steps import contract


class Route(contract.Config):
    mode: Literal["all", "first"] = Field(
        "all", description="all: every route that fits takes a record; first: only the first that does."
    )


Fits = tuple[str, conditions.Holds]


def compile(config: Route, legs: Sequence[contract.Leg]) -> contract.Compiled:
    fits = [_fits(leg) for leg in legs]
    takers = _all_takers if config.mode == "all" else _first_taker

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        scope = context.scope(payload)
        if payload.has_records and isinstance(payload.body, list):
            shares: dict[str, list[object]] = {}
            for item in payload.body:
                for key in takers(fits, item, scope):
                    shares.setdefault(key, []).append(item)
            return contract.Routed({key: payload.with_body(items) for key, items in shares.items()})
        return contract.Routed(dict.fromkeys(takers(fits, payload.body, scope), payload))

    return contract.Compiled(run)


def _fits(leg: contract.Leg) -> Fits:
    if leg.where is None:
        return leg.key, lambda record, scope: True
    return leg.key, conditions.compile(leg.where, f"routes.{leg.key}.where").holds


def _all_takers(fits: list[Fits], record: object, scope: Scope) -> list[str]:
    return [key for key, holds in fits if holds(record, scope)]


def _first_taker(fits: list[Fits], record: object, scope: Scope) -> list[str]:
    for key, holds in fits:
        if holds(record, scope):
            return [key]
    return []


TYPE = contract.StepType(
    microservice="route",
    title="Route",
    help=(
        "Splits the flow into routes, each with its own condition and its own steps. Of a list payload "
        "every route gets the list of the items that fit it; any other payload goes to the routes it fits "
        "as a whole. A route without a condition takes everything, in mode `first` everything that no route "
        "before it took. What fits no route goes no further."
    ),
    failure="It does not fail: a record that lacks a field just does not fit.",
    config=Route,
    compile=compile,
    examples=[
        contract.Example("Every route that fits", {"mode": "all"}),
        contract.Example("The first route that fits, so that nothing is handled twice", {"mode": "first"}),
    ],
    has_routes=True,
)
