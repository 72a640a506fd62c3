"""Claiming: which runs begin, in which order, and which wait for others."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter

import pytest
from sqlalchemy import func, select, update
from tests.store import rows
from tests.store.queueing import (
    KEY,
    change_flow,
    claim,
    finish,
    keyed,
    other_company,
    packed,
    park,
    queued,
    write,
)
from tests.store.rows import NOW, seconds

from flowloom.domain import run
from flowloom.domain.turns import Turns
from flowloom.store import blobs, claims, gates, queue, tables

RUNS = tables.runs.c


def test_priorities_are_strict_and_within_one_the_oldest_goes_first(opened):
    flows = {
        p: opened.database.write_now(lambda db, p=p: rows.add_flow(db, 1, priority=p)) for p in (1, 2, 5)
    }
    ids = [queued(opened, flow_id=flows[p])[0] for p in (5, 2, 1, 5, 1)]
    assert [claim(opened, 1) for _ in range(6)] == [[ids[2]], [ids[4]], [ids[1]], [ids[0]], [ids[3]], []]


def test_a_run_waits_for_its_time(opened):
    [id] = queued(opened, ready_at=NOW + seconds(5))
    assert claim(opened, now=NOW + seconds(4.9)) == []
    assert claim(opened, now=NOW + seconds(5)) == [id]


def test_a_claim_fences_and_keeps_the_first_start(opened):
    [id] = queued(opened)
    for fence in (1, 2, 3):
        [claimed] = opened.database.write_now(claims.claim, 5, NOW + seconds(fence))
        assert (claimed.row.id, claimed.row.fence, claimed.row.started_at) == (id, fence, NOW + seconds(1))
        assert opened.database.write_now(claims.requeue_abandoned) == 1


def test_runs_of_one_serial_key_go_one_after_another(opened):
    ids = [queued(opened, serial_key=key)[0] for key in (7, 7, 8, 7)]
    assert claim(opened) == [ids[0], ids[2]]
    assert claim(opened) == []
    finish(opened, ids[0])
    assert claim(opened) == [ids[1]]
    opened.database.write_now(claims.requeue_abandoned)
    assert claim(opened) == [ids[1], ids[2]]


def test_a_company_stays_under_its_limit_and_leaves_room_to_others(opened):
    theirs_in = other_company(opened)
    mine, theirs = queued(opened, 5), queued(opened, 2, **theirs_in)
    other = theirs_in["company_id"]
    assert claim(opened, room=4, running={opened.company_id: 1}, limit=3) == [*mine[:2], *theirs]
    assert claim(opened, room=4, running={opened.company_id: 3, other: 2}, limit=3) == []
    assert claim(opened, room=4, running={other: 2}, limit=3) == mine[2:5]


def test_a_company_has_its_own_limit(opened):
    theirs = queued(opened, 9, **other_company(opened, concurrency=4))
    mine = queued(opened, 3)
    assert claim(opened, room=20, limit=1) == [*theirs[:4], mine[0]]


def test_companies_take_turns_whoever_has_more(opened):
    mine, theirs = queued(opened, 30), queued(opened, 3, **other_company(opened))
    turns = Turns()
    assert claim(opened, room=4, turns=turns) == [*mine[:2], *theirs[:2]]
    assert claim(opened, room=1, running={1: 2, 2: 2}, turns=turns) == [mine[2]]
    assert claim(opened, room=1, running={1: 2, 2: 2}, turns=turns) == [theirs[2]]
    assert claim(opened, room=2, turns=turns) == mine[3:5]


def test_who_has_fewer_runs_going_on_comes_first(opened):
    mine, theirs = queued(opened, 3), queued(opened, 3, **other_company(opened))
    assert claim(opened, room=2, running={1: 2}) == theirs[:2]
    assert claim(opened, room=2, running={1: 2, 2: 2}) == [mine[0], theirs[2]]


def test_runs_of_one_key_go_one_at_a_time_in_order(opened):
    change_flow(opened, concurrency_key=KEY)
    ids = [keyed(opened, customer) for customer in (1, 1, 2, 1)]
    without = [keyed(opened, None), keyed(opened, ""), *queued(opened, 2)]
    assert claim(opened) == [ids[0], ids[2], *without]
    park(opened, ids[0], NOW + seconds(60))
    assert claim(opened) == []
    finish(opened, ids[0])
    finish(opened, ids[1], status=run.Status.STOPPED)
    assert claim(opened) == [ids[3]]


def test_a_key_sees_meta_and_the_variables_of_run_and_version(opened):
    change_flow(opened, concurrency_key="{{shop}}/[[meta.kind]]")
    write(opened, update(tables.versions).values(variables={"shop": "de"}))
    starts = [{"meta": {"kind": "a"}}, {"meta": {"kind": "a"}, "variables": {"shop": "de"}}]
    starts += [{"meta": {"kind": "a"}, "variables": {"shop": "nl"}}, {"meta": {"kind": "b"}}]
    ids = [queued(opened, **fields)[0] for fields in starts]
    assert claim(opened) == [ids[0], *ids[2:]]


def test_keys_of_two_flows_are_two(opened):
    change_flow(opened, concurrency_key=KEY)
    flow_id = opened.database.write_now(lambda db: rows.add_flow(db, 1, concurrency_key=KEY))
    ids = [keyed(opened, 1), keyed(opened, 1, flow_id=flow_id)]
    assert claim(opened) == ids


def test_a_body_that_cannot_be_read_has_no_key(opened):
    change_flow(opened, concurrency_key=KEY)
    broken = blobs.Packed(1, None, b"{", None, b"{")
    ids = queued(opened, 2, body=broken)
    assert claim(opened) == ids


def test_a_retry_keeps_its_lane(opened):
    change_flow(opened, concurrency_key=KEY)
    first = keyed(opened, 1)
    claim(opened)
    finish(opened, first, status=run.Status.FAILURE)
    blocking = keyed(opened, 1)
    chosen = queue.Chosen(1, 1, "", "0" * 64, 3)
    retry = queue.Retry(run_id=first, origin_run_id=first, as_of=NOW, chosen=chosen)
    [again] = queued(opened, retry=retry)
    assert claim(opened) == [blocking]
    finish(opened, blocking)
    assert claim(opened) == [again]


def test_a_flow_has_so_many_places_for_what_waits_too(opened):
    change_flow(opened, concurrency=2)
    ids = queued(opened, 6)
    assert claim(opened) == ids[:2]
    park(opened, ids[0], NOW + seconds(60))
    assert opened.database.write_now(claims.requeue_abandoned) == 1
    assert claim(opened) == [ids[1]]
    finish(opened, ids[1])
    assert claim(opened) == [ids[2]]
    change_flow(opened, concurrency=4)
    opened.database.write_now(gates.reopen, opened.flow_id, NOW)
    assert claim(opened) == ids[3:5]


def test_a_parent_has_so_many_children_at_a_time(opened):
    first, second = queued(opened, 4, parent=(900, 2)), queued(opened, 2, parent=(901, 1))
    assert claim(opened) == [*first[:2], second[0]]
    park(opened, first[0], NOW + seconds(60))
    finish(opened, first[1], second[0])
    assert claim(opened) == [first[2], second[1]]
    finish(opened, first[0])
    assert claim(opened) == [first[3]]


def test_what_waited_outside_of_memory_goes_on_before_its_own_rules(opened):
    change_flow(opened, concurrency=1, concurrency_key=KEY)
    first, second = keyed(opened, 1), keyed(opened, 1)
    assert claim(opened) == [first]
    park(opened, first, NOW + seconds(60))
    assert opened.database.write_now(claims.requeue_abandoned) == 0
    assert opened.database.write_now(claims.resume_due, NOW + seconds(59)) == 0
    assert opened.database.write_now(claims.resume_due, NOW + seconds(60)) == 1
    [again] = opened.database.write_now(claims.claim, 5, NOW + seconds(60))
    assert (again.row.id, again.row.fence, again.row.resume_at) == (first, 2, None)
    assert claim(opened) == []
    finish(opened, first)
    assert claim(opened) == [second]


def test_a_place_that_one_cannot_take_goes_to_the_next(opened):
    """The second child is let go for a place in its flow, when its sibling has taken the only one of theirs."""
    change_flow(opened, concurrency=2)
    before, children, after = queued(opened, 2), queued(opened, 2, parent=(900, 1)), queued(opened)
    assert claim(opened) == before
    finish(opened, before[0])
    assert claim(opened) == children[:1]
    finish(opened, before[1])
    assert claim(opened) == after
    finish(opened, children[0])
    assert claim(opened) == children[1:]


def test_children_of_several_parents_share_the_places_of_their_flow(opened):
    change_flow(opened, concurrency=4)
    children = {parent: queued(opened, 12, parent=(parent, 2)) for parent in (900, 901, 902)}
    waiting, going = set(itertools.chain(*children.values())), []
    while waiting:
        going += claim(opened, room=3)
        assert 0 < len(going) <= 4
        begun = Counter(id // 12 if id % 12 else id // 12 - 1 for id in going)
        assert max(begun.values()) <= 2
        waiting -= set(going)
        finish(opened, going.pop(0))


@pytest.mark.parametrize("blocked", ["lane", "serial", "flow", "parent"])
def test_a_long_queue_does_not_hold_up_a_claim(opened, blocked):
    """Once looked at, what waits for others is not looked at again: it costs no claim anything."""
    change_flow(
        opened, concurrency=int(blocked == "flow"), concurrency_key="all" if blocked == "lane" else None
    )
    fields = {"serial": {"serial_key": 1}, "parent": {"parent": (900, 1)}}.get(blocked, {})
    ids = queued(opened, 1800, **fields)
    assert claim(opened) == ids[:1]
    left = select(func.count()).where(gates.is_open(RUNS)).select_from(tables.runs)
    assert opened.database.read_now(lambda db: db.scalar(left)) == 0
    for id in ids[:3]:
        finish(opened, id)
        assert claim(opened) == [id + 1]
        assert opened.database.read_now(lambda db: db.scalar(left)) == 0


def test_a_flood_for_one_key_is_put_aside_in_parts(opened):
    change_flow(opened, concurrency_key="all")
    flood = queued(opened, claims.MAX_PUT_ASIDE * 2)
    low = opened.database.write_now(lambda db: rows.add_flow(db, opened.company_id, priority=5))
    waiting, theirs = queued(opened, flow_id=low), queued(opened, **other_company(opened))
    assert claim(opened) == [flood[0], *theirs]
    assert claim(opened) == waiting


def test_who_waits_behind_one_that_waited_behind_another_is_let_go(opened):
    change_flow(opened, concurrency_key=KEY)
    first = keyed(opened, 1)
    later, last = keyed(opened, 1, ready_at=NOW + seconds(60)), keyed(opened, 1)
    assert claim(opened) == [first]
    assert claim(opened) == []
    finish(opened, first)
    assert claim(opened) == []
    assert claim(opened, now=NOW + seconds(60)) == [later]
    finish(opened, later)
    assert claim(opened, now=NOW + seconds(60)) == [last]


def test_thousands_are_served_in_turns(opened):
    """Three companies with 3,000, 300 and 30 runs at each of two priorities, claimed until nothing is left."""
    sizes, lines = {1: 3000, 2: 300, 3: 30}, {}
    opened.database.write_now(lambda db: (rows.add_company(db, "B"), rows.add_company(db, "C")))
    for company, priority in itertools.product(sizes, (2, 4)):
        flow = opened.database.write_now(lambda db, c=company, p=priority: rows.add_flow(db, c, priority=p))
        lines[company, priority] = queued(opened, sizes[company], company_id=company, flow_id=flow)
    where = {id: line for line, ids in lines.items() for id in ids}
    order, turns = [], Turns()
    while claimed := claim(opened, room=60, turns=turns):
        finish(opened, *claimed)
        order.append(claimed)
    for line, ids in lines.items():
        assert [id for claimed in order for id in claimed if where[id] == line] == ids
    priorities = [[where[id][1] for id in claimed] for claimed in order]
    assert list(itertools.chain(*priorities)) == [2] * 3330 + [4] * 3330
    shares = [Counter(where[id][0] for id in claimed) for claimed in order]
    assert shares[:3] == [{1: 20, 2: 20, 3: 20}, {1: 25, 2: 25, 3: 10}, {1: 30, 2: 30}]
    assert shares[-1].keys() == {1}


async def test_what_is_queued_while_claims_go_on_is_claimed_once(opened):
    change_flow(opened, concurrency_key=KEY, concurrency=5)
    ids, seen = queue.RunIds(), []

    async def enqueue(customer):
        start = rows.start(1, opened.flow_id, body=packed({"customer_id": customer % 4}))
        [answer] = await opened.database.write(queue.enqueue, ids, [start])
        return answer.run_id

    async def work():
        while len(seen) < 60:
            claimed = await opened.database.write_grouped(lambda db: claims.claim(db, 4, NOW))
            done = [one.row.id for one in claimed]
            assert len({one.row.lane for one in claimed}) == len(done)
            seen.extend(done)
            ended = update(tables.runs).where(RUNS.id.in_(done)).values(status=run.Status.SUCCESS)
            await opened.database.write_grouped(lambda db, ended=ended: db.execute(ended).rowcount)

    made, _ = await asyncio.wait_for(
        asyncio.gather(asyncio.gather(*(enqueue(number) for number in range(60))), work()), 30
    )
    assert sorted(seen) == sorted(made)
