"""The models of starting runs and of what they leave behind. See `schemas`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, WithJsonSchema

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


class StartRequest(BaseModel):
    """What a run is started with."""

    payload: str | None = Field(default=None, description="The start payload's body, as text")
    flow_variables: dict[str, Any] | None = None


class StartAnswer(schemas.Record):
    """A run that was queued."""

    message: str
    flow_run_id: int
    data: schemas.Run


class RetryRequest(BaseModel):
    """From where a run is done again."""

    from_step: StepName = Field(default=None, description="Key or id of the step to begin again with")
    version: schemas.RecordId | None = Field(
        default=None, description="Id of another version of the flow to run"
    )


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
    kind: Literal["start", "effect"]
    content_type: str
    meta: dict[str, str]
    bytes: int
    created_at: AwareDatetime
