"""What comes of calling a step: its answer, or its failure raised."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Sequence

from flowloom.domain.payload import Payload
from flowloom.engine.context import StepContext
from flowloom.engine.plan import PlanStep
from flowloom.steps import contract

Answer = contract.Done | contract.Routed


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
) -> tuple[Sequence[Answer], float]:
    """What a pure step answers to these payloads, and the seconds of processor time it took."""
    began = time.thread_time()
    answers = [accept(step, step.compiled.run(context, payload)) for payload in payloads]
    return answers, time.thread_time() - began


def accept(step: PlanStep, outcome: contract.Outcome | Awaitable[contract.Outcome]) -> Answer:
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


def count(answers: Sequence[Answer]) -> int:
    """The payloads that a step gave on; one that several routes take counts for each."""
    return sum(
        [len(answer.payloads if isinstance(answer, contract.Done) else answer.routes) for answer in answers]
    )


def payloads(step: PlanStep, answers: Sequence[Answer]) -> Sequence[Payload]:
    """What a step without routes gave on."""
    return [payload for answer in answers for payload in done(step, answer).payloads]


def shares(step: PlanStep, answers: Sequence[Answer]) -> dict[str, list[Payload]]:
    """What a step with routes gave to each of them, by route key."""
    given: dict[str, list[Payload]] = {key: [] for key in step.legs}
    for answer in answers:
        for key, payload in answer.routes.items() if isinstance(answer, contract.Routed) else ():
            given.setdefault(key, []).append(payload)
    return given
