"""What comes of calling a step: its answer, or its failure raised."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Sequence
from datetime import datetime

from flowloom.domain.payload import Payload
from flowloom.engine.active import Waited
from flowloom.engine.context import StepContext
from flowloom.engine.plan import PlanStep
from flowloom.engine.streams import Item
from flowloom.steps import contract

Answer = contract.Done | contract.Routed


class StepFailed(Exception):
    """A payload failed for good. Where no try-catch takes it, its run fails.

    `made` is what was recorded of its earlier answers: it goes on where the failure is caught.
    """

    def __init__(self, step: PlanStep, fail: contract.Fail, made: Sequence[Item] = ()) -> None:
        super().__init__(fail.why)
        self.step = step
        self.fail = fail
        self.made = made


class RunStopped(Exception):
    """A step ended the run without failure."""


class Parked(Exception):
    """Part of a run waits outside of memory, with `for_child` at most until the runs that it awaits have ended.

    `in_line`: what comes after it in its bucket waits behind it. `what` it waits for is not known of old waits.
    """

    def __init__(
        self,
        until: datetime,
        *,
        what: Waited | None = None,
        for_child: bool = False,
        in_line: bool = False,
    ) -> None:
        super().__init__(until)
        self.until = until
        self.what = what
        self.for_child = for_child
        self.in_line = in_line


def together(waits: Sequence[Parked]) -> Parked:
    """What a run waits for of which several parts wait: the first of it."""
    until = min(wait.until for wait in waits)
    return Parked(until, for_child=any(wait.for_child for wait in waits))


Judged = Answer | contract.Fail


def compute(
    step: PlanStep, context: StepContext, payloads: Sequence[Payload]
) -> tuple[Sequence[Judged], float]:
    """What a pure step answers to each of these payloads, and the seconds of processor time it took.

    Where no try-catch takes a failure, the answers end with the first one. Raises GivenUp, RunStopped.
    """
    began = time.thread_time()
    answers: list[Judged] = []
    for payload in payloads:
        context.check()
        answers.append(judge(step, _called(step, context, payload)))
        if isinstance(answers[-1], contract.Fail) and step.guard is None:
            break
    return answers, time.thread_time() - began


def _called(
    step: PlanStep, context: StepContext, payload: Payload
) -> contract.Outcome | Awaitable[contract.Outcome]:
    try:
        return step.compiled.run(context, payload)
    except RecursionError:
        return too_deep(step)


def too_deep(step: PlanStep) -> contract.Fail:
    return contract.Fail(
        f"{step.name} works on a payload that is nested too deep; take its parts one by one."
    )


def judge(step: PlanStep, outcome: contract.Outcome | Awaitable[contract.Outcome]) -> Judged:
    """A step's answer or failure. Raises RunStopped."""
    match outcome:
        case contract.Done() | contract.Routed() | contract.Fail():
            return outcome
        case contract.Stop(why):
            raise RunStopped(why)
        case contract.Retry(why, _, error_class):
            return contract.Fail(why, error_class)
        case _:
            raise TypeError(f"{step.microservice} is no effect and must not wait.")


def done(step: PlanStep, judged: Judged) -> contract.Done:
    """The answer of a step without routes."""
    if not isinstance(judged, contract.Done):
        raise TypeError(f"{step.microservice} has no routes and must not route.")
    return judged


def payloads(step: PlanStep, answers: Sequence[Answer]) -> Sequence[Payload]:
    """What a step without routes gave on."""
    return [payload for answer in answers for payload in done(step, answer).payloads]


def on_route(step: PlanStep, answer: Answer, route: str | None) -> Sequence[Payload]:
    """What a step hands to one of its routes, or, for None, what a step without routes gives on."""
    if route is None:
        return done(step, answer).payloads
    given = answer.routes.get(route) if isinstance(answer, contract.Routed) else None
    return [] if given is None else [given]


def shares(step: PlanStep, answers: Sequence[Answer]) -> dict[str, list[Payload]]:
    """What a step with routes gave to each of them, by route key."""
    given: dict[str, list[Payload]] = {key: [] for key in step.legs}
    for answer in answers:
        for key, payload in answer.routes.items() if isinstance(answer, contract.Routed) else ():
            given.setdefault(key, []).append(payload)
    return given
