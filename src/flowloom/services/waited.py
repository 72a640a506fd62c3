"""What a run has waited for, in sentences: before it began by its holds, on its way by the waits of its steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select

from flowloom.domain import run
from flowloom.services import step_names, views
from flowloom.store import holds, tables

RUNS, PAYLOADS, LOGS = tables.runs.c, tables.payloads.c, tables.run_logs.c
MAX_WAITS: Final = 100
# What is shorter is not told of a step.
UNNOTICED_MS: Final = 100
# A dispatcher looks at least once a second; what takes longer has a reason.
USUAL: Final = timedelta(seconds=1)
_HOLDS: Final = {
    "turn": "for its turn behind earlier runs of the same schedule or key",
    "siblings": "for a place: the limit of {limit} runs at a time of step {step} of run "
    "{row.parent_run_id} was reached",
    "flow": "for a place: the flow's cap of {limit} was taken",
    "company": "for a place: its company's cap of {limit} was taken",
    "server": "for a free place of the server: all {limit} were taken, or went to runs before it",
}
_STEP_WAITS: Final = {
    "rate_limit": "for its turn under the rate limit of its connection",
    "retry_after": "as the other side asked (Retry-After)",
    "circuit": "while the circuit of its connection was open",
    "backoff": "between attempts",
}


def sentences(connection: Connection, row: Row[Any]) -> Iterator[str]:
    """What a run has waited for until now or until it ended, at most MAX_WAITS of each kind."""
    names = step_names.Names(connection)
    yield from _before_it_began(row, names)
    yield from _in_line(connection, row)
    yield from _on_the_way(connection, row, names)
    yield from _in_steps(row, names)
    yield from _now(connection, row, names)


def _before_it_began(row: Row[Any], names: step_names.Names) -> Iterator[str]:
    began = row.started_at or row.finished_at
    told: list[tuple[datetime, datetime]] = []
    free_since = row.ready_at
    for hold in holds.read(row.holds):
        until = hold.until or began
        if until is None:
            return  # it still waits for this
        # What was full may have been so before this run was ready, or while it waited for other runs.
        since = max(hold.since, free_since)
        if hold.what not in ("company", "server"):
            since, free_since = hold.since, max(until, free_since)
        if since < until:
            told.append((since, until))
            is_child = row.parent_run_id is not None and row.parent_step_key is not None
            step = names.of_run(row.parent_run_id, row.parent_step_key) if is_child else None
            why = _HOLDS[hold.what].format(limit=hold.limit, row=row, step=step)
            yield f"It waited {_told(since, until)}, {why}."
    if row.started_at is not None:
        yield from _not_recorded(row, told)


def _not_recorded(row: Row[Any], told: Iterable[tuple[datetime, datetime]]) -> Iterator[str]:
    """The rest of the time before the run began, unless it is the usual one."""
    rest, known_until = timedelta(0), row.ready_at
    for since, until in [*sorted(told), (row.started_at, row.started_at)]:
        rest += max(since - known_until, timedelta(0))
        known_until = max(known_until, until)
    if rest > USUAL:
        yield (
            f"What it waited for in {_seconds(rest)} before it began is not recorded, as when the server does "
            "not run."
        )


def _told(since: datetime, until: datetime) -> str:
    return f"{_seconds(until - since)}, from {views.instant(since)} to {views.instant(until)}"


def _seconds(time: timedelta) -> str:
    return f"{time.total_seconds():.3f} s"


def _in_line(connection: Connection, row: Row[Any]) -> Iterator[str]:
    """The runs of the same schedule or key that went on while this one was queued."""
    if row.serial_key is None and row.lane is None:
        return
    began = row.started_at or row.finished_at
    same = or_(*(RUNS[name] == row._mapping[name] for name in ("serial_key", "lane") if row._mapping[name]))
    before = (
        select(RUNS.id, RUNS.status, RUNS.finished_at)
        .where(same, RUNS.id < row.id, or_(RUNS.finished_at.is_(None), RUNS.finished_at > row.queued_at))
        .order_by(RUNS.id)
        .limit(MAX_WAITS)
    )
    for other in connection.execute(before):
        until = "which goes on" if other.status == run.Status.STARTED else "which is queued"
        if other.finished_at is not None:
            until = f"which ended at {views.instant(other.finished_at)}"
        if began is None or other.finished_at is None or other.finished_at <= began:
            yield f"Run {other.id} of the same schedule or key, {until}."


def _on_the_way(connection: Connection, row: Row[Any], names: step_names.Names) -> Iterator[str]:
    """The waits outside of memory."""
    waits = select(PAYLOADS.step_key, PAYLOADS.state, PAYLOADS.created_at).where(
        PAYLOADS.run_id == row.id, PAYLOADS.kind == "wait"
    )
    for wait in connection.execute(waits.order_by(PAYLOADS.id).limit(MAX_WAITS)):
        since, ended = views.instant(wait.created_at), _ended_in(wait, row)
        step = names.of(row, wait.step_key)
        until = ended or wait.state["until"]
        if (child_id := wait.state.get("child_id")) is not None:
            until = _until_child_ended(connection, child_id) or (f" until {ended}" if ended else "")
            yield f"Step {step}: run {child_id} of another flow, since {since}{until}."
        elif "attempt" in wait.state:
            attempt = wait.state["attempt"]
            why = _STEP_WAITS.get(wait.state.get("what"))
            because = f", {why}" if why else ""
            yield f"Step {step}: until {until}, before attempt {attempt}, since {since}{because}."
        else:
            yield f"Step {step}: a delay until {until}, since {since}."


def _ended_in(wait: Row[Any, Any, Any], row: Row[Any]) -> str | None:
    """The end of the run, for a wait that it ended in."""
    if row.finished_at is None or datetime.fromisoformat(wait.state["until"]) <= row.finished_at:
        return None
    waited = _seconds(row.finished_at - wait.created_at)
    return f"{views.instant(row.finished_at)} (when the run ended, after {waited})"


def _until_child_ended(connection: Connection, child_id: int) -> str | None:
    """Of a run that is waited for no more: others of the step still may be."""
    ended_at = connection.scalar(select(RUNS.finished_at).where(RUNS.id == child_id))
    return f" until it ended at {views.instant(ended_at)}" if ended_at else None


def counted(step: dict[str, Any], until: datetime | None) -> dict[str, Any]:
    """What a step did, with the wait outside of memory that it is in, or that its run ended in, counted until then."""
    if "waits" not in step or until is None:
        return step
    waits, waited_ms = step["waits"], step.get("waited_ms", {})
    since = datetime.fromisoformat(waits["since"])
    more_ms = max((until - since).total_seconds(), 0.0) * 1000
    if (what := waits.get("for")) is not None:
        waited_ms = {**waited_ms, what: round(waited_ms.get(what, 0.0) + more_ms, 3)}
    return {
        **step,
        "duration_ms": round(step["duration_ms"] + more_ms, 3),
        **({"waited_ms": waited_ms} if waited_ms else {}),
    }


def _in_steps(row: Row[Any], names: step_names.Names) -> Iterator[str]:
    """What the steps waited for in all, as far as the run has told: when it waited outside of memory, or ended."""
    for step in (row.summary or {}).get("steps", ()):
        for what, waited_ms in counted(step, row.finished_at).get("waited_ms", {}).items():
            if what in _STEP_WAITS and waited_ms > UNNOTICED_MS:
                named = names.of(row, step["key"])
                yield f"Step {named}: {waited_ms / 1000:.3f} s in all {_STEP_WAITS[what]}."


def _now(connection: Connection, row: Row[Any], names: step_names.Names) -> Iterator[str]:
    """What a run that is worked on said last: pauses and turns that it waits for are told when they begin."""
    if row.status != run.Status.STARTED or row.resume_at is not None:
        return
    newest = select(LOGS.step_key, LOGS.message, LOGS.created_at).where(LOGS.run_id == row.id)
    line = connection.execute(newest.order_by(LOGS.id.desc()).limit(1)).one_or_none()
    if line is not None and line.step_key is not None:
        yield f"Step {names.of(row, line.step_key)}, at {views.instant(line.created_at)}: {line.message}"
