"""The queue: which runs come to be, which are claimed, in which order; against a plain model."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update
from tests.store import rows
from tests.store.rows import NOW, seconds

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


def claim(opened, room=10, now=NOW, running=None, limit=0):
    claimed = opened.database.write_now(queue.claim, room, now, running or {}, limit)
    return [one.row.id for one in claimed]


def finish(opened, id):
    ended = update(tables.runs).where(RUNS.id == id).values(status=run.Status.SUCCESS)
    opened.database.write_now(lambda db: db.execute(ended))


def test_priorities_are_strict_and_within_one_the_oldest_goes_first(opened):
    flows = {
        p: opened.database.write_now(lambda db, p=p: rows.add_flow(db, 1, priority=p)) for p in (1, 2, 5)
    }
    starts = [rows.start(1, flows[p]) for p in (5, 2, 1, 5, 1)]
    ids = [answer.run_id for answer in enqueue(opened, *starts)]
    assert [claim(opened, 1) for _ in range(6)] == [[ids[2]], [ids[4]], [ids[1]], [ids[0]], [ids[3]], []]


def test_a_run_waits_for_its_time(opened):
    id = queued(opened, ready_at=NOW + seconds(5))
    assert claim(opened, now=NOW + seconds(4.9)) == []
    assert claim(opened, now=NOW + seconds(5)) == [id]


def test_a_claim_fences_and_keeps_the_first_start(opened):
    id = queued(opened)
    for fence in (1, 2, 3):
        [claimed] = opened.database.write_now(queue.claim, 5, NOW + seconds(fence))
        assert (claimed.row.id, claimed.row.fence, claimed.row.started_at) == (id, fence, NOW + seconds(1))
        assert opened.database.write_now(queue.requeue_abandoned) == 1


def test_runs_of_one_serial_key_go_one_after_another(opened):
    ids = [queued(opened, serial_key=key) for key in (7, 7, 8, 7)]
    assert claim(opened) == [ids[0], ids[2]]
    assert claim(opened) == []
    finish(opened, ids[0])
    assert claim(opened) == [ids[1]]
    opened.database.write_now(queue.requeue_abandoned)
    assert claim(opened) == [ids[1], ids[2]]


def test_a_company_stays_under_its_limit_and_leaves_room_to_others(opened):
    other = opened.database.write_now(rows.add_company, "Other")
    their_flow = opened.database.write_now(rows.add_flow, other)
    mine = [queued(opened) for _ in range(5)]
    theirs = [a.run_id for a in enqueue(opened, *(rows.start(other, their_flow) for _ in range(2)))]
    assert claim(opened, room=4, running={opened.company_id: 1}, limit=3) == [*mine[:2], *theirs]
    assert claim(opened, room=4, running={opened.company_id: 3, other: 2}, limit=3) == []
    assert claim(opened, room=4, running={other: 2}, limit=3) == mine[2:5]


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


@dataclass
class Model:
    """What the queue shall be: runs as (id, priority, company, serial key, ready at), and how far each is."""

    runs: dict[int, tuple]
    waiting: set[int]
    started: set[int]

    def is_ready(self, id, now):
        _, _, serial, ready_at = self.runs[id]
        before = [
            other for other in self.waiting | self.started if self.runs[other][2] == serial and other != id
        ]
        blocked = serial is not None and any(other in self.started or other < id for other in before)
        return ready_at <= now and not blocked

    def claim(self, room, now, limit):
        count = {c: sum(self.runs[id][1] == c for id in self.started) for c in (1, 2)}
        chosen = []
        ready = [id for id in self.waiting if self.is_ready(id, now)]
        for id in sorted(ready, key=lambda id: (self.runs[id][0], id)):
            company = self.runs[id][1]
            if len(chosen) < room and not (limit and count[company] >= limit):
                count[company] += 1
                chosen.append(id)
        self.waiting -= set(chosen)
        self.started |= set(chosen)
        return chosen


ACTIONS = st.one_of(
    st.tuples(st.just("start"), st.integers(0, 3), st.sampled_from([None, None, 1, 2]), st.integers(0, 3)),
    st.tuples(st.just("claim"), st.integers(1, 4), st.integers(0, 2)),
    st.tuples(st.just("end"), st.integers(0, 5)),
    st.tuples(st.just("restart")),
    st.tuples(st.just("wait")),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=st.lists(ACTIONS, min_size=5, max_size=30))
def test_any_history_goes_as_in_the_model(opened, actions):
    db, ids = opened.database, queue.RunIds()
    flows = _four_flows(db)
    model, now = Model({}, set(), set()), NOW
    db.write_now(lambda c: c.execute(delete(tables.runs)))
    for name, *rest in actions:
        if name == "start":
            which, serial, delay = rest
            flow_id, company, priority = flows[which]
            ready_at = now + timedelta(seconds=delay)
            start = rows.start(company, flow_id, at=now, serial_key=serial, ready_at=ready_at)
            [answer] = db.write_now(queue.enqueue, ids, [start])
            model.runs[answer.run_id] = (priority, company, serial, ready_at)
            model.waiting.add(answer.run_id)
        elif name == "claim":
            room, limit = rest
            running = {c: sum(model.runs[id][1] == c for id in model.started) for c in (1, 2)}
            found = [one.row.id for one in db.write_now(queue.claim, room, now, running, limit)]
            assert found == model.claim(room, now, limit)
        elif name == "end" and model.started:
            id = sorted(model.started)[rest[0] % len(model.started)]
            finish(opened, id)
            model.started.remove(id)
        elif name == "restart":
            assert db.write_now(queue.requeue_abandoned) == len(model.started)
            model.waiting |= model.started
            model.started = set()
        elif name == "wait":
            now += timedelta(seconds=1)


def _four_flows(db):
    """Two flows of each of two companies, made once: (flow, company, priority)."""
    found = db.read_now(
        lambda c: c.execute(
            select(tables.flows.c.id, tables.flows.c.company_id, tables.flows.c.priority)
        ).all()
    )
    if len(found) < 5:
        db.write_now(rows.add_company, "Other")
        for company, priority in ((1, 1), (1, 3), (2, 1), (2, 5)):
            db.write_now(lambda c, a=company, p=priority: rows.add_flow(c, a, priority=p))
        return _four_flows(db)
    return [tuple(row) for row in found[1:]]
