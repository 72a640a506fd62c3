"""The try-catch step: a payload that fails on its first route goes on on the second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from flowloom import errors
from flowloom.domain.payload import Payload
from flowloom.steps import contract

ROUTES: Final = ("try", "catch")


class TryCatch(contract.Config):
    run_ends: Literal["partial", "failure"] = Field(
        "partial", description="How a run ends in which a payload was caught: partial success, or failure."
    )


def compile(config: TryCatch, legs: Sequence[contract.Leg]) -> contract.Compiled:
    """Raises errors.Invalid on `routes` unless there are two, or none yet."""
    if len(legs) not in (0, len(ROUTES)):
        raise errors.Invalid.field("routes", "A try-catch has two routes, try and catch, in this order.")
    keys = [leg.key for leg in legs] or ROUTES

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        return contract.Routed({keys[0]: payload})

    return contract.Compiled(run, catch=keys[1], caught_status=config.run_ends)


TYPE = contract.StepType(
    microservice="try-catch",
    title="Try and catch",
    help=(
        "Gives its payloads to the route `try`. One that fails for good there, at whatever step, leaves it and "
        "goes to the route `catch` at once, as it was given to that step, with `error_message`, `error_step`, "
        "`error_step_key` and `error_class` in its meta; the others go on. What fails on `catch` is taken by "
        "the try-catch around this one, if any."
    ),
    failure="It does not fail. What it caught is kept as dead letters, and a retry of the run tries it again.",
    config=TryCatch,
    compile=compile,
    examples=[
        contract.Example("Go on with the others, end as partial success", {}),
        contract.Example("Go on with the others, but call the run failed", {"run_ends": "failure"}),
    ],
    has_routes=True,
    fixed_routes=ROUTES,
)
