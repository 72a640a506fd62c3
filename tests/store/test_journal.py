"""The journal: groups in order, entries whole or not at all, ends together with their metrics."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError
from tests.store import rows
from tests.store.rows import NOW
from tests.store.test_writer import LOST, Gate, failing

from flowloom import errors
from flowloom.domain import run
from flowloom.store import claims, journal, queue, tables


@pytest.fixture
def kept(opened):
    return journal.Journal(opened.database, queue.RunIds(), lambda point: None)


def payload(run_id, position, **fields):
    row = {"run_id": run_id, "company_id": 1, "step_key": "send", "position": position, "kind": "effect"}
    return {**row, "state": {"of": "0"}, "bytes": 1, "body": b"1", "created_at": NOW, **fields}


def line(run_id, message):
    return {"run_id": run_id, "step_key": None, "level": "info", "message": message, "created_at": NOW}


def lines(payloads=(), logs=()):
    return journal.Lines(payloads=list(payloads), logs=list(logs))


def end(opened, run_id, fence=1):
    return journal.End(
        run_id=run_id, fence=fence, flow_id=opened.flow_id, version_id=1, iteration=1, status=run.Status.SUCCESS,
        at=NOW, has_warnings=False, summary={}, metrics={("steps", "count"): 2},
    )  # fmt: skip


async def started(opened, kept, count=1):
    """So many runs, claimed."""
    starts = (kept.start(rows.start(opened.company_id, opened.flow_id)) for _ in range(count))
    ids = [answer.run_id for answer in await asyncio.gather(*starts)]
    await opened.database.write_grouped(lambda db: claims.claim(db, count, NOW))
    return ids


def column(opened, wanted):
    return opened.database.read_now(lambda db: list(db.scalars(wanted)))


def messages(opened):
    return column(opened, select(tables.run_logs.c.message).order_by(tables.run_logs.c.id))


def deltas(opened):
    found = select(tables.metric_deltas.c.type, tables.metric_deltas.c.key, tables.metric_deltas.c.value)
    added = Counter()
    for type_, key, value in opened.database.read_now(lambda db: db.execute(found).all()):
        added[type_, key] += value
    return added


async def test_what_is_handed_over_is_written_in_order(opened, kept):
    async with Gate(opened.database):
        waiting = [
            asyncio.ensure_future(kept.record(lines([], [line(1, str(number))]))) for number in range(50)
        ]
    await asyncio.gather(*waiting)
    assert messages(opened) == [str(number) for number in range(50)]


async def test_starts_answer_with_their_own_run_each(opened, kept):
    foreign = rows.start(opened.company_id + 9, opened.flow_id)
    mine = rows.start(opened.company_id, opened.flow_id)
    first, refused, second = await asyncio.gather(
        kept.start(mine), kept.start(foreign), kept.start(mine), return_exceptions=True
    )
    assert isinstance(refused, errors.Missing)
    assert second.run_id > first.run_id
    assert column(opened, select(tables.runs.c.id).order_by(tables.runs.c.id)) == [
        first.run_id,
        second.run_id,
    ]


async def test_one_faulty_entry_fails_alone_and_whole(opened, kept):
    faulty = [payload(1, "0"), payload(1, "1", bytes=None)]
    async with Gate(opened.database):
        waiting = [
            asyncio.ensure_future(kept.record(lines([payload(2, "0")], [line(2, "a")]))),
            asyncio.ensure_future(kept.record(lines(faulty, [line(1, "b")]))),
            asyncio.ensure_future(kept.record(lines([payload(3, "0")], [line(3, "c")]))),
        ]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    assert messages(opened) == ["a", "c"]
    assert column(opened, select(tables.payloads.c.run_id).order_by(tables.payloads.c.id)) == [2, 3]


async def test_an_entry_that_cannot_even_be_bound_fails_and_the_next_is_written(opened, kept):
    with pytest.raises(SQLAlchemyError):
        await kept.record(lines([], [line(1, object())]))
    await kept.record(lines([], [line(1, "next")]))
    assert messages(opened) == ["next"]


async def test_a_checkpoint_is_kept_once(opened, kept):
    await kept.record(lines([payload(1, "0")], []))
    await kept.record(lines([payload(1, "0"), payload(1, "1")], []))
    assert column(opened, select(tables.payloads.c.position).order_by(tables.payloads.c.id)) == ["0", "1"]


async def test_an_end_and_its_metrics_are_one(opened, kept):
    [run_id] = await started(opened, kept)
    bad = [payload(run_id, "0", bytes=None)]
    with pytest.raises(SQLAlchemyError):
        await kept.finish(end(opened, run_id), lines(bad))
    assert column(opened, select(tables.runs.c.status)) == [run.Status.STARTED]
    assert deltas(opened) == {}
    assert await kept.finish(end(opened, run_id), lines())
    assert column(opened, select(tables.runs.c.status)) == [run.Status.SUCCESS]
    assert deltas(opened) == {("runs", "success"): 1, ("steps", "count"): 2}


async def test_a_run_ends_once_and_only_under_its_fence(opened, kept):
    [run_id] = await started(opened, kept)
    assert not await kept.finish(end(opened, run_id, fence=2), lines())
    results = await asyncio.gather(*(kept.finish(end(opened, run_id), lines()) for _ in range(2)))
    assert results == [True, False]
    assert not await kept.finish(end(opened, run_id), lines())
    assert deltas(opened)["runs", "success"] == 1


async def test_many_ends_of_a_group_are_one_delta_for_each_key(opened, kept):
    ids = await started(opened, kept, 20)
    async with Gate(opened.database):
        waiting = [asyncio.ensure_future(kept.finish(end(opened, id), lines())) for id in ids]
    assert all(await asyncio.gather(*waiting))
    assert deltas(opened) == {("runs", "success"): 20, ("steps", "count"): 40}
    assert column(opened, select(func.count()).select_from(tables.metric_deltas)) == [2]


@pytest.mark.parametrize("lost_first", [True, False])
async def test_a_lost_database_is_busy_for_all_and_nothing_waits_for_ever(opened, kept, lost_first):
    async with Gate(opened.database):
        lose = lambda: asyncio.ensure_future(opened.database.write_grouped(failing("x", LOST)))  # noqa: E731
        waiting = [lose()] if lost_first else []
        await asyncio.sleep(0)
        waiting += [asyncio.ensure_future(kept.record(lines([], [line(1, str(n))]))) for n in range(3)]
        await asyncio.sleep(0.01)
        waiting += [] if lost_first else [lose()]
    results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
    assert {type(result) for result in results} == {errors.Busy}
    await kept.record(lines([], [line(1, "later")]))
    assert messages(opened) == ["later"]
    assert kept._entries == []


async def test_with_several_workers_nothing_is_kept_of_a_run_that_is_lost(opened):
    kept = journal.Journal(opened.database, queue.RunIds(), lambda point: None, fenced=True)
    ours, lost = await started(opened, kept, 2)
    wrong: list[object] = []
    opened.database.write_now(
        lambda db: db.execute(update(tables.runs).where(tables.runs.c.id == lost).values(fence=2)).rowcount
    )

    def said(run_id, message):
        return journal.Lines(logs=[line(run_id, message)], of_run=(run_id, 1))

    written = await asyncio.gather(
        kept.record(said(lost, "late")),
        kept.record(said(ours, "ours")),
        kept.finish(end(opened, lost), said(lost, "end")),
        kept.finish(end(opened, ours), said(ours, "end")),
        return_exceptions=True,
    )
    assert [type(one) for one in written] == [journal.Superseded, type(None), journal.Superseded, bool]
    assert messages(opened) == ["ours", "end"]
    late = (lost, 1)
    child = rows.start(opened.company_id, opened.flow_id)
    refused = await asyncio.gather(
        kept.start(child, late),
        kept.start_again(child, late),
        kept.write(late, lambda db: wrong.append(db)),
        return_exceptions=True,
    )
    assert ([type(one) for one in refused], wrong) == ([journal.Superseded] * 3, [])
    statuses = column(opened, select(tables.runs.c.status).order_by(tables.runs.c.id))
    assert statuses == [run.Status.SUCCESS, run.Status.STARTED]
