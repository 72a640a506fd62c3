"""Why a run ran as it did, and why a slot of a schedule fired or did not, in sentences made from what is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from flowloom import errors
from flowloom.domain import run, version
from flowloom.services import processes, runs, schedules, step_names, views, waited, waits
from flowloom.services.actor import Actor
from flowloom.settings import Settings
from flowloom.store import slots, tables

RUNS, SLOTS, USERS = tables.runs.c, tables.schedule_slots.c, tables.users.c
SCHEDULES = tables.schedules.c
VERSIONS, FLOWS = tables.versions.c, tables.flows.c
# A schedule may be asked about slots of its predecessors in earlier versions, but not of other centuries.
_BEFORE: Final = timedelta(days=3660)
_TRIGGERS: Final = {
    run.Trigger.API: "Somebody started it over the API",
    run.Trigger.MANUAL: "Somebody started it by hand",
    run.Trigger.WEBHOOK: "A webhook of its flow was called",
    run.Trigger.CALLBACK: "A callback URL of its flow was called",
}
_REASONS: Final = {
    "overlap": "a run of the schedule was unfinished, and its overlap rule let no other wait or run",
    "missed": "the server was down or late, and the catch-up rule passes over what was missed",
    "paused": "the flow was disabled, or the version was not deployed",
    "dst gap": "the clocks went forward over that local time, and the schedule skips such gaps",
}


def of_run(connection: Connection, actor: Actor, id: int, settings: Settings) -> dict[str, Any]:
    """{state, why, why_now, why_this_version, waited_for: [...]} of a run. Raises Missing."""
    row = runs.load(connection, actor, id)
    queued = _waits_now(connection, row, actor.at, settings) if row.status == run.Status.QUEUED else ()
    return {
        "state": _state(row),
        "why": _why(connection, row),
        "why_now": _why_now(row),
        "why_this_version": _why_this_version(row),
        "waited_for": [
            *queued,
            *waited.sentences(connection, row),
        ],
    }


def _state(row: Row[Any]) -> str:
    status = run.Status(row.status)
    error = ((row.summary or {}).get("error") or {}).get("message")
    if status == run.Status.STARTED and row.resume_at is not None:
        return f"Started; it waits until {views.instant(row.resume_at)}."
    words = f"{status.name.capitalize()}" + (
        f" at {views.instant(row.finished_at)}" if row.finished_at else ""
    )
    return f"{words}: {error}" if error else f"{words}."


def _why(connection: Connection, row: Row[Any]) -> str:
    if row.trigger == run.Trigger.SCHEDULE:
        return f"Schedule {row.schedule_id} fired for its slot {views.instant(row.fire_at)}."
    if row.trigger == run.Trigger.RETRY:
        names = step_names.Names(connection)
        where = f", from step {names.of(row, row.start_step)} on" if row.start_step else ""
        whose = (
            f" for step {_parent_step(names, row)} of run {row.parent_run_id}" if row.parent_run_id else ""
        )
        return f"It repeats run {row.retry_flow_run_id}{where}{whose}{_by(connection, row)}."
    if row.trigger == run.Trigger.SHAPE:
        return _why_started(connection, row)
    return f"{_TRIGGERS.get(row.trigger, 'It was started')}{_by(connection, row)}."


def _parent_step(names: step_names.Names, row: Row[Any]) -> str:
    return names.of_run(row.parent_run_id, row.parent_step_key)


def _why_started(connection: Connection, row: Row[Any]) -> str:
    """Which step started a run; its parent may be a later one, which repeats the one of that step."""
    step, parent_id = _parent_step(step_names.Names(connection), row), row.parent_run_id
    queued_at = connection.scalar(select(RUNS.queued_at).where(RUNS.id == parent_id))
    if queued_at is not None and queued_at > row.queued_at:
        return f"Step {step} of a run started it that run {parent_id} repeats, which waits for it now."
    return f"Step {step} of run {parent_id} started it."


def _by(connection: Connection, row: Row[Any]) -> str:
    email = row.started_by and connection.scalar(select(USERS.email).where(USERS.id == row.started_by))
    return f", by {email}" if email else ""


def _why_now(row: Row[Any]) -> str:
    queued, ready = views.instant(row.queued_at), views.instant(row.ready_at)
    words = f"It was queued at {queued}"
    if row.ready_at > row.queued_at:
        words += f" to begin from {ready} on"
    if row.fire_at is not None and row.queued_at > row.fire_at:
        words += f", {_seconds(row.fire_at, row.queued_at)} after its slot"
    if row.started_at is None:
        return f"{words}; it has not begun."
    return f"{words}, and began {_seconds(row.queued_at, row.started_at)} later with priority {row.priority}."


def _seconds(since: datetime, until: datetime) -> str:
    return f"{(until - since).total_seconds():.3f} s"


def _why_this_version(row: Row[Any]) -> str:
    named = f"Version {row.iteration} (id {row.flow_version_id})"
    match row.version_choice:
        case "deployed":
            return f"{named} was the Deployed one when the run was queued."
        case "schedule":
            return f"{named} was Deployed, and the schedule is its own."
        case "retry":
            return f"{named} is the one that the retry was asked for, or that of the run it repeats."
        case _:
            return f"{named} was named by whoever started the run."


def _waits_now(connection: Connection, row: Row[Any], now: datetime, settings: Settings) -> Iterator[str]:
    found = waits.explain_wait(connection, row, now, settings.company_concurrency)
    silence = timedelta(seconds=settings.worker_timeout_seconds)
    workers = processes.workers(connection, silence)
    if workers is not None and not workers.alive and found["waits_for"] != "ready_at":
        yield "No worker is running; start one with `flowloom worker`."
    if found["waits_for"] != "turn":
        yield _waits_first(found)
    elif workers is None:
        yield "It may go: it waits for a free place of the server, and its company's turn."
    elif workers.alive:
        taken = f"{workers.running} of {workers.places} are taken"
        yield f"It may go: it waits for a free place of a worker ({taken}), and its company's turn."


def _waits_first(found: dict[str, Any]) -> str:
    match found["waits_for"]:
        case "ready_at":
            return f"It may begin at {found['until']}."
        case "schedule" | "key" as same:
            return f"It waits for run {found['flow_run_id']} of the same {same}."
        case "company_concurrency":
            limit, running = found["limit"], found["running"]
            return f"It waits for a place: its company is at its limit of {limit} runs at a time ({running} go on)."
        case crowd:
            whose = crowd.replace("_", " ")
            return f"It waits for a place: {found['running']} of {found['limit']} are taken ({whose})."


def of_slot(
    connection: Connection, actor: Actor, schedule_id: int, at: datetime, settings: Settings
) -> dict[str, Any]:
    """The same of a slot of a schedule; `flow_run_id` when it fired. Raises Missing, or Invalid for no slot."""
    row = _schedule(connection, actor, schedule_id)
    if at < row.created_at - _BEFORE:
        raise errors.Invalid.field(
            "at", f"{views.instant(at)} lies long before schedule {schedule_id} was made."
        )
    fired = connection.execute(
        select(tables.runs).where(RUNS.schedule_id == schedule_id, RUNS.fire_at == at)
    ).one_or_none()
    if fired is not None:
        return {**of_run(connection, actor, fired.id, settings), "flow_run_id": fired.id}
    about = f"{row.cron_string} in {row.timezone}"
    state, why = _not_fired(connection, row, at, actor.at)
    return {
        "state": state,
        "why": f"{why} The schedule is {about}.",
        "why_now": f"The slot is {views.instant(at)}.",
        "why_this_version": f"The schedule belongs to version {row.iteration}, which is {row.status}.",
        "waited_for": [],
    }


def _schedule(connection: Connection, actor: Actor, id: int) -> Row[Any]:
    found = (
        select(tables.schedules, VERSIONS.iteration, VERSIONS.status, FLOWS.is_enabled)
        .join(tables.versions, VERSIONS.id == SCHEDULES.flow_version_id)
        .join(tables.flows, FLOWS.id == VERSIONS.flow_id)
        .where(SCHEDULES.id == id, FLOWS.company_id == actor.company_id)
    )
    row = connection.execute(found).one_or_none()
    if row is None:
        raise errors.Missing("Schedule", id)
    return row


def _not_fired(connection: Connection, row: Row[Any], at: datetime, now: datetime) -> tuple[str, str]:
    """What became of a slot without a run, and why. Raises Invalid when it is none."""
    held = connection.scalar(
        select(SLOTS.reason).where(SLOTS.schedule_id == row.id, SLOTS.first_at <= at, SLOTS.last_at >= at)
    )
    if held is not None:
        return "Not fired.", f"It did not fire: {_REASONS[held]}."
    following = next(schedules.timetable(row._mapping).slots(at - slots.MOMENT), None)
    if following is None or following.at != at:
        raise errors.Invalid.field(
            "at", f"{views.instant(at)} is no slot of schedule {row.id}; see its preview."
        )
    if row.status != version.Status.DEPLOYED or not row.is_enabled:
        return "Not fired.", "It does not fire: the version is not deployed, or the flow is disabled."
    if at > now:
        return "To come.", "It is still to come."
    return "Not fired.", "It passed before the version was deployed, or is being settled just now."
