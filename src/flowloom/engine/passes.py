"""One bucket's way through one step: what is counted of it, and told when it begins and ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType

from flowloom.engine import outcomes, streams, tracing
from flowloom.engine.active import Active, StepTally
from flowloom.engine.plan import PlanStep
from flowloom.engine.surroundings import Surroundings


@dataclass(slots=True)
class Pass:
    """A stream may be gone through several times; each of its payloads counts once.

    `came` and `went` (by route) say how far it was, `told` of which routes it was told.
    """

    around: Surroundings
    active: Active
    step: PlanStep
    # From when it begins: a summary has its steps in the order in which they began.
    tally: StepTally = field(init=False)
    payloads_in: int = 0
    payloads_out: int = 0
    began: float = 0.0
    came: int = 0
    went: dict[str | None, int] = field(default_factory=dict)
    told: set[str | None] = field(default_factory=set)
    span: tracing.StepSpan = tracing.NO_STEP

    def begin(self) -> Pass:
        """Say that the step has begun."""
        self.began, self.tally = time.perf_counter(), self.active.tally(self.step.key)
        self.tally.began_at = self.tally.began_at or self.around.clock()
        self.around.publish(self.active.row.id, "step", step=self.step.key, state="started")
        self.span = self.active.trace.step(self.step, self.tally)
        return self

    def __enter__(self) -> Pass:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.took()
        if fault is not None:
            self.span.end(_state(self.step, fault), self.payloads_in, self.payloads_out)

    def took(self) -> None:
        """Add the time since it began to what the step took."""
        self.tally.seconds += time.perf_counter() - self.began

    def end(self, told: str = "") -> None:
        """Say that the step has done its work, in the log once for each time that it does it."""
        self.tally.lines += 1
        if self.tally.lines > self.tally.lines_before:
            told = told or f"{self.payloads_in} in, {self.payloads_out} out"
            self.active.log(self.step.key, "info", f"{self.step.name}: {told}")
            self.span.end("success", self.payloads_in, self.payloads_out)
        else:
            self.span.drop()
        key, out = self.step.key, self.payloads_out
        self.around.publish(self.active.row.id, "step", step=key, state="finished", payloads=out)

    def end_stream(self, route: str | None) -> None:
        """The same of a stream, for each route once."""
        if not self.told:
            self.took()
        if route not in self.told:
            self.told.add(route)
            self.end()

    def count_in(self, payloads: Sequence[streams.Item]) -> None:
        """Count payloads that the step gets."""
        count = len(payloads)
        self.payloads_in += count
        self.tally.payloads_in += count
        self.tally.bytes_in += sum([payload.size_bytes for payload in payloads])
        self.active.metrics["operations", "count"] += count

    def count_out(self, payloads: Sequence[streams.Item]) -> None:
        """Count payloads that the step hands on."""
        count = len(payloads)
        self.payloads_out += count
        self.tally.payloads_out += count
        self.tally.bytes_out += sum([payload.size_bytes for payload in payloads])


def _state(step: PlanStep, fault: BaseException) -> tracing.State:
    """How a step left off that did not come to its end; what another step failed on or a stop ends it as well."""
    match fault:
        case outcomes.Parked():
            return "waiting"
        case outcomes.RunStopped():
            return "stopped"
        case outcomes.StepFailed() if fault.step is step:
            return "failure"
        case _:
            return "interrupted"
