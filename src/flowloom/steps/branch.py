"""The branch step: several legs one after another, each with the same payloads."""

from __future__ import annotations

from collections.abc import Sequence

from flowloom.domain.payload import Payload
from flowloom.steps import contract


class Branch(contract.Config):
    """A branch has no settings: its routes are its legs, worked through in their order."""


def compile(config: Branch, legs: Sequence[contract.Leg]) -> contract.Compiled:
    keys = [leg.key for leg in legs]

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        return contract.Routed(dict.fromkeys(keys, payload))

    return contract.Compiled(run)


TYPE = contract.StepType(
    microservice="branch",
    title="Branch",
    help=(
        "Works through its routes in order, giving each the same payloads: the next route begins when the "
        "one before has ended. Variables set on one route are not seen on another."
    ),
    failure="It does not fail. When a step on a route fails the run, the routes after it do not begin.",
    config=Branch,
    compile=compile,
    examples=[contract.Example("First the stock, then the invoice", {})],
    has_routes=True,
    routes_in_order=True,
)
