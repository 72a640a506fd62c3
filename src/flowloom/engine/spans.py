"""A run as OpenTelemetry spans: the run is one, each step one below it, each request one below its step.

A span holds names, numbers and addresses: no payload, no message, no value of a query, no secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from sqlalchemy import Row

from flowloom.domain import run, trace_context
from flowloom.engine import requested, tracing
from flowloom.steps import contract
from flowloom.store import columns

FAILED: Final = trace.Status(trace.StatusCode.ERROR)
_ENDS: Final[dict[run.Status, tracing.State]] = {
    run.Status.FAILURE: "failure",
    run.Status.STOPPED: "stopped",
}
Clock = Callable[[], datetime]


class Ids(RandomIdGenerator):
    """Random ids, but for the spans of runs: those are told beforehand, so that every process finds the same."""

    def __init__(self) -> None:
        self._told: trace_context.Place | None = None

    def tell(self, place: trace_context.Place) -> None:
        """The ids of the next span."""
        self._told = place

    def generate_trace_id(self) -> int:
        return super().generate_trace_id() if self._told is None else self._told.trace_id

    def generate_span_id(self) -> int:
        told, self._told = self._told, None
        return super().generate_span_id() if told is None else told.span_id

    def is_trace_id_random(self) -> bool:
        return False


class RunSpans(tracing.RunTrace):
    """A run is a span and its steps are spans below; what waits outside of memory tells each part when it leaves."""

    def __init__(
        self,
        tracer: trace.Tracer,
        ids: Ids,
        row: Row[Any],
        origin: Row[Any] | None,
        clock: Clock,
        redact: Callable[[str], str],
    ) -> None:
        self._tracer = tracer
        self._clock = clock
        self._row = row
        self._state = (row.trace_context or {}).get(trace_context.STATE, "")
        self._began = nanos(clock())
        self._open: dict[str, StepSpans] = {}
        self._has_left = False
        self.redact = redact
        self.about = _about(row)
        self._span = self._begin_run(ids, origin)
        self.below = trace.set_span_in_context(self._span, Context())

    def _begin_run(self, ids: Ids, origin: Row[Any] | None) -> trace.Span:
        row, parent = self._row, Context()
        if row.trace_context:
            remote = _span_context(trace_context.place(row.trace_context), self._state)
            parent = trace.set_span_in_context(trace.NonRecordingSpan(remote), parent)
        links = [] if origin is None else [trace.Link(_span_context(place_of(origin), ""))]
        ids.tell(place_of(row))
        return self._tracer.start_span(
            f"run flow {row.flow_id}",
            parent,
            trace.SpanKind.CONSUMER,
            {**self.about, **_about_run(row)},
            links,
            nanos(row.started_at),
        )

    @property
    def is_recorded(self) -> bool:
        return self._span.is_recording()

    def context(self, step_key: str) -> trace_context.Headers:
        found = self._open.get(step_key)
        return self.headers(self._span if found is None else found.span)

    def headers(self, span: trace.Span) -> trace_context.Headers:
        """What is handed on below a span."""
        at = span.get_span_context()
        return trace_context.headers(
            trace_context.Place(at.trace_id, at.span_id, at.trace_flags), self._state
        )

    def step(self, step: tracing.Step, tally: tracing.Tally) -> StepSpans:
        begun = self._open[step.key] = StepSpans(self, step, tally)
        return begun

    def request(self, step_key: str, request: contract.Request) -> RequestSpans:
        found = self._open.get(step_key)
        return RequestSpans(self, self.below if found is None else found.below, request)

    def start(self, name: str, kind: trace.SpanKind, below: Context) -> trace.Span:
        """A span that begins now."""
        return self._tracer.start_span(name, below, kind, start_time=self.now())

    def now(self) -> int:
        return nanos(self._clock())

    def done(self, step: StepSpans) -> None:
        """A step is not under way any more."""
        if self._open.get(step.key) is step:
            del self._open[step.key]

    def end(self, status: run.Status) -> None:
        self._span.set_attribute("flowloom.status", status.name.lower())
        if status == run.Status.FAILURE:
            self._span.set_status(FAILED)
        if self._row.fence == 1:
            self._close("interrupted")
        else:
            self.leave(_ENDS.get(status, "success"))
        self._span.end(self.now())

    def leave(self, state: tracing.State) -> None:
        """Tell the part that was worked on here; the run itself is told by whoever ends it."""
        if self._has_left:
            return
        self._close("waiting" if state == "waiting" else "interrupted")
        part = self._tracer.start_span("part of a run", self.below, start_time=self._began)
        part.set_attributes({**self.about, "flowloom.status": state})
        part.end(self.now())

    def _close(self, state: tracing.State) -> None:
        """What nothing more is asked of has not told its end: streams, and what was cut off."""
        self._has_left = True
        for step in list(self._open.values()):
            step.end(state, 0, 0)


class StepSpans(tracing.StepSpan):
    """`span` is one bucket's way through one step."""

    def __init__(self, run: RunSpans, step: tracing.Step, tally: tracing.Tally) -> None:
        self._run = run
        self._step = step
        self._tally = tally
        self._before = tally.attempts, tally.failed
        self.key = step.key
        name = run.redact(f"{step.microservice} {step.name}")
        self.span = run.start(name, trace.SpanKind.INTERNAL, run.below)
        self.below = trace.set_span_in_context(self.span, run.below)

    def end(self, state: tracing.State, payloads_in: int, payloads_out: int) -> None:
        self._run.done(self)
        attempts, failed = self._before
        about: dict[str, str | int] = {
            **self._run.about,
            "flowloom.step.key": self.key,
            "flowloom.step.name": self._run.redact(self._step.name),
            "flowloom.step.type": self._step.microservice,
            "flowloom.step.attempts": self._tally.attempts - attempts,
            "flowloom.step.failed": self._tally.failed - failed,
            "flowloom.step.payloads_in": payloads_in,
            "flowloom.step.payloads_out": payloads_out,
            "flowloom.status": state,
        }
        self.span.set_attributes(about)
        if state == "failure":
            self.span.set_status(FAILED)
        self.span.end(self._run.now())

    def drop(self) -> None:
        self._run.done(self)


