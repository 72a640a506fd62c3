"""The queue: which runs come to be, and of which version."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from tests.store import rows
from tests.store.rows import NOW

from flowloom import errors
from flowloom.domain import run
from flowloom.store import queue, tables

RUNS = tables.runs.c


def enqueue(opened, *starts):
    ids = queue.RunIds()
    return opened.database.write_now(queue.enqueue, ids, starts)


def queued(opened, **fields):
    [answer] = enqueue(opened, rows.start(opened.company_id, opened.flow_id, **fields))
    assert isinstance(answer, queue.Started), answer
    return answer.run_id


def test_an_idempotency_key_gives_the_first_run_again_also_within_a_group(opened):
    def keyed(fingerprint):
        return rows.start(opened.company_id, opened.flow_id, idempotency=("k", fingerprint))

    first, second, refused = enqueue(opened, keyed("a"), keyed("a"), keyed("b"))
    assert (second.run_id, first.replayed, second.replayed) == (first.run_id, False, True)
    assert isinstance(refused, errors.Invalid)
    [later] = enqueue(opened, keyed("a"))
    assert later.run_id == first.run_id
    assert opened.database.read_now(lambda db: db.scalar(select(func.count()).select_from(tables.runs))) == 1


async def test_one_key_from_many_sides_is_one_run(opened):
    ids = queue.RunIds()
    starts = [rows.start(opened.company_id, opened.flow_id, idempotency=("k", "f")) for _ in range(20)]
    answers = await asyncio.gather(*(opened.database.write(queue.enqueue, ids, [one]) for one in starts))
    assert len({answer.run_id for [answer] in answers}) == 1
    assert [answer.replayed for [answer] in answers].count(False) == 1


def test_ids_rise_with_time_whichever_process_starts_a_run(opened):
    """A process that starts few runs does not go on with a block that others have long left behind."""
    if opened.database.is_sqlite:
        pytest.skip("one process works on SQLite")
    quiet, busy = queue.RunIds(), queue.RunIds()

    def started(ids, minutes):
        start = rows.start(opened.company_id, opened.flow_id, at=NOW + timedelta(minutes=minutes))
        return opened.database.write_now(queue.enqueue, ids, [start])[0].run_id

    found = [started(quiet, 0), started(busy, 0), started(quiet, 2), started(busy, 4), started(quiet, 6)]
    assert found == sorted(found)
    assert started(quiet, 6.5) == found[-1] + 1


def test_a_slot_fires_once_whatever_asks_for_it(opened):
    fire = rows.start(opened.company_id, opened.flow_id, schedule_id=1, fire_at=NOW)
    enqueue(opened, fire, fire)
    enqueue(opened, fire)
    assert opened.database.read_now(lambda db: db.scalar(select(func.count()).select_from(tables.runs))) == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"flow_id": 99}, errors.Missing),
        ({"version_id": 99}, errors.Missing),
        ({"company_id": 99}, errors.Missing),
    ],
)
def test_what_is_not_there_is_not_started(opened, fields, error):
    [answer] = enqueue(opened, rows.start(**{"company_id": 1, "flow_id": 1, **fields}))
    assert isinstance(answer, error)


def test_nothing_deployed_and_a_disabled_flow_are_refused(opened):
    draft = opened.database.write_now(lambda db: rows.add_flow(db, 1, deployed=False))
    [answer] = enqueue(opened, rows.start(1, draft))
    assert isinstance(answer, errors.Invalid)
    disable = update(tables.flows).where(tables.flows.c.id == opened.flow_id).values(is_enabled=False)
    opened.database.write_now(lambda db: db.execute(disable))
    hook = rows.start(1, opened.flow_id, trigger=run.Trigger.WEBHOOK)
    by_hand = rows.start(1, opened.flow_id, trigger=run.Trigger.MANUAL)
    refused, started = enqueue(opened, hook, by_hand)
    assert isinstance(refused, errors.Conflict)
    assert isinstance(started, queue.Started)


def test_a_run_of_a_draft_is_pinned_to_what_was_kept(opened):
    draft = opened.database.write_now(lambda db: rows.add_flow(db, 1, deployed=False))
    enqueue(opened, rows.start(1, draft, version_id=2))
    kept = select(RUNS.content_hash).join(
        tables.definitions, tables.definitions.c.content_hash == RUNS.content_hash
    )
    assert opened.database.read_now(lambda db: db.scalar(kept)) is not None
