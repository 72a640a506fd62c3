"""The models of what makes and changes a flow in the API's document, and of one as a document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from flowloom.api import schemas

Days = Annotated[int, Field(ge=1, le=36_500)] | None
Concurrency = Annotated[int, Field(ge=0, le=1000, description="Runs at a time; 0 is no limit of its own")]
ConcurrencyKey = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)] | None,
    Field(
        description="A template, such as `[[payload.customer_id]]`: runs with an equal key go one at a time"
    ),
]
RunTimeout = Annotated[
    Annotated[int, Field(ge=1, le=604_800)] | None, Field(description="A run that takes longer fails")
]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


class Alerts(schemas.Body):
    """What of a flow is told to a notification group, each thing once."""

    model_config = ConfigDict(extra="forbid")

    notification_group_id: schemas.RecordId
    on_failure: bool = Field(default=True, description="A run failed")
    on_partial: bool = Field(default=False, description="A run succeeded in part; counts as a failure then")
    on_recovery: bool = Field(
        default=True,
        description="The first success after a failure, or the first run after a silence, was told",
    )
    on_zero_records: bool = Field(
        default=False, description="A run succeeded whose receive steps, if it has any, gave no record at all"
    )
    silent_after_minutes: int | None = Field(
        default=None,
        ge=1,
        le=527_040,
        description="No run started for so long although the flow is enabled and deployed",
    )


class FlowCreate(schemas.Body):
    name: schemas.Name
    description: Annotated[str, StringConstraints(max_length=10_000)] = ""
    is_enabled: bool = False
    priority: int = Field(default=3, ge=1, le=5, description="1 runs first")
    labels: list[Label] = Field(default=[], max_length=50)
    log_retention_days: Days = None
    payload_retention_days: Days = None
    concurrency: Concurrency = 0
    concurrency_key: ConcurrencyKey = None
    run_timeout_seconds: RunTimeout = None
    alerts: Alerts | None = None


class FlowUpdate(schemas.Body):
    """What is left out stays as it is; null takes a key, a time limit or alerts away and gives a retention
    back to the server's settings."""

    name: schemas.Name | None = None
    description: Annotated[str, StringConstraints(max_length=10_000)] | None = None
    is_enabled: bool | None = None
    priority: int | None = Field(default=None, ge=1, le=5)
    labels: list[Label] | None = Field(default=None, max_length=50)
    log_retention_days: Days = None
    payload_retention_days: Days = None
    concurrency: Concurrency | None = None
    concurrency_key: ConcurrencyKey = None
    run_timeout_seconds: RunTimeout = None
    alerts: Alerts | None = Field(default=None, description="Replaced as a whole")


class FlowDocument(schemas.Record):
    """A flow with one version of it, without ids and without the values of secrets."""

    format: Literal["flowloom.flow"]
    format_version: Literal[1]
    flow: dict[str, Any] = Field(description="name, description, priority, labels, and the limits it has")
    definition: dict[str, Any] = Field(description="steps, routes and variables; steps name others by key")
    schedules: list[dict[str, Any]] = []
    secrets: list[str] = Field(default=[], description="The names of the secrets that its steps use")
