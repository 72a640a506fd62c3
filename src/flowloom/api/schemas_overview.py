"""The models of the overview and of the processes in the API's document."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from flowloom.api import schemas


class OfFlow(schemas.Record):
    flow_id: int
    flow_name: str


class RunCounts(schemas.Record):
    """How many runs ended how."""

    success: int
    failure: int
    stopped: int
    partial: int


class FailingFlow(OfFlow):
    count: int = Field(description="Runs that failed or succeeded in part")
    is_well_again: bool = Field(description="The newest run of the flow succeeded")
    flow_run: schemas.Run = Field(description="The last of the failed runs")


class SilentFlow(OfFlow):
    since: AwareDatetime


class EmptyFlow(OfFlow):
    flow_run_id: int
    at: AwareDatetime


class OfSchedule(OfFlow):
    schedule_id: int
    cron_string: str
    timezone: str


class LateSchedule(OfSchedule):
    due_at: AwareDatetime


class MissedSchedule(OfSchedule):
    reason: Literal["missed", "overlap"]
    first_at: AwareDatetime
    last_at: AwareDatetime
    count: int


class BusyFlow(OfFlow):
    results: list[schemas.Results]


class Overview(schemas.Record):
    """What a company looks at first. Lists of flows and schedules hold ten at most."""

    since: AwareDatetime = Field(description="The begin of the 24 hours that are counted")
    flows_count: int
    runs: RunCounts
    queued: int = Field(description="With `started` counted to 10,000")
    started: int
    waiting_since: AwareDatetime | None = Field(
        default=None, description="Since when the oldest run waits to begin; absent when none does"
    )
    open_dead_letters: int
    failing: list[FailingFlow] = Field(description="Flows that failed, the last one first")
    silent: list[SilentFlow] = Field(description="Flows whose alert says that they did not run")
    empty: list[EmptyFlow] = Field(description="Flows whose alert says that a run received no record")
    late: list[LateSchedule] = Field(description="Schedules that are due for more than a minute")
    missed: list[MissedSchedule] = Field(description="Schedules whose slots passed without a run")
    busiest: list[BusyFlow] = Field(description="The flows that ran most, by name")
    version: str = Field(description="Of Flowloom")
    database: Literal["SQLite", "PostgreSQL"]
    faults: list[str] = Field(description="What keeps the server from working, as /readyz says it")


class Process(schemas.Record):
    """One of the processes that work together on a database; its times are by the database's clock."""

    id: int
    role: Literal["api", "worker", "scheduler"]
    name: str = Field(description="Its host and process id")
    concurrency: int = Field(description="How many runs a worker works on at a time; of others 0")
    running: int = Field(description="On how many it worked when it was seen")
    started_at: AwareDatetime
    seen_at: AwareDatetime
    is_alive: bool = Field(description="It was seen within `FLOWLOOM_WORKER_TIMEOUT_SECONDS`")
