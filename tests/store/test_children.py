"""Runs of other flows that a retry comes to: which of them it goes on with, and where these find a place then."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from tests.store import rows
from tests.store.queueing import claim, finish, packed, queued, write
from tests.store.rows import NOW

from flowloom.domain import run
from flowloom.store import children, endings, gates, places, queue, repeats, tables

RUNS = tables.runs.c
OLD, NEW = 900, 901


def place(position="0", parent_id=NEW):
    return places.Place(parent_id, "each", position)


def parent(position="0", limit=1, parent_id=NEW, is_awaited=True):
    return queue.Parent(
        place=place(position, parent_id), is_awaited=is_awaited, parallel_limit=limit, depth=1
    )


def taken_over(opened, id, position="0"):
    """What a retry does with the note of a child of the run that it repeats."""
    note = places.note(opened.company_id, place(position), id, NOW)
    opened.database.write_now(places.keep, [note])


def begin(opened, position="0", **about):
    """What a retry comes to at a place."""
    ids = queue.RunIds()
    start = rows.start(opened.company_id, opened.flow_id, body=packed(1), parent=parent(position, **about))
    return opened.database.write_now(children.start, ids, start)


def parents(opened):
    found = select(RUNS.parent_run_id).order_by(RUNS.id)
    return opened.database.read_now(lambda db: db.scalars(found).all())


def test_where_nothing_was_started_one_is_once(opened):
    first = begin(opened)
    assert (first.replayed, begin(opened)) == (False, queue.Started(first.run_id, replayed=True))
    assert begin(opened, "1").run_id != first.run_id
    assert parents(opened) == [NEW, NEW]


@pytest.mark.parametrize("status", [run.Status.SUCCESS, run.Status.PARTIAL])
def test_what_succeeded_stays_with_its_parent(opened, status):
    [id] = queued(opened, parent=(OLD, 1))
    finish(opened, id, status=status)
    taken_over(opened, id)
    assert (begin(opened), parents(opened)) == (queue.Started(id, replayed=True), [OLD])


@pytest.mark.parametrize("status", run.Status)
def test_what_nobody_waits_for_is_not_started_again_whatever_became_of_it(opened, status):
    [id] = queued(opened, parent=(OLD, 1))
    finish(opened, id, status=status)
    taken_over(opened, id)
    assert begin(opened, is_awaited=False) == queue.Started(id, replayed=True)
    assert parents(opened) == [OLD]


def test_a_success_counts_more_than_what_was_tried_after_it(opened):
    ids = queued(opened, 3)
    write(opened, update(tables.runs).where(RUNS.id.in_(ids[1:])).values(retry_flow_run_id=ids[0]))
    finish(opened, ids[0], ids[2], status=run.Status.FAILURE)
    finish(opened, ids[1])
    taken_over(opened, ids[0])
    assert begin(opened).run_id == ids[1]


def test_what_was_retried_by_hand_until_it_was_held_is_taken_over(opened, monkeypatch):
    first, second = queued(opened, 2, body=packed(1))
    finish(opened, first, status=run.Status.FAILURE)
    taken_over(opened, first)

    def hold(connection, run_id):
        values = {"retry_flow_run_id": run_id, "origin_run_id": run_id}
        connection.execute(update(tables.runs).where(RUNS.id == second).values(values))

    monkeypatch.setattr(repeats, "hold", hold)
    assert begin(opened) == queue.Started(second, replayed=True)


def test_a_run_that_retention_has_removed_is_started_anew(opened):
    taken_over(opened, 77)
    assert not begin(opened).replayed


def test_a_run_that_waited_for_a_place_finds_one_with_its_new_parent(opened):
    ids = queued(opened, 2, parent=(OLD, 1))
    assert claim(opened) == [ids[0]]
    assert claim(opened) == []
    taken_over(opened, ids[1])
    assert begin(opened).run_id == ids[1]
    assert claim(opened) == [ids[1]]


def test_a_run_that_has_begun_leaves_its_place_to_the_next_of_its_old_parent(opened):
    ids = queued(opened, 3, parent=(OLD, 1))
    assert (claim(opened), claim(opened)) == ([ids[0]], [])
    taken_over(opened, ids[0])
    assert begin(opened).run_id == ids[0]
    assert claim(opened) == [ids[1]]
    assert claim(opened) == []
    held = select(RUNS.gate).where(RUNS.id == ids[2])
    assert opened.database.read_now(lambda db: db.scalar(held)) == gates.Gate.SIBLINGS


def test_a_note_of_a_place_is_replaced(opened):
    for id in (7, 8):
        taken_over(opened, id)
    assert opened.database.read_now(places.find, place()) == 8
    assert opened.database.read_now(places.find, place("0.1")) is None


def ending(opened, child_id):
    """A transaction in which a child ends, as its worker ends it, not committed yet."""
    connection = opened.database._write_engine.connect()
    connection.execute(update(tables.runs).where(RUNS.id == child_id).values(status=run.Status.SUCCESS))
    return connection


@pytest.mark.parametrize("is_parked", [True, False])
def test_a_parent_hears_of_children_that_end_at_once(postgres_opened, is_parked):
    """Two children end in two transactions, or one while its parent is being parked: neither sees the other."""
    opened, later = postgres_opened, NOW + timedelta(minutes=1)
    parent_id, *ids = queued(opened, 3 if is_parked else 2)
    write(opened, update(tables.runs).values(status=run.Status.STARTED, fence=1))
    awaited = update(tables.runs).where(RUNS.id.in_(ids))
    write(opened, awaited.values(parent_run_id=parent_id, is_awaited=True))
    parked = update(tables.runs).where(RUNS.id == parent_id).values(resume_at=later)
    if is_parked:
        write(opened, parked)
    first, second = ending(opened, ids[0]), opened.database._write_engine.connect()
    endings.wake(first, parent_id, NOW)
    change = update(tables.runs).where(RUNS.id == ids[-1]).values(status=run.Status.SUCCESS)

    def wake():
        second.execute(change if is_parked else parked)
        endings.wake(second, parent_id, NOW)

    waking = threading.Thread(target=wake)
    waking.start()
    waking.join(0.3)
    first.commit()
    waking.join(5)
    second.commit()
    first.close(), second.close()
    found = select(RUNS.resume_at).where(RUNS.id == parent_id)
    assert opened.database.read_now(lambda db: db.scalar(found)) == NOW
