"""What a step type is, what a step may ask of its run, and what it may answer.

A step type never sees SQL or a socket: it gets a Context, answers an Outcome, and the executor does the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Literal, Protocol

import msgspec
from pydantic import BaseModel, ConfigDict

from flowloom.domain import templates
from flowloom.domain.payload import Payload
from flowloom.steps import outside


class Config(BaseModel):
    """The base of every step's config: unknown keys are refused, values are never coerced.

    A field whose strings are templates says so with `json_schema_extra={"x-template": True}`.
    Each is completed when the first of its type comes, since that takes time of every start.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Put(msgspec.Struct, frozen=True):
    """A cache entry to be set; with `append` the value becomes a list that this one is added to.

    `scope` is "run", "flow" or "company"; `expires_at` None keeps it until it is deleted.
    """

    scope: str
    key: str
    value: object
    append: bool = False
    expires_at: datetime | None = None


class Drop(msgspec.Struct, frozen=True):
    """A cache entry to be deleted, if it is there."""

    scope: str
    key: str


class Notice(msgspec.Struct, frozen=True):
    """A message to the channels of a notification group, delivered after the step was recorded."""

    group_id: int
    subject: str
    text: str


class Reply(msgspec.Struct, frozen=True):
    """The answer for whoever waits for this run at its callback URL; only a run's first one counts."""

    status: int
    headers: Mapping[str, str]
    payload: Payload


Write = Put | Drop | Notice | Reply


class Done(msgspec.Struct, frozen=True):
    """The step worked. `cursor` not None: call it again with this cursor for more payloads (a next page).

    `writes` become true in the transaction that records the step, or not at all; only effects have them.
    """

    payloads: Sequence[Payload]
    cursor: object | None = None
    writes: Sequence[Write] = ()
    # Instead of `payloads`, when together they are too large for memory. Asked for in a thread; may raise Broken.
    pages: Iterator[Payload] | None = None


class Routed(msgspec.Struct, frozen=True):
    """A route step's answer: the payloads for each route, by route key."""

    routes: Mapping[str, Payload]


class Retry(msgspec.Struct, frozen=True):
    """A passing fault: try again, after `after_seconds` if the other side named a time, else with backoff.

    `is_resting`: nothing was asked, since the circuit breaker of the connection is open.
    """

    why: str
    after_seconds: float | None = None
    error_class: str = "unavailable"
    is_resting: bool = False


class Fail(msgspec.Struct, frozen=True):
    """This payload failed for good. `error_class` (up to 20 letters) sorts failures: data, rejected, refused,
    authentication, unavailable, timeout, assertion, child. With `whole_run` no try-catch takes it."""

    why: str
    error_class: str = "data"
    whole_run: bool = False


class Wait(msgspec.Struct, frozen=True):
    """Call again at `until`; `state` is the context's `waited` then. `child_id` is the run that it waits for, if any.

    With `for_child` it is called also when that run ends.
    The run leaves memory meanwhile and survives restarts. Only effects wait.
    """

    why: str
    until: datetime
    state: object
    child_id: int | None = None
    for_child: bool = False


class Stop(msgspec.Struct, frozen=True):
    """End the run here, without failure."""

    why: str


Outcome = Done | Routed | Retry | Fail | Wait | Stop


class Request(msgspec.Struct, frozen=True):
    """An outbound HTTP request. With a connection, `url` may be relative to its base URL and the
    connection's authentication and headers are added by the engine, never seen by the step. With `renews_token`
    an access token that this run has used before is not used again. `spills` tells for a content type whether a
    large answer of it may come as a file. A redirect of an `is_delivery` is followed only where method and body go
    along: else it is the answer, so that what was to be delivered is not taken for delivered."""

    method: str
    url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    query: Sequence[tuple[str, str]] = ()
    body: bytes | None = None
    connection_id: int | None = None
    timeout_seconds: float = 60.0
    renews_token: bool = False
    spills: Callable[[str], bool] | None = None
    is_delivery: bool = False


class Response(msgspec.Struct, frozen=True):
    """What came back. Header names are lower case; `url` is the final one, absolute.

    With a `file` (open, at its beginning) the whole body of `size_bytes` is there, and `body` holds its first bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    file: BinaryIO | None = None
    size_bytes: int = 0


class Broken(Exception):
    """What an answer's pages are read from is not what it says it is: the payload fails."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class RequestFailed(Exception):
    """No answer came (refused, reset, timeout, too large) or the request is not allowed.

    `passing` tells whether trying again can help: a refused address or a bad URL never does. `after_seconds`
    says when, if that is known; `error_class` is as in Fail, `is_resting` as in Retry.
    """

    def __init__(
        self,
        why: str,
        *,
        passing: bool,
        error_class: str | None = None,
        after_seconds: float | None = None,
        is_resting: bool = False,
    ) -> None:
        super().__init__(why)
        self.why = why
        self.passing = passing
        self.error_class = error_class or ("unavailable" if passing else "refused")
        self.after_seconds = after_seconds
        self.is_resting = is_resting


def failed(error: RequestFailed) -> Retry | Fail:
    """What a request that failed means to its step."""
    if error.passing:
        return Retry(error.why, error.after_seconds, error.error_class, error.is_resting)
    return Fail(error.why, error.error_class)


