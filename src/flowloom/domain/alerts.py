"""Alerts of a flow: which of the things that happen to it are told, and what is remembered so that each is told once.

What a flow wants is {notification_group_id, on_failure?, on_partial?, on_recovery?, on_zero_records?,
silent_after_minutes?}; what was said last is {failing?: id of the run whose failure was told, silent_since?,
watched_since?}, instants as ISO 8601.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flowloom.domain.run import Status

State = dict[str, Any]


class Event(enum.StrEnum):
    """What is told."""

    FAILURE = "failure"
    RECOVERY = "recovery"
    ZERO_RECORDS = "zero-records"
    SILENCE = "silence"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Judged:
    """What is told of something that happened, and what is remembered from then on."""

    events: tuple[Event, ...]
    state: State


def after_end(
    wanted: Mapping[str, Any], state: Mapping[str, Any], run_id: int, status: Status, *, is_empty: bool
) -> Judged:
    """What a run's end means. `is_empty`: its receives gave no record. A partial success is neither good nor bad
    unless `on_partial` makes it a failure; a stop is nothing."""
    is_bad = (status is Status.FAILURE and wanted["on_failure"]) or (
        status is Status.PARTIAL and wanted["on_partial"]
    )
    if is_bad:
        return Judged((Event.FAILURE,), {**state, "failing": run_id})
    if status is not Status.SUCCESS:
        return Judged((), dict(state))
    events = []
    if "failing" in state and wanted["on_recovery"]:
        events.append(Event.RECOVERY)
    if is_empty and wanted["on_zero_records"]:
        events.append(Event.ZERO_RECORDS)
    return Judged(tuple(events), _without(state, "failing"))


def in_time(
    wanted: Mapping[str, Any],
    state: Mapping[str, Any],
    *,
    deployed_at: datetime,
    started_at: datetime | None,
    now: datetime,
) -> Judged:
    """What the passing of time means: a silence when no run started for so long, counted from the latest of the
    last start, the deployment, and when the flow was enabled or its alerts were set; and its end."""
    silent_since = _instant(state, "silent_since")
    if silent_since is not None and started_at is not None and started_at > silent_since:
        events = (Event.RETURN,) if wanted["on_recovery"] else ()
        return Judged(events, _without(state, "silent_since"))
    minutes = wanted.get("silent_after_minutes")
    last = max(one for one in (started_at, deployed_at, _instant(state, "watched_since")) if one is not None)
    if silent_since is not None and silent_since < last:
        return Judged((), _without(state, "silent_since"))
    if silent_since is None and minutes is not None and now - last >= timedelta(minutes=minutes):
        return Judged((Event.SILENCE,), {**state, "silent_since": last.isoformat()})
    return Judged((), dict(state))


def watched_from(state: Mapping[str, Any] | None, now: datetime) -> State:
    """What is remembered of a flow that was enabled now: the time before was no silence."""
    return {**_without(state or {}, "silent_since"), "watched_since": now.isoformat()}


def _instant(state: Mapping[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(state[name]) if name in state else None


def _without(state: Mapping[str, Any], name: str) -> State:
    return {key: value for key, value in state.items() if key != name}
