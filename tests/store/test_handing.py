"""Handing runs to workers on PostgreSQL: many claim at once, the dead lose what they had, and offers go by turns."""

from __future__ import annotations

import random
import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, select, text, update
from tests.store import rows
from tests.store.queueing import (
    KEY,
    RUNS,
    change_flow,
    finish,
    keyed,
    other_company,
    park,
    queued,
    write,
)  # fmt: skip
from tests.store.rows import NOW

from flowloom import errors
from flowloom.domain import run
from flowloom.domain.turns import Turns
from flowloom.store import columns, gates, handing, processes, tables

SILENCE = timedelta(seconds=20)


@pytest.fixture
def opened(postgres_opened):
    return postgres_opened


def worker(opened, limit=0):
    made = opened.database.write_now(processes.register, "worker", 8, SILENCE, "key")
    return handing.Worker(made.id, limit, SILENCE)


def claim(opened, ids, by):
    claimed = opened.database.write_now(handing.claim, ids, NOW, by)
    return [one.row.id for one in claimed]


def offered(opened, room=100, known=None, turns=None, limit=0, pending=None):
    known = {offer.run_id: offer for offer in known or ()}
    asked = (dict.fromkeys(range(1, 6), room), NOW, known, pending or Counter(), turns or Turns(), limit)
    return opened.database.read_now(handing.offers, *asked)


def silence(opened, by):
    """Its last word was long ago."""
    silent = update(tables.processes).where(tables.processes.c.id == by.process_id)
    write(opened, silent.values(seen_at=columns.EPOCH))


def row(opened, id):
    return opened.database.read_now(lambda db: db.execute(select(tables.runs).where(RUNS.id == id)).one())


def test_a_run_is_claimed_by_one_with_a_fence(opened):
    [id] = queued(opened)
    first, second = worker(opened), worker(opened)
    assert claim(opened, [id], first) == [id]
    assert claim(opened, [id], second) == []
    assert (row(opened, id).fence, row(opened, id).worker_id) == (1, first.process_id)


def test_what_is_not_there_or_not_yet_ready_is_not_claimed(opened):
    [later] = queued(opened, ready_at=NOW + timedelta(days=36_500))
    [over] = queued(opened)
    finish(opened, over)
    assert claim(opened, [later, over, 12345], worker(opened)) == []


def test_what_a_dead_worker_had_is_taken_over_and_of_a_living_one_nothing(opened):
    ids = queued(opened, 2)
    first, second = worker(opened), worker(opened)
    assert claim(opened, ids, first) == ids
    assert claim(opened, ids, second) == []
    silence(opened, first)
    park(opened, ids[1], NOW + timedelta(hours=1))
    assert claim(opened, ids, second) == ids[:1]
    assert (row(opened, ids[0]).fence, row(opened, ids[0]).worker_id) == (2, second.process_id)


def test_who_leaves_puts_back_what_it_had(opened):
    ids = queued(opened, 2)
    first = worker(opened)
    claim(opened, ids, first)
    park(opened, ids[1], NOW)
    opened.database.write_now(processes.leave, first.process_id)
    assert [row(opened, id).status for id in ids] == [run.Status.QUEUED, run.Status.STARTED]


def test_what_a_worker_has_not_heard_of_goes_back(opened):
    ids = queued(opened, 2)
    first = worker(opened)
    claim(opened, ids, first)
    heard = opened.database.write_now(processes.worked_on, first.process_id, {ids[0]: 1})
    assert heard == {ids[0]: (1, False)}
    assert row(opened, ids[1]).status == run.Status.QUEUED


def test_a_forgotten_process_is_listed_again(opened):
    member = opened.database.write_now(processes.register, "worker", 8, SILENCE, "key")
    opened.database.write_now(processes.leave, member.id)
    opened.database.write_now(processes.beat, member, 3)
    found = opened.database.read_now(lambda db: db.execute(select(tables.processes)).one())
    assert (found.id, found.running, found.role) == (member.id, 0, "worker")


def test_a_process_with_another_secret_key_is_refused_while_others_live(opened):
    one = worker(opened)
    with pytest.raises(errors.Conflict, match="another secret key: give FLOWLOOM_SECRET_KEY the same"):
        opened.database.write_now(processes.register, "worker", 8, SILENCE, "another")
    silence(opened, one)
    assert opened.database.write_now(processes.register, "worker", 8, SILENCE, "another").id > one.process_id


def test_the_second_of_a_key_is_put_aside_and_offered_again_when_the_first_ends(opened):
    change_flow(opened, concurrency_key=KEY)
    first, second = keyed(opened, 1), keyed(opened, 1)
    by = worker(opened)
    assert claim(opened, [second, first], by) == [first]
    assert row(opened, second).gate == gates.Gate.TURN
    assert offered(opened) == []
    finish(opened, first)
    opened.database.write_now(handing.let_go, NOW)
    [again] = offered(opened)
    assert again.run_id == second
    assert claim(opened, [second], by) == [second]


def test_a_company_keeps_to_its_places(opened):
    ids = queued(opened, 5)
    assert claim(opened, ids, worker(opened, limit=3)) == ids[:3]
    assert [row(opened, id).gate for id in ids[3:]] == [gates.Gate.OPEN] * 2
    assert offered(opened, limit=3) == []
    finish(opened, ids[0])
    assert [offer.run_id for offer in offered(opened, limit=3)] == ids[3:4]


