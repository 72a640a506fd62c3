"""What the engine tells of a run to those who trace it. Here nothing is told: `collector` and `spans` do that.

Without it a run hands on the context that its caller named, as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Literal, Protocol, Self

import msgspec
from sqlalchemy import Row

from flowloom.domain import run, trace_context
from flowloom.steps import contract

# How a step, or a part of a run, left off.
State = Literal["success", "failure", "waiting", "stopped", "interrupted"]
NO_HEADERS: Final[trace_context.Headers] = {}


class Step(Protocol):
    """What is told of a step."""

    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def microservice(self) -> str: ...


class Tally(Protocol):
    """What is counted of it in the whole run."""

    attempts: int
    failed: int


class StepSpan:
    """One bucket's way through one step."""

    def end(self, state: State, payloads_in: int, payloads_out: int) -> None:
        """Say how it went."""

    def drop(self) -> None:
        """Say nothing: it only did again what was told before."""


class RequestSpan:
    """One request of a step, with the headers that go with it. Left without an answer, it failed."""

    def __init__(self, headers: trace_context.Headers = NO_HEADERS) -> None:
        self.headers = headers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say how it went."""

    def answered(self, status: int) -> None:
        """Say which status came back."""


class RunTrace:
    """One run while it is in memory; `kept` is the context that its caller named."""

    def __init__(self, kept: trace_context.Headers | None = None) -> None:
        self._kept = kept
        self._request = RequestSpan(kept) if kept else NO_REQUEST

    def context(self, step_key: str) -> trace_context.Headers | None:
        """What a run that this step starts belongs to."""
        return self._kept

    def step(self, step: Step, tally: Tally) -> StepSpan:
        """A step begins."""
        return NO_STEP

    def request(self, step_key: str, request: contract.Request) -> RequestSpan:
        """A step is about to send a request."""
        return self._request

    def end(self, status: run.Status) -> None:
        """The run has ended."""

    def leave(self, state: State) -> None:
        """The run is not worked on here any more."""


class Tracing:
    """Makes the traces of runs. `wants_origin`: of the run that one repeats, the row too."""

    wants_origin = False

    def begin(
        self,
        row: Row[Any],
        origin: Row[Any] | None,
        clock: Callable[[], Any],
        redact: Callable[[str], str],
    ) -> RunTrace:
        """A run is taken up. Its secrets, those that come later too, are taken out of texts with `redact`."""
        return RunTrace(row.trace_context) if row.trace_context else NO_TRACE

    async def close(self) -> None:
        """Hand over what is not handed over yet, if that is soon done."""


NO_STEP: Final = StepSpan()
NO_REQUEST: Final = RequestSpan()
NO_TRACE: Final = RunTrace()
OFF: Final = Tracing()


def carry(request: contract.Request, headers: Mapping[str, str]) -> contract.Request:
    """A request with the headers of its trace, unless its step has set some."""
    if not headers or any(name.lower() in trace_context.NAMES for name in request.headers):
        return request
    return msgspec.structs.replace(request, headers={**request.headers, **headers})