class Child(msgspec.Struct, frozen=True):
    """A run of another flow that a step starts. `version_id` None is the Deployed one.

    Asking again with the same payload starts nothing new: the first run is answered.
    """

    flow_id: int
    version_id: int | None
    payload: Payload
    variables: Mapping[str, object]
    is_awaited: bool
    parallel_limit: int | None = None


class ChildState(msgspec.Struct, frozen=True):
    """How a child run stands: `status` as domain.run.Status; `answer` is what its callback step answered.

    `wakes_parent` False: another run waits for it as well, and is the one that its end wakes. `is_stopping`: it is
    about to end because another run that waited for it has ended.
    """

    run_id: int
    status: int
    message: str | None
    answer: Payload | None
    wakes_parent: bool = True
    is_stopping: bool = False


class GivenUp(Exception):
    """Nobody waits for this step any more: its run was stopped, or its time is over."""


class Context(Protocol):
    """What a step may ask of the run it works for."""

    @property
    def now(self) -> datetime:
        """The run's one instant (when it was queued), aware, UTC; equal on every attempt."""

    @property
    def variables(self) -> Mapping[str, object]: ...

    @property
    def cursor(self) -> Any:
        """The cursor of the last Done of this step for this payload; None at first."""

    @property
    def waited(self) -> Any:
        """The state of this step's last Wait for this payload; None at first."""

    @property
    def clock_now(self) -> datetime:
        """The time on the clock, for what waits or expires; unlike `now` it goes on."""

    def idempotency_key(self, content: bytes) -> str:
        """Equal on every re-send of this content for this payload by this step of this run and of its retries."""

    def scope(self, payload: Payload) -> templates.Scope:
        """What templates and conditions of this step see."""

    def set_variable(self, name: str, value: object) -> None: ...

    def check(self) -> None:
        """Raise GivenUp when the step is not to go on; for pure steps to ask every few hundred records."""

    def log(self, level: Literal["debug", "info", "warning", "error"], message: str) -> None: ...

    async def fetch(self, request: Request) -> Response:
        """Send a request. Raises RequestFailed."""

    async def query(self, query: outside.Query) -> outside.Rows:
        """Read rows from a database. Raises RequestFailed."""

    async def execute(self, execution: outside.Execution) -> int:
        """Write to a database; how many rows that touched. Raises RequestFailed."""

    async def files(self, request: outside.FileRequest) -> Sequence[outside.File]:
        """Work with the files of a server. Raises RequestFailed."""

    async def see_connection(self, connection_id: int) -> None:
        """From now on `scope` also sees this connection's variables, below the flow's. Raises errors.Missing."""

    async def cached(self, scope: str, key: str) -> object:
        """A cache entry's value; payload.MISSING when there is none or it has expired."""

    async def claim_keys(self, pool: str, keys: Sequence[str], *, claim: bool = True) -> Sequence[bool]:
        """For each key whether it is new in a data pool; with `claim` the new ones are this run's from now on.

        They become permanent when the run succeeds. A key that this place of this run claimed before is new again.
        Raises errors.Invalid on `pool` when there is no such pool.
        """

    def track(self, entity_type: str, value: str, direction: str) -> None:
        """Note that this run saw an entity; written with the next checkpoint or the end."""

    async def start_child(self, child: Child) -> ChildState:
        """Start a run of another flow, or go on with the one that a run started which this one repeats.

        Raises errors.Missing, Invalid, Conflict as any start.
        """

    async def child(self, run_id: int) -> ChildState:
        """How a child run stands."""


Run = Callable[[Context, Payload], Outcome | Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Leg:
    """A route as its step sees it: key and compiled-from condition (None takes everything)."""

    key: str
    name: str
    where: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A step ready to run. `effect` steps are checkpointed per payload; pure ones are recomputed after a crash."""

    run: Run
    effect: bool = False
    sends: bool = False
    timeout_seconds: float = 1800.0
    retries: int = 3
    sets_variables: bool = False
    # Whether `scope` shows it the secrets of the version and of its connection: only to what sends them on.
    takes_secrets: bool = False
    # One call for the whole bucket, whose payloads then go on as they are; `run` gets them as one list.
    once: bool = False
    # Of a try-catch: the route of what failed, and the status of a run in which something did.
    catch: str | None = None
    caught_status: Literal["partial", "failure"] = "partial"
    # The lookup tables that it reads, each with the config field that names it.
    lookups: Mapping[str, str] = field(default_factory=dict)
    # The data pool in which it looks for keys or claims them.
    pool: str | None = None

    @property
    def is_matched_by_content(self) -> bool:
        """Whether what is recorded counts only for a payload that holds the same.

        A whole bucket differs as soon as one more payload comes through.
        """
        return not self.once


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: shown in the reference and run by the tests (pure steps only).

    `payloads` go in one after another, `expect` are the bodies that come out, in order.
    """

    title: str
    config: Mapping[str, Any]
    payloads: Sequence[object] = ()
    expect: Sequence[object] | None = None
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepType:
    """One type on the canvas. `compile(config, legs)` may raise errors.Invalid naming a config field."""

    microservice: str
    title: str
    help: str
    failure: str
    config: type[Config]
    compile: Callable[[Any, Sequence[Leg]], Compiled]
    examples: Sequence[Example] = ()
    has_routes: bool = False
    # Routes one after another, each with what it is given, instead of side by side.
    routes_in_order: bool = False
    # The names of the routes a new step gets; it has just these.
    fixed_routes: Sequence[str] = ()
