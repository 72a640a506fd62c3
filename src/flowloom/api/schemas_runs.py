"""The models of starting runs and of what they leave behind. See `schemas`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, WithJsonSchema

from flowloom.api import schemas


def _step_name(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise ValueError("takes the key or the id of a step")
    return None if value is None else str(value)


StepName = Annotated[
    Any,
    AfterValidator(_step_name),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}),
]


class StartRequest(schemas.Body):
    """What a run is started with."""

    payload: str | None = Field(default=None, description="The start payload's body, as text")
    flow_variables: dict[str, Any] | None = None


class StartAnswer(schemas.Record):
    """A run that was queued."""

    message: str
    flow_run_id: int
    data: schemas.Run


class RetryRequest(schemas.Body):
    """From where a run is done again."""

    from_step: StepName = Field(default=None, description="Key or id of the step to begin again with")
    version: schemas.RecordId | None = Field(
        default=None, description="Id of another version of the flow to run"
    )

    payload: str | None = Field(
        default=None,
        description="Another body for the payload that failed, or for the start; what it sends gets new keys",
    )


class RetryReport(schemas.Record):
    """How the steps of the chosen version compare with those of the run's own, by key."""

    matched: list[str]
    changed: list[str]
    missing: list[str]
    new: list[str]


class RetryAnswer(StartAnswer):
    """A retry that was queued; `report` when another version was chosen."""

    report: RetryReport | None = None


class Skipped(schemas.Record):
    """What was passed over, and why."""

    id: int
    reason: str


class BulkRetry(schemas.Record):
    """The runs that were queued, and what was passed over."""

    flow_run_ids: list[int]
    skipped: list[Skipped]


class BulkStop(schemas.Record):
    """The runs that were stopped."""

    stopped: list[int]


class BulkDiscard(schemas.Record):
    """The dead letters that were discarded."""

    discarded: list[int]


class RedriveRequest(schemas.Body):
    """How a dead letter is driven again."""

    payload: str | None = Field(default=None, description="Another body; what it sends gets new keys")
    version: schemas.RecordId | None = Field(
        default=None, description="Id of another version of the flow to run"
    )


class DeadLetter(schemas.Record):
    """A payload that failed for good, without its body."""

    id: int
    flow_id: int
    flow_version_id: int
    iteration: int
    flow_run_id: int
    step_key: str
    step_name: str
    position: str
    error_class: str
    message: str
    is_caught: bool
    content_type: str
    meta: dict[str, str]
    bytes: int
    state: Literal["open", "retried", "re-driven", "discarded"]
    resolved_at: AwareDatetime | None = None
    resolved_by: int | None = None
    redrive_run_id: int | None = None
    created_at: AwareDatetime


class DeadLetterCount(schemas.Record):
    """How many dead letters a step of a version has of one error class."""

    flow_id: int
    flow_version_id: int
    iteration: int
    step_key: str
    step_name: str
    error_class: str
    count: int
    first_at: AwareDatetime
    last_at: AwareDatetime


class LogLine(schemas.Record):
    """A line of a run's log."""

    id: int
    flow_run_id: int
    step_key: str | None = None
    level: str
    message: str
    created_at: AwareDatetime


class PayloadMetadata(schemas.Record):
    """What is known of a payload without its body."""

    id: int
    flow_run_id: int
    step_key: str
    position: str
    kind: Literal["start", "effect", "answer"]
    content_type: str
    meta: dict[str, str]
    bytes: int
    created_at: AwareDatetime


class RunStep(schemas.Record):
    """A step of a run's definition, and what it did once the run has ended."""

    key: str
    name: str
    microservice: str
    parent: str | None = None
    route: str | None = None
    config: dict[str, Any]
    was_reached: bool
    began_at: AwareDatetime | None = None
    payloads_in: int | None = None
    payloads_out: int | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    failed: int | None = Field(default=None, description="Payloads that failed for good")
    attempts: int | None = None
    duration_ms: float | None = Field(
        default=None, description="With its waits, also those outside of memory"
    )
    cpu_ms: float | None = Field(
        default=None, description="Processor time, but for that of threads which read large answers"
    )
    waited_ms: dict[str, float] | None = Field(
        default=None,
        description=(
            "What it waited for: rate_limit (its turn), retry_after (as its system asked), circuit (its breaker was "
            "open), backoff (the usual pause before another attempt), delay, child (a run of another flow)"
        ),
    )


class StepPayload(schemas.Record):
    """A payload before or after a step."""

    position: str
    content_type: str
    meta: dict[str, str]
    bytes: int
    is_cut: bool = Field(description="Whether the body is too large to be shown here")
    body: Any = Field(default=None, description="A JSON value, or text")


class Explanation(schemas.Record):
    """Why something ran as it did, in sentences."""

    state: str
    why: str
    why_now: str
    why_this_version: str
    waited_for: list[str]
    flow_run_id: int | None = Field(default=None, description="Of a slot: the run that it fired")


class ExchangeMessage(schemas.Record):
    """A request or an answer, without secrets. A body that is no text is only measured."""

    method: str | None = Field(default=None, description="Of a request")
    status: int | None = Field(default=None, description="Of an answer")
    url: str
    headers: dict[str, str]
    body_bytes: int | None = Field(default=None, description="Absent when no body was sent")
    body: str | None = Field(default=None, description="A text, its first 4,096 characters")
    body_type: str | None = Field(default=None, description="The content type of what is no text")


class Exchange(schemas.Record):
    """A call of a connector to its system, and what came back."""

    id: int
    flow_run_id: int
    step_key: str
    position: str
    request: ExchangeMessage
    response: ExchangeMessage | None = Field(default=None, description="Absent when no answer came")
    error: str | None = Field(default=None, description="Why no answer came")
    duration_ms: int
    created_at: AwareDatetime
