"""The delay step: lets its payloads wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from pydantic import Field

from flowloom.domain.payload import Payload
from flowloom.steps import contract

MAX_SECONDS: Final = 30 * 24 * 3600


class Delay(contract.Config):
    seconds: float = Field(gt=0, le=MAX_SECONDS, description="How long the payloads wait, up to 30 days.")


def compile(config: Delay, legs: Sequence[contract.Leg]) -> contract.Compiled:
    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        if context.waited is not None:
            return contract.Done([payload])
        until = context.clock_now + timedelta(seconds=config.seconds)
        return contract.Wait(f"Waits for {config.seconds:g} seconds.", until, state=True)

    return contract.Compiled(run, effect=True)


TYPE = contract.StepType(
    microservice="delay",
    title="Delay",
    help=(
        "Lets the payloads of a bucket wait together, then hands them on as they are. A run that waits takes "
        "no memory and no place of another run, and a restart does not make it wait again."
    ),
    failure="It does not fail. After a stop of the server the wait ends when it would have, or at the next start.",
    config=Delay,
    compile=compile,
    examples=[contract.Example("Give the warehouse an hour", {"seconds": 3600})],
)
