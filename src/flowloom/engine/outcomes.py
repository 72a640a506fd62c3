"""What comes of calling a step: its answer, or its failure raised."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Sequence

from flowloom.domain.payload import Payload
from flowloom.engine.context import StepContext
from flowloom.engine.plan import PlanStep
from flowloom.steps import contract


class StepFailed(Exception):
    """A payload failed for good, and with it the run."""

    def __init__(self, step: PlanStep, why: str) -> None:
        super().__init__(why)
        self.step = step
        self.why = why


class RunStopped(Exception):
    """A step ended the run without failure."""


def compute(
    step: PlanStep, context: StepContext, payloads: Sequence[Payload]
) -> tuple[list[contract.Done | contract.Routed], float]:
    """What a pure step answers to these payloads, and the seconds of processor time it took."""
    began = time.thread_time()
    outcomes = [accept(step, step.compiled.run(context, payload)) for payload in payloads]
    return outcomes, time.thread_time() - began


def accept(
    step: PlanStep, outcome: contract.Outcome | Awaitable[contract.Outcome]
) -> contract.Done | contract.Routed:
    """A step's answer, or its failure raised."""
    match outcome:
        case contract.Done() | contract.Routed():
            return outcome
        case contract.Stop(why):
            raise RunStopped(why)
        case contract.Fail(why) | contract.Retry(why):
            raise StepFailed(step, why)
        case _:
            raise TypeError(f"{step.microservice} is no effect and must not wait.")


def done(step: PlanStep, outcome: contract.Outcome) -> contract.Done:
    """The answer of a step without routes, or its failure raised."""
    accepted = accept(step, outcome)
    if not isinstance(accepted, contract.Done):
        raise TypeError(f"{step.microservice} has no routes and must not route.")
    return accepted
