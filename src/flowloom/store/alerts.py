"""Alerts of flows: what a run's end tells is written in its own transaction, what time tells when it is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Row, Select, bindparam, exists, or_, select, update

from flowloom.domain import alerts, version
from flowloom.domain.alerts import Event
from flowloom.domain.run import Status
from flowloom.store import definitions, outbox, tables

FLOWS, VERSIONS, RUNS, PAYLOADS = tables.flows.c, tables.versions.c, tables.runs.c, tables.payloads.c
# What a receive gave when there was nothing: no text, no value, or an empty one.
_EMPTY: Final = (b"", b"null", b"[]", b"{}", b'""')
_TOLD_OF: Final = frozenset({Status.SUCCESS, Status.FAILURE, Status.PARTIAL})


class Ended(Protocol):
    """How a run ended, as the journal writes it."""

    run_id: int
    flow_id: int
    iteration: int
    status: Status
    at: datetime
    summary: Mapping[str, Any]


_WANTED: Select[Any] = select(FLOWS.id, FLOWS.company_id, FLOWS.name, FLOWS.alerts, FLOWS.alert_state).where(
    FLOWS.alerts.is_not(None)
)
_OF_FLOWS = (
    _WANTED.where(FLOWS.id.in_(bindparam("flow_ids", expanding=True)))
    .order_by(FLOWS.id)
    .with_for_update(of=tables.flows)
)


def tell_ends(connection: Connection, ends: Iterable[Ended]) -> None:
    """Queue what these runs' ends tell those who asked for it. Called in the transaction that writes the ends."""
    told = [end for end in ends if end.status in _TOLD_OF]
    if not told:
        return
    rows = connection.execute(_OF_FLOWS, {"flow_ids": list({end.flow_id for end in told})}).all()
    for row in rows:
        state: Mapping[str, Any] = row.alert_state or {}
        for end in (end for end in told if end.flow_id == row.id):
            state = _tell_end(connection, row, state, end)
        _remember(connection, row, state)


def _tell_end(
    connection: Connection, flow: Row[Any], state: Mapping[str, Any], end: Ended
) -> Mapping[str, Any]:
    asks = end.status is Status.SUCCESS and flow.alerts["on_zero_records"]
    is_empty = asks and _is_empty(connection, end.run_id)
    judged = alerts.after_end(flow.alerts, state, end.run_id, end.status, is_empty=is_empty)
    for event in judged.events:
        message = outbox.Message(
            company_id=flow.company_id,
            subject=_SUBJECTS[event].format(name=flow.name),
            text=_text_of_end(event, flow, state, end),
            once_key=f"alert {event} of run {end.run_id}",
            flow_id=flow.id,
            run_id=end.run_id,
        )
        outbox.tell(connection, message, group_id=flow.alerts["notification_group_id"], at=end.at)
    return judged.state


def _is_empty(connection: Connection, run_id: int) -> bool:
    """Whether a run has steps that receive and none of them gave a record."""
    content_hash = connection.execute(select(RUNS.content_hash).where(RUNS.id == run_id)).scalar_one()
    receives = [
        step.key
        for step in definitions.load(connection, content_hash).steps
        if step.is_enabled and step.config.get("direction") == "receive"
    ]
    some = exists().where(
        PAYLOADS.run_id == run_id,
        PAYLOADS.kind == "effect",
        PAYLOADS.step_key.in_(receives),
        PAYLOADS.content_type.is_not(None),
        or_(PAYLOADS.body.is_(None), PAYLOADS.body.not_in(_EMPTY)),
    )
    return bool(receives) and not connection.scalar(select(some))


_SUBJECTS: Final = {
    Event.FAILURE: 'Flow "{name}" failed',
    Event.RECOVERY: 'Flow "{name}" works again',
    Event.ZERO_RECORDS: 'Flow "{name}" received nothing',
    Event.SILENCE: 'Flow "{name}" did not run',
    Event.RETURN: 'Flow "{name}" runs again',
}


