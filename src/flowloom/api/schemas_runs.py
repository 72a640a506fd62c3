"""The models of starting runs and of what they leave behind. See `schemas`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from flowloom.api import schemas


class StartRequest(BaseModel):
    payload: str | None = Field(default=None, description="The start payload's body, as text")
    flow_variables: dict[str, Any] | None = None


class StartAnswer(schemas.Record):
    message: str
    flow_run_id: int
    data: schemas.Run


class RetryRequest(BaseModel):
    from_step: StepName = Field(default=None, description="Key or id of the step to begin again with")
    version: schemas.RecordId | None = Field(
        default=None, description="Id of another version of the flow to run"
    )


class LogLine(schemas.Record):
    id: int
    flow_run_id: int
    step_key: str | None = None
    level: str
    message: str
    created_at: AwareDatetime


class PayloadMetadata(schemas.Record):
    id: int
    flow_run_id: int
    step_key: str
    position: str
    kind: Literal["start", "effect"]
    content_type: str
    meta: dict[str, str]
    bytes: int
    created_at: AwareDatetime
