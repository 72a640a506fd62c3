"""What must hold when a simulation has come to rest, whatever failed before."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, text
from tests.simulation import flows
from tests.simulation.clients import Clients
from tests.simulation.flows import Sending
from tests.simulation.network import Call

from flowloom.domain import run
from flowloom.domain.run import Status
from flowloom.store import tables

MINUTE = timedelta(minutes=1)
RUNS, PAYLOADS, LETTERS = tables.runs.c, tables.payloads.c, tables.dead_letters.c


@dataclass(slots=True)
class Evidence:
    """What is in the books, and what the other side has seen."""

    runs: Mapping[int, Row[Any]]
    letters: Mapping[int, Sequence[Row[Any]]]
    # What each origin run may send, by key, and what was asked under each key.
    sendings: Mapping[int, Mapping[str, Sending]]
    calls: Mapping[str, Sequence[Call]]
    recorded: set[tuple[int, str, str]]
    clients: Clients
    # The runs that go under the same keys: one, and those that repeat it.
    of_origin: Mapping[int, Sequence[int]]


def breaches(
    connection: Connection, calls: Sequence[Call], clients: Clients, ends_at: datetime | None
) -> list[str]:
    """Every promise that was not kept, in words."""
    evidence = _gather(connection, calls, clients)
    found = [f"{rule}: run {id}" for rule, id in connection.execute(text("SELECT * FROM breaches"))]
    for check in (_ends, _acknowledged, _sent, _dead_letters, _stopped, _parents, _known_keys):
        found += check(evidence)
    found += _metrics(connection, evidence)
    found += _slots(connection, ends_at)
    return found


def _gather(connection: Connection, calls: Sequence[Call], clients: Clients) -> Evidence:
    runs = {row.id: row for row in connection.execute(select(tables.runs).order_by(RUNS.id))}
    letters: dict[int, list[Row[Any]]] = defaultdict(list)
    for letter in connection.execute(select(tables.dead_letters).order_by(LETTERS.id)):
        letters[letter.run_id].append(letter)
    bodies, recorded = {}, set()
    for row in connection.execute(select(tables.payloads)):
        if row.kind == "start":
            bodies[row.run_id] = msgspec.json.decode(row.body)
        elif row.kind == "effect":
            recorded.add((row.run_id, row.step_key, row.position))
    of_origin: dict[int, list[int]] = defaultdict(list)
    for row in runs.values():
        of_origin[row.origin_run_id].append(row.id)
    sendings = {id: _keyed(runs[id], bodies.get(id, {})) for id in of_origin}
    return Evidence(runs, letters, sendings, _by_key(calls), recorded, clients, of_origin)


def _by_key(calls: Sequence[Call]) -> Mapping[str, Sequence[Call]]:
    by_key: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        if call.key is not None:
            by_key[call.key].append(call)
    return by_key


def _keyed(row: Row[Any], body: Any) -> dict[str, Sending]:
    return {_key(row.id, sending): sending for sending in flows.FLOWS[row.flow_id].sendings(body)}


def _key(origin_run_id: int, sending: Sending) -> str:
    """As the product makes it: of origin run, step, position and what is sent."""
    place = f"{origin_run_id}/{sending.step}/{sending.position}/"
    sent = f"POST {flows.SITE}{sending.path} () ".encode() + msgspec.json.encode(sending.body)
    return hashlib.sha256(place.encode() + sent).hexdigest()[:32]


def _ends(evidence: Evidence) -> Iterator[str]:
    for row in evidence.runs.values():
        if not run.is_finished(row.status):
            yield f"run {row.id} never ends"
        elif row.finished_at is None or row.resume_at is not None:
            yield f"run {row.id} has ended but not wholly"
        elif "Internal error" in str(row.summary.get("error")):
            yield f"run {row.id} failed inside: {row.summary['error']}"


def _acknowledged(evidence: Evidence) -> Iterator[str]:
    """What was acknowledged is there, once; who was told nothing may have got something, once too."""
    told = Counter(wish.run_id for wish in evidence.clients.wishes if wish.run_id is not None)
    for id, count in told.items():
        if id not in evidence.runs:
            yield f"run {id} was acknowledged and is not there"
        if count > 1:
            yield f"run {id} was acknowledged to {count} clients"
    asked = sum(row.trigger == run.Trigger.API for row in evidence.runs.values())
    if not len(told) <= asked <= len(evidence.clients.wishes):
        yield f"{len(evidence.clients.wishes)} wishes, {len(told)} acknowledged, made {asked} runs"
    for wish in evidence.clients.unanswered():
        yield f"{wish.key} was never answered"


def _known_keys(evidence: Evidence) -> Iterator[str]:
    """Each payload goes out under the one key that it has for good, and as it is."""
    expected = {key: one for of_run in evidence.sendings.values() for key, one in of_run.items()}
    for key, calls in evidence.calls.items():
        for call in calls:
            if key not in expected:
                yield f"{call.path} got {call.body} under a key that no payload has"
            elif (call.path, call.body) != (expected[key].path, expected[key].body):
                yield f"{call.path} got {call.body} in place of {expected[key]}"


def _sent(evidence: Evidence) -> Iterator[str]:
    """A run that succeeded has sent everything; what is recorded as sent was taken, and answered so last."""
    for row in evidence.runs.values():
        for key, sending in evidence.sendings[row.origin_run_id].items():
            calls = evidence.calls.get(key, [])
            if row.status == Status.SUCCESS and sending.is_needed and not _taken(calls):
                yield f"run {row.id} succeeded without sending {sending}"
            if (row.id, sending.step, sending.position) in evidence.recorded and not _taken(calls):
                yield f"run {row.id} recorded {sending}, which nobody took"


def _taken(calls: Sequence[Call]) -> bool:
    return any(call.is_taken and call.status == 200 for call in calls)


def _dead_letters(evidence: Evidence) -> Iterator[str]:
    """Exactly what failed for good is a dead letter."""
    for row in evidence.runs.values():
        letters = evidence.letters.get(row.id, [])
        by_step = Counter((letter.step_key, letter.position) for letter in letters)
        if row.status == Status.SUCCESS and letters:
            yield f"run {row.id} succeeded and has dead letters: {by_step}"
        if row.status == Status.PARTIAL and not all(letter.is_caught for letter in letters):
            yield f"run {row.id} went on, and not all of its dead letters were caught: {by_step}"
        failed_step = ((row.summary or {}).get("error") or {}).get("step")
        if row.status == Status.FAILURE and failed_step and failed_step not in {step for step, _ in by_step}:
            yield f"run {row.id} failed at {failed_step} without a dead letter"
        yield from _letters_of_sendings(evidence, row, set(by_step))


def _letters_of_sendings(evidence: Evidence, row: Row[Any], letters: set[tuple[str, str]]) -> Iterator[str]:
    if len(evidence.of_origin[row.origin_run_id]) > 1:
        return
    for key, sending in evidence.sendings[row.id].items():
        place = sending.step, sending.position
        answered = [call for call in evidence.calls.get(key, []) if call.is_answered]
        is_recorded, is_dead = (row.id, *place) in evidence.recorded, place in letters
        if is_recorded and is_dead:
            yield f"run {row.id} sent {sending} and has it as a dead letter"
        if is_dead and (not answered or answered[-1].status == 200):
            yield f"run {row.id} has {sending} as a dead letter, which did not fail"
        if is_recorded and (not answered or answered[-1].status != 200):
            yield f"run {row.id} recorded {sending}, which failed last"
        is_over = row.status in (Status.SUCCESS, Status.PARTIAL)
        if is_over and answered and not is_recorded and not is_dead:
            yield f"run {row.id} lost {sending}"


def _stopped(evidence: Evidence) -> Iterator[str]:
    """Who was told that a run is stopped sees it stopped, or ended just before, and nothing sent from then on."""
    for id, at in evidence.clients.stopped.items():
        row = evidence.runs[id]
        if row.status != Status.STOPPED and row.finished_at > at + MINUTE:
            yield f"run {id} was stopped at {at} and went on to {row.finished_at} as {row.status}"
        if len(evidence.of_origin[row.origin_run_id]) > 1:
            continue
        for key in evidence.sendings[row.origin_run_id]:
            late = [call for call in evidence.calls.get(key, []) if call.began_at > at]
            if late:
                yield f"run {id} was stopped at {at} and sent {late}"


def _parents(evidence: Evidence) -> Iterator[str]:
    """A run starts a child for each payload, once, and ends after those that it waits for."""
    children = Counter(row.parent_run_id for row in evidence.runs.values() if row.parent_run_id is not None)
    for id, count in children.items():
        if count > len(evidence.sendings[evidence.runs[id].origin_run_id]):
            yield f"run {id} started {count} children"
    for row in evidence.runs.values():
        parent = evidence.runs.get(row.parent_run_id) if row.is_awaited else None
        if parent is None or parent.status != Status.SUCCESS:
            continue
        if parent.finished_at < row.finished_at:
            yield f"run {parent.id} ended before run {row.id}, which it waits for"
        if row.status not in (Status.SUCCESS, Status.PARTIAL):
            yield f"run {parent.id} succeeded though run {row.id}, which it waits for, did not"


def _metrics(connection: Connection, evidence: Evidence) -> Iterator[str]:
    """The counted runs are those that there are."""
    counted: Counter[tuple[int, str]] = Counter()
    for table in ("metric_deltas", "metrics WHERE interval = 'minute'"):
        for flow_id, type_, key, value in connection.execute(
            text(f"SELECT flow_id, type, key, value FROM {table}")
        ):
            if type_ == "runs":
                counted[flow_id, key] += value
    there: Counter[tuple[int, str]] = Counter()
    for row in evidence.runs.values():
        there[row.flow_id, run.METRIC_KEYS.get(row.status, "")] += 1
        there[row.flow_id, "started"] += row.fence > 0
    if +counted != +there:
        yield f"counted {dict(counted - there)} too many and {dict(there - counted)} too few runs"


def _slots(connection: Connection, ends_at: datetime | None) -> Iterator[str]:
    """Every slot has one run or one reason."""
    if ends_at is None:
        return
    schedule = connection.execute(select(tables.schedules)).one()
    fates: Counter[datetime] = Counter()
    for row in connection.execute(
        select(RUNS.fire_at, RUNS.queued_at).where(RUNS.schedule_id == schedule.id)
    ):
        fates[row.fire_at] += 1
        if schedule.catch_up == "none" and row.queued_at > row.fire_at + MINUTE:
            yield f"the slot {row.fire_at} was caught up at {row.queued_at}"
    for slot in connection.execute(select(tables.schedule_slots)):
        if schedule.overlap == "allow" and slot.reason == "overlap":
            yield f"the slots {slot} did not fire though they may overlap"
        instants = [slot.first_at + MINUTE * n for n in range(slot._mapping["count"])]
        if instants[-1] != slot.last_at:
            yield f"the range {slot} does not hold what it counts"
        fates.update(instants)
    due = Counter(_minutes(schedule.created_at, ends_at))
    if fates != due:
        yield f"the slots {sorted((due - fates).elements())} have no fate, {sorted((fates - due).elements())} too many"


def _minutes(after: datetime, until: datetime) -> Iterator[datetime]:
    at = after.replace(second=0) + MINUTE
    while at <= until:
        yield at
        at += MINUTE
