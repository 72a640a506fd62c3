"""The models of the API's document: what requests may hold and what answers look like.

Answers are bytes that msgspec encoded from rows; tests hold them against these models.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from flowloom.store import query

T = TypeVar("T")


RecordId = Annotated[int, Field(ge=1, le=query.MAX_ID)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True)]
VersionStatus = Literal["Draft", "Inactive", "Deployed"]
Coordinate = Annotated[float, Field(ge=-1e9, le=1e9)]
Ignored = Annotated[Any, WithJsonSchema({"type": ["string", "null"], "format": "date-time"})]


class Body(BaseModel):
    """Part of a request. It is completed when the first one comes, since that takes time of every start."""

    model_config = ConfigDict(defer_build=True)


class Record(BaseModel):
    """Part of an answer. A field with a default may be absent, and is never null when it is there.

    Answers are never built from these, so that they are completed only for the document.
    """

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        made = handler(schema)
        for field in handler.resolve_ref_schema(made)["properties"].values():
            if field.pop("default", ...) is None and "anyOf" in field:
                field.update(field.pop("anyOf")[0])
        return made


class Error(Record):
    """Any failure."""

    message: str
    errors: dict[str, list[str]] | None = Field(default=None, description="For 422: the messages by field")


class Message(Record):
    """What was done."""

    message: str


class Meta(Record):
    """Where a page stands in its list."""

    model_config = ConfigDict(populate_by_name=True)

    current_page: int
    from_: int | None = Field(alias="from")
    last_page: int
    path: str
    per_page: int
    to: int | None
    total: int
    total_is_capped: bool | None = Field(default=None, description="There are more than `total`")
    next_cursor: str | None = Field(default=None, description="Pass as `cursor` to go on")


class Links(Record):
    first: str
    last: str
    prev: str | None
    next: str | None


class One(Record, Generic[T]):
    data: T


class Many(Record, Generic[T]):
    data: list[T]


class Page(Record, Generic[T]):
    data: list[T]
    meta: Meta
    links: Links


class Anything(Body):
    """A JSON object of any shape."""

    model_config = ConfigDict(extra="allow")


class User(Record):
    id: int
    email: str
    name: str
    role: str
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Position(Body):
    """Where a step is on the canvas."""

    model_config = ConfigDict(extra="forbid")

    x: Coordinate
    y: Coordinate


class Step(Record):
    id: int
    key: str
    flow_version_id: int
    microservice: str
    name: str
    config: dict[str, Any]
    position: Position | None = None
    parent_id: int | None = Field(default=None, description="Absent on the trigger")
    flow_step_route_id: int | None = Field(default=None, description="Absent on no route")
    is_enabled: bool
    variables: dict[str, Any]
    problems: dict[str, list[str]] | None = Field(
        default=None, description="What deploying would refuse, by field"
    )


class Route(Record):
    id: int
    key: str
    flow_step_id: int
    name: str
    position: int
    where: dict[str, Any] | None = Field(default=None, description="Absent: takes everything")


class Schedule(Record):
    id: int
    flow_version_id: str
    cron_string: str
    timezone: str
    overlap: str
    catch_up: str
    jitter_seconds: int
    dst_gap: str
    dst_repeat: str
    next_run_at: AwareDatetime | None = Field(default=None, description="Absent while it does not fire")
    created_at: AwareDatetime
    updated_at: AwareDatetime
    flow_version: Version | None = Field(default=None, description="With include=flowVersion")


class UpcomingSchedule(Schedule):
    flow_id: int
    flow_name: str
    iteration: int
    is_enabled: bool = Field(description="Whether its flow is; else it does not fire")
    fires: list[AwareDatetime] = Field(description="In the window that was asked for, the first 50")
    has_more_fires: bool


WaitsFor = Literal[
    "ready_at", "schedule", "key", "parallel_limit", "flow_concurrency", "company_concurrency", "turn"
]


class Run(Record):
    id: int
    flow_id: int
    flow_version_id: int
    iteration: int
    trigger: str
    status: int = Field(description="0 queued, 1 started, 2 success, 3 failure, 4 stopped, 5 partial success")
    has_warnings: bool
    queued_at: AwareDatetime
    ready_at: AwareDatetime
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    duration_ms: float | None = None
    schedule_id: int | None = None
    fire_at: AwareDatetime | None = None
    retry_flow_run_id: int | None = None
    parent_run_id: int | None = Field(default=None, description="The run whose run-flow step started it")
    started_by: int | None = Field(
        default=None, description="Id of the user who started it; absent for a key"
    )
    start_step: str | None = Field(
        default=None, description="Key of the step it begins with, if not the trigger"
    )
    resume_at: AwareDatetime | None = Field(default=None, description="Until when a started run waits")
    summary: dict[str, Any] | None = None
    waits_for: WaitsFor | None = Field(default=None, description="In the queue: what it waits for first")


class Version(Record):
    id: int
    flow_id: int
    flow_name: str
    flow_priority: int
    iteration: int
    status: VersionStatus
    is_deployed: bool
    is_editable: bool
    deployed_at: AwareDatetime | None = Field(default=None, description="Absent unless Deployed")
    deployed_by: int | None = Field(default=None, description="Id of the user; absent if an API key did it")
    saved_at: AwareDatetime | None = None
    saved_by: int | None = None
    has_callback_step: bool
    steps_count: int
    content_hash: str
    label: str | None = None
    message: str | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    saved_by_user: User | None = Field(default=None, description="With include=savedByUser")
    deployed_by_user: User | None = Field(default=None, description="With include=deployedByUser")
    steps: list[Step] | None = Field(default=None, description="With include=steps")
    runs: list[Run] | None = Field(default=None, description="With include=runs: the newest 25")
    latest_run: Run | None = Field(default=None, description="With include=latestRun")
    schedules: list[Schedule] | None = Field(default=None, description="With include=schedules")
    filters: list[dict[str, Any]] | None = Field(default=None, description="With include=filters")
    variables: dict[str, Any] | None = Field(default=None, description="With include=variables")
    secrets: list[str] | None = Field(
        default=None, description="With include=variables: the names of the secrets; absent without any"
    )


class AlertsView(Record):
    notification_group_id: int
    on_failure: bool
    on_partial: bool
    on_recovery: bool
    on_zero_records: bool
    silent_after_minutes: int | None = None


class Results(Record):
    """How the runs of a flow ended in one hour."""

    starts_at: AwareDatetime
    success: int
    failure: int
    stopped: int
    partial: int


class Flow(Record):
    id: int
    name: str
    description: str
    is_enabled: bool
    priority: int
    labels: list[str]
    log_retention_days: int | None = Field(default=None, description="Absent: as the server's settings say")
    payload_retention_days: int | None = Field(default=None, description="The same for payloads")
    concurrency: int = Field(description="Runs at a time; 0 is no limit of its own")
    concurrency_key: str | None = Field(default=None, description="Absent: runs do not wait for a key")
    run_timeout_seconds: int | None = Field(default=None, description="Absent: no limit of its own")
    alerts: AlertsView | None = Field(default=None, description="Absent: nothing is told")
    created_at: AwareDatetime
    updated_at: AwareDatetime
    results: list[Results] | None = Field(
        default=None, description="With include=results: each of the last 24 hours in which a run ended"
    )
    latest_run: Run | None = Field(default=None, description="With include=latestRun: the newest run, if any")
    next_run_at: AwareDatetime | None = Field(
        default=None, description="With include=nextRun: when a schedule fires next, if any will"
    )
    latest_version: Version | None = None
    deployed_version: Version | None = None
    current_version: Version | None = None
    versions: list[Version] | None = None
    latest_version_count: int | None = None
    deployed_version_count: int | None = None
    current_version_count: int | None = None
    versions_count: int | None = None
    latest_version_exists: bool | None = None
    deployed_version_exists: bool | None = None
    current_version_exists: bool | None = None
    versions_exists: bool | None = None


class VersionUpdate(Body):
    deployed_at: AwareDatetime | None = Field(
        default=None, description="A timestamp deploys, null undeploys, absent changes nothing"
    )
    label: str | None = Field(default=None, max_length=255, description="A short name; null takes it off")
    message: str | None = Field(
        default=None, max_length=10_000, description="What this version is about; null takes it off"
    )


class Upload(Body):
    private: str = Field(default="true", description="true or 1: apps are private here")


class Metric(Record):
    id: int
    flow_id: int
    flow_version_id: int
    iteration: int
    interval: Literal["minute", "hour", "day", "week", "month"]
    starts_at: AwareDatetime
    type: Literal["runs", "duration", "cpu", "payloads", "operations", "steps"]
    key: str
    value: float


class VersionResult(Record):
    """Milliseconds of the runs that ended; without them, none did."""

    id: int
    iteration: int
    started: int
    success: int
    failure: int
    stopped: int
    partial: int
    p50: float = 0
    p95: float = 0
    p99: float = 0