class RequestSpans(tracing.RequestSpan):
    """A request, redirects that it follows included."""

    def __init__(self, run: RunSpans, below: Context, request: contract.Request) -> None:
        self._run = run
        self._request = request
        self._status: int | None = None
        self._span = run.start(requested.method(request), trace.SpanKind.CLIENT, below)
        super().__init__(run.headers(self._span))

    def answered(self, status: int) -> None:
        self._status = status

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        outcome = requested.outcome(self._status, fault)
        self._span.set_attributes({**requested.about(self._request, self._run.redact), **outcome})
        if "error.type" in outcome:
            self._span.set_status(FAILED)
        self._span.end(self._run.now())


def nanos(at: datetime) -> int:
    """Nanoseconds since 1970."""
    return columns.to_micros(at) * 1000


def place_of(row: Row[Any]) -> trace_context.Place:
    """Where the span of a run is: it follows from its row alone, so that whoever goes on with it knows it.

    A number alone would do within one installation; several may share a collector.
    """
    identity = f"{row.id}/{columns.to_micros(row.queued_at)}/{row.content_hash}".encode()
    made = hashlib.blake2b(identity, digest_size=24).digest()
    trace_id, span_id = int.from_bytes(made[:16]), int.from_bytes(made[16:])
    if row.trace_context:
        trace_id = trace_context.place(row.trace_context).trace_id
    return trace_context.Place(trace_id, span_id, trace.TraceFlags.SAMPLED)


def _span_context(place: trace_context.Place, state: str) -> trace.SpanContext:
    pairs = [(key, value) for key, _, value in (member.partition("=") for member in state.split(",")) if key]
    flags = trace.TraceFlags(place.flags)
    return trace.SpanContext(place.trace_id, place.span_id, True, flags, trace.TraceState(pairs))


def _about(row: Row[Any]) -> dict[str, int]:
    """What every span of a run says. `part` counts how often the run was taken up."""
    return {
        "flowloom.flow_id": row.flow_id,
        "flowloom.flow_version_id": row.flow_version_id,
        "flowloom.iteration": row.iteration,
        "flowloom.run_id": row.id,
        "flowloom.part": row.fence,
    }


def _about_run(row: Row[Any]) -> dict[str, str | int | float]:
    said = {
        "flowloom.company_id": row.company_id,
        "flowloom.trigger": row.trigger,
        "flowloom.queue_seconds": max((row.started_at - row.queued_at).total_seconds(), 0.0),
        "flowloom.schedule_id": row.schedule_id,
        "flowloom.parent_run_id": row.parent_run_id,
        "flowloom.retry_flow_run_id": row.retry_flow_run_id,
    }
    return {name: value for name, value in said.items() if value is not None}
