"""Trying one step on one payload, as a run would work it: nothing is written, nobody is called.

Only steps without effects can be tried; what they answer depends on nothing but what is given here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

from flowloom import errors
from flowloom.domain import graph
from flowloom.domain.payload import Payload
from flowloom.engine import outcomes, plan
from flowloom.engine.active import Active
from flowloom.engine.context import StepContext
from flowloom.engine.lookups import Lookups
from flowloom.engine.plan import PlanStep
from flowloom.engine.side import SideThreads
from flowloom.engine.surroundings import Surroundings
from flowloom.steps import contract

TRY_SECONDS: Final = 10
# No run has this id: what is tried is no run, and nothing is kept of it.
_NO_RUN: Final = 0


@dataclass(frozen=True, slots=True)
class Tried:
    """What a step gave on, each payload with the key of its route, if it has any; or why it failed."""

    made: Sequence[tuple[str | None, Payload]]
    variables: dict[str, Any]
    logs: Sequence[dict[str, Any]] = ()
    failure: contract.Fail | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A step of a definition, as it is or with another config, and the payload to try it on."""

    company_id: int
    definition: graph.Definition
    step: graph.StepDefinition
    payload: Payload
    variables: dict[str, Any] = field(default_factory=dict)


class Trials:
    """Tries steps in side threads of its own; `run` may be called many times at once."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._lookups = Lookups(around)
        self._side = SideThreads("flowloom-try")

    def close(self) -> None:
        self._side.close()

    async def run(self, trial: Trial) -> Tried:
        """Raises errors.Invalid for a step that has effects, and Busy when it takes longer than TRY_SECONDS."""
        step = plan.compile_step(trial.step, 0, trial.definition)
        if step.compiled.effect or step.microservice == graph.TRIGGER:
            raise errors.Invalid.field(
                "step",
                f"A {step.microservice} step acts on what is outside of the flow; run the flow to see it.",
            )
        about: Any = SimpleNamespace(id=_NO_RUN, company_id=trial.company_id, as_of=self._around.clock())
        active = Active(about, self._around.clock)
        active.lookups = await self._lookups.load(trial.company_id, frozenset(step.compiled.lookups))
        variables = {**trial.definition.variables, **trial.variables}
        context = StepContext(active, step, variables, self._around)
        answer = await self._answer(trial, step, context)
        logs = active.lines.logs
        if isinstance(answer, contract.Fail):
            return Tried([], variables, logs, answer)
        return Tried(_made(answer), variables, logs)

    async def _answer(self, trial: Trial, step: PlanStep, context: StepContext) -> outcomes.Judged:
        try:
            async with asyncio.timeout(TRY_SECONDS):
                [answer], _ = await self._side.run(
                    trial.company_id, outcomes.compute, step, context, [trial.payload]
                )
                return answer
        except outcomes.RunStopped:
            return contract.Done([])
        except TimeoutError:
            context.is_given_up = True
            raise errors.Busy(
                f"The step takes longer than {TRY_SECONDS} seconds; try it on a smaller payload."
            ) from None
        except asyncio.CancelledError:
            context.is_given_up = True
            raise


def _made(answer: outcomes.Answer) -> Sequence[tuple[str | None, Payload]]:
    if isinstance(answer, contract.Routed):
        return list(answer.routes.items())
    return [(None, payload) for payload in answer.payloads]