def _text_of_end(event: Event, flow: Row[Any], state: Mapping[str, Any], end: Ended) -> str:
    which = f'Run {end.run_id} of version {end.iteration} of flow {flow.id} "{flow.name}"'
    at = f"at {_shown(end.at)}"
    match event:
        case Event.RECOVERY:
            return f"{which} succeeded {at}, after run {state['failing']} had failed."
        case Event.ZERO_RECORDS:
            return f"{which} succeeded {at}, but its receive steps gave no record."
        case _:
            how = "succeeded in part" if end.status is Status.PARTIAL else "failed"
            return f"{which} {how} {at}. {_why(end)}".rstrip()


def _why(end: Ended) -> str:
    error = end.summary.get("error") or {}
    where = f'Step "{error["name"]}": ' if "name" in error else ""
    return f"{where}{error.get('message', '')}"


_STARTED = (
    select(RUNS.started_at)
    .where(RUNS.flow_id == FLOWS.id, RUNS.started_at.is_not(None))
    .order_by(RUNS.id.desc())
    .limit(1)
    .correlate(tables.flows)
    .scalar_subquery()
)
_WATCHED = (
    _WANTED.add_columns(VERSIONS.updated_at.label("deployed_at"), _STARTED.label("started_at"))
    .join(tables.versions, VERSIONS.flow_id == FLOWS.id)
    .where(FLOWS.is_enabled, VERSIONS.status == version.Status.DEPLOYED)
    .order_by(FLOWS.id)
)


def changes_in_time(connection: Connection, now: datetime) -> list[int]:
    """The ids of the enabled, deployed flows whose silence begins or ends at `now`."""
    rows = connection.execute(_WATCHED).all()
    return [row.id for row in rows if _in_time(row, now).state != (row.alert_state or {})]


def tell_in_time(connection: Connection, flow_id: int, now: datetime) -> None:
    """Queue what the passing of time tells of a flow, looked at again under its lock."""
    locked = _WATCHED.where(FLOWS.id == flow_id).with_for_update(of=tables.flows)
    row = connection.execute(locked).one_or_none()
    if row is None:
        return
    judged = _in_time(row, now)
    for event in judged.events:
        since = judged.state.get("silent_since") or (row.alert_state or {}).get("silent_since")
        message = outbox.Message(
            company_id=row.company_id,
            subject=_SUBJECTS[event].format(name=row.name),
            text=_text_in_time(event, row),
            once_key=f"alert {event} of flow {flow_id} since {since}",
            flow_id=flow_id,
        )
        outbox.tell(connection, message, group_id=row.alerts["notification_group_id"], at=now)
    _remember(connection, row, judged.state)


def _in_time(row: Row[Any], now: datetime) -> alerts.Judged:
    return alerts.in_time(
        row.alerts,
        row.alert_state or {},
        deployed_at=row.deployed_at,
        started_at=row.started_at,
        now=now,
    )


def _text_in_time(event: Event, row: Row[Any]) -> str:
    which = f'Flow {row.id} "{row.name}"'
    last = f"its last run started at {_shown(row.started_at)}" if row.started_at else "it has not run yet"
    if event is Event.RETURN:
        return f"{which} runs again: {last}."
    minutes = row.alerts["silent_after_minutes"]
    return f"{which} is enabled and deployed, and no run of it started for {minutes} minutes: {last}."


def _remember(connection: Connection, flow: Row[Any], state: Mapping[str, Any]) -> None:
    if state != (flow.alert_state or {}):
        connection.execute(update(tables.flows).where(FLOWS.id == flow.id).values(alert_state=dict(state)))


def _shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def flows_of_group(connection: Connection, company_id: int, group_id: int) -> Sequence[Row[Any]]:
    """The flows {id, name} whose alerts go to a notification group."""
    rows = connection.execute(_WANTED.where(FLOWS.company_id == company_id)).all()
    return [row for row in rows if row.alerts["notification_group_id"] == group_id]