def test_offers_go_by_priority_then_by_turns_of_companies_and_leave_out_what_is_known(opened):
    first = queued(opened, 4)
    theirs = queued(opened, 4, **other_company(opened))
    urgent = queued(
        opened,
        1,
        flow_id=opened.database.write_now(lambda db: rows.add_flow(db, opened.company_id, priority=1)),
    )
    found = offered(opened, room=5)
    assert [offer.run_id for offer in found][:1] == urgent
    assert {offer.run_id for offer in found[1:]} == {*first[:2], *theirs[:2]}
    assert [offer.run_id for offer in offered(opened, known=found)] == [*first[2:], *theirs[2:]]


def test_what_is_urgent_finds_room_beside_many_that_are_not(opened):
    queued(opened, 3)
    urgent = opened.database.write_now(lambda db: rows.add_flow(db, opened.company_id, priority=1))
    ids = queued(opened, 4, flow_id=urgent)
    room = {1: 3, 2: 0, 3: 0, 4: 0, 5: 0}
    asked = (room, NOW, {}, Counter(), Turns(), 0)
    assert [offer.run_id for offer in opened.database.read_now(handing.offers, *asked)] == ids[:3]


def test_a_known_run_is_offered_again_when_it_waits_in_another_way(opened):
    [id] = queued(opened)
    known = offered(opened)
    assert offered(opened, known=known) == []
    write(opened, update(tables.runs).where(RUNS.id == id).values(fence=1))
    assert [offer.run_id for offer in offered(opened, known=known)] == [id]


def test_claims_of_runs_that_share_a_limit_wait_for_each_other(opened):
    change_flow(opened, concurrency=1)
    first, second = queued(opened, 2)
    one, other, claimed = worker(opened), worker(opened), []
    engine = create_engine(opened.database.url)
    with engine.begin() as connection:
        assert handing.claim(connection, [first], NOW, one)
        waiting = threading.Thread(target=lambda: claimed.extend(claim(opened, [second], other)))
        waiting.start()
        # Without a lock it would be through by then.
        waiting.join(0.5)
    waiting.join(10)
    engine.dispose()
    assert claimed == []
    assert row(opened, second).gate == gates.Gate.FLOW


@pytest.mark.parametrize("seed", range(3))
def test_many_workers_at_once_keep_every_limit_and_claim_each_run_once(opened, seed):
    """Four threads claim and end what they are handed, in any order and more than once, until nothing is left."""
    change_flow(opened, concurrency=3, concurrency_key=KEY)
    ids = [keyed(opened, number % 5) for number in range(40)]
    free = opened.database.write_now(lambda db: rows.add_flow(db, opened.company_id))
    ids += queued(opened, 20, flow_id=free)
    count, lock, faults = Counter(), threading.Lock(), []
    dice = random.Random(seed)

    def enter(one):
        for key, limit in ((one.row.lane, 1), (one.row.flow_id, 3 if one.row.lane else 99), ("all", 4)):
            count[key] += 1 if key is not None else 0
            if key is not None and count[key] > limit:
                faults.append((key, count[key]))

    def work(by):
        while True:
            with lock:
                left = opened.database.read_now(
                    lambda db: db.scalars(select(RUNS.id).where(RUNS.status < 2)).all()
                )
                handed = dice.sample(sorted(left), min(len(left), dice.randint(1, 12)))
            if not left:
                return
            claimed = opened.database.write_now(handing.claim, handed, NOW, by)
            with lock:
                for one in claimed:
                    enter(one)
                    done[one.row.id] += 1
            with lock:
                for one in claimed:
                    count.subtract([key for key in (one.row.lane, one.row.flow_id, "all") if key is not None])
                finish(opened, *(one.row.id for one in claimed))
            opened.database.write_now(handing.let_go, NOW)

    done: Counter[int] = Counter()
    by = [worker(opened, limit=4) for _ in range(4)]
    threads = [threading.Thread(target=work, args=(one,), daemon=True) for one in by]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    left = opened.database.read_now(
        lambda db: db.execute(
            select(RUNS.id, RUNS.status, RUNS.gate, RUNS.fence, RUNS.lane, RUNS.holds).where(RUNS.status < 2)
        ).all()
    )
    assert left == []
    assert faults == []
    assert done == Counter(ids)


def test_what_is_put_aside_is_judged_under_its_locks_too(opened):
    """It may be let go after the locks were taken, and before it is judged."""
    change_flow(opened, concurrency_key=KEY)
    first, second = keyed(opened, 1), keyed(opened, 1)
    claim(opened, [first, second], worker(opened))

    def locked(connection):
        handing._lock(connection, [second], 0)
        mine = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        return connection.scalar(text(mine))

    assert row(opened, second).gate == gates.Gate.TURN
    assert opened.database.write_now(locked) == 2


def test_a_worker_whose_clock_is_late_begins_what_is_ready(opened):
    ids = queued(opened, ready_at=columns.EPOCH + timedelta(days=1))
    claimed = opened.database.write_now(handing.claim, ids, columns.EPOCH, worker(opened))
    assert [one.row.id for one in claimed] == ids
