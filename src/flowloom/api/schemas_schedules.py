"""The models of schedules: as they are sent, their next slots, and those that did not fire. See `schemas`."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from flowloom.api import schemas


class ScheduleFields(schemas.Body):
    cron_string: str | None = Field(default=None, description="Five fields, such as `30 2 * * 1-5`")
    deployed_at: schemas.Ignored = Field(default=None, exclude=True, description="Accepted and ignored")
    timezone: str | None = Field(default=None, description="IANA name; UTC unless given")
    overlap: Literal["skip", "queue", "allow"] | None = None
    catch_up: Literal["none", "latest", "all"] | None = None
    jitter_seconds: int | None = Field(default=None, ge=0, le=3600)
    dst_gap: Literal["skip", "next"] | None = None
    dst_repeat: Literal["first", "second", "both"] | None = None


class ScheduleCreate(ScheduleFields):
    cron_string: str = Field(description="Five fields, such as `30 2 * * 1-5`")


class SchedulePreview(ScheduleCreate):
    count: int = Field(default=10, ge=1, le=100)


class Slot(schemas.Record):
    at: AwareDatetime
    local: str
    offset: str
    note: str | None = None


class MissedSlots(schemas.Record):
    id: int
    schedule_id: int
    reason: Literal["overlap", "missed", "paused", "dst gap"]
    first_at: AwareDatetime
    last_at: AwareDatetime
    count: int
