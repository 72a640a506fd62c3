"""The trigger: where every version begins."""

from __future__ import annotations

from collections.abc import Sequence

from flowloom.domain.payload import Payload
from flowloom.steps import contract


class Trigger(contract.Config):
    """A trigger has no settings: schedules, webhooks and the API start the flow."""


def compile(config: Trigger, legs: Sequence[contract.Leg]) -> contract.Compiled:
    return contract.Compiled(_run)


def _run(context: contract.Context, payload: Payload) -> contract.Outcome:
    return contract.Done([payload])


TYPE = contract.StepType(
    microservice="trigger",
    title="Trigger",
    help="Starts the flow and hands on the payload that it was started with.",
    failure="It does not fail.",
    config=Trigger,
    compile=compile,
    examples=[
        contract.Example(
            "The start payload goes on as it is", {}, payloads=[{"order": 7}], expect=[{"order": 7}]
        ),
    ],
)
