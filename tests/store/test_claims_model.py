"""Claiming against a plain model: companies, priorities, keys, limits, children and waits in any order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update
from tests.store import rows
from tests.store.queueing import KEY, claim, finish, packed, park, write
from tests.store.rows import NOW

from flowloom.domain.turns import Turns
from flowloom.store import claims, gates, queue, tables

RUNS, FLOWS = tables.runs.c, tables.flows.c


@dataclass
class Modelled:
    """A run of the model. `begun` stays while it waits outside of memory, until `resume_at`, or is queued again."""

    id: int
    company: int
    flow: int
    priority: int
    ready_at: Any
    lane: Any = None
    serial: int | None = None
    parent: int | None = None
    begun: bool = False
    going: bool = False
    resume_at: Any = None


@dataclass
class Model:
    """What claiming shall be, one run after another, looking at all of them each time."""

    limits: dict[int, int]
    flow_limits: dict[int, int]
    runs: dict[int, Modelled] = field(default_factory=dict)
    served: list[int] = field(default_factory=list)

    def running(self):
        return Counter(one.company for one in self.runs.values() if one.going and one.resume_at is None)

    def is_free(self, one, now):
        others = [other for other in self.runs.values() if other is not one]
        begun = [other for other in others if other.begun]
        for of in ("lane", "serial"):
            mine = getattr(one, of)
            same = [other for other in others if mine is not None and getattr(other, of) == mine]
            if not one.begun and any(other.begun or other.id < one.id for other in same):
                return False
        siblings = sum(other.parent == one.parent for other in begun)
        crowded = one.parent is not None and siblings >= PARALLEL
        limit = self.flow_limits[one.flow]
        full = 0 < limit <= sum(other.flow == one.flow for other in begun)
        return one.begun or not (crowded or full)

    def claim(self, room, now, limit):
        chosen, running = [], self.running()
        for _ in range(room):
            ready = [one for one in self.runs.values() if not one.going and one.ready_at <= now]
            limits = {company: own or limit for company, own in self.limits.items()}
            ready = [one for one in ready if self.is_free(one, now)]
            ready = [one for one in ready if not 0 < limits[one.company] <= running[one.company]]
            if not ready:
                break
            one = min(ready, key=lambda one: self.turn(one, running))
            one.begun = one.going = True
            running[one.company] += 1
            self.served.append(one.company)
            chosen.append(one)
        return [one.id for one in sorted(chosen, key=lambda one: (one.priority, one.id))]

    def turn(self, one, running):
        last = max((at for at, company in enumerate(self.served) if company == one.company), default=-1)
        return one.priority, running[one.company], last, one.company, one.ready_at, one.id


PARALLEL = 2
START = st.tuples(
    st.just("start"),
    st.integers(0, 3),
    st.sampled_from([None, None, 1, 2]),
    st.sampled_from([None, None, None, 1]),
    st.integers(0, 2),
    st.integers(1, 4),
)
CLAIM = st.tuples(st.just("claim"), st.integers(1, 5), st.integers(0, 3))
ACTIONS = st.one_of(
    START,
    START,
    CLAIM,
    CLAIM,
    st.tuples(st.just("end"), st.integers(0, 9)),
    st.tuples(st.just("stop"), st.integers(0, 9)),
    st.tuples(st.just("park"), st.integers(0, 9), st.integers(1, 3)),
    st.tuples(st.just("cap"), st.integers(0, 3)),
    st.tuples(st.just("restart")),
    st.tuples(st.just("wait")),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=st.lists(ACTIONS, min_size=10, max_size=50))
def test_any_history_goes_as_in_the_model(opened, actions):
    """Two companies; a plain flow, one with a key and a limit, a limited one, and one whose runs have parents."""
    history = History(opened)
    for name, *rest in actions:
        getattr(history, name)(*rest)


class History:
    """The same things done to a database and to the model."""

    def __init__(self, opened):
        self.opened, self.db, self.now = opened, opened.database, NOW
        self.ids, self.turns = queue.RunIds(), Turns()
        self.db.write_now(lambda c: [c.execute(delete(table)) for table in (tables.runs, tables.payloads)])
        self.db.write_now(lambda c: [c.execute(delete(table)) for table in (tables.versions, tables.flows)])
        if self.db.read_now(lambda c: c.scalar(select(func.count()).select_from(tables.companies))) < 2:
            self.db.write_now(lambda c: rows.add_company(c, "Other", 3))
        caps = [
            (1, 1, {}),
            (1, 3, {"concurrency": 2, "concurrency_key": KEY}),
            (2, 1, {"concurrency": 1}),
            (2, 3, {}),
        ]
        self.flows = [
            (self.db.write_now(lambda c, a=a, p=p, more=more: rows.add_flow(c, a, priority=p, **more)), a, p)
            for a, p, more in caps
        ]
        limits = {
            flow[0]: more.get("concurrency", 0) for flow, (_, _, more) in zip(self.flows, caps, strict=True)
        }
        self.model = Model({1: 0, 2: 3}, limits)

    def start(self, which, customer, serial, delay, count):
        flow_id, company, priority = self.flows[which]
        ready_at = self.now + timedelta(seconds=delay)
        body = packed({"customer_id": customer})
        start = rows.start(company, flow_id, at=self.now, serial_key=serial, ready_at=ready_at, body=body)
        for answer in self.db.write_now(queue.enqueue, self.ids, [start] * count):
            lane = customer if which == 1 else None
            parent = customer if which == 3 else None
            made = Modelled(answer.run_id, company, flow_id, priority, ready_at, lane, serial, parent)
            self.model.runs[made.id] = made
            if parent is not None:
                values = {"parent_run_id": parent, "parent_step_key": "each", "parallel_limit": PARALLEL}
                write(self.opened, update(tables.runs).where(RUNS.id == made.id).values(values))

    def claim(self, room, limit):
        found = claim(self.opened, room, self.now, self.model.running(), limit, self.turns)
        assert found == self.model.claim(room, self.now, limit)

    def end(self, which):
        self._end([one for one in self.model.runs.values() if one.going and one.resume_at is None], which)

    def stop(self, which):
        self._end([one for one in self.model.runs.values() if not one.going], which)

    def _end(self, among, which):
        if among:
            one = among[which % len(among)]
            finish(self.opened, one.id)
            del self.model.runs[one.id]

    def park(self, which, delay):
        going = [one for one in self.model.runs.values() if one.going and one.resume_at is None]
        if going:
            one = going[which % len(going)]
            one.resume_at = self.now + timedelta(seconds=delay)
            park(self.opened, one.id, one.resume_at)

    def cap(self, limit):
        flow_id = self.flows[1][0]
        self.model.flow_limits[flow_id] = limit
        write(self.opened, update(tables.flows).where(FLOWS.id == flow_id).values(concurrency=limit))
        self.db.write_now(gates.reopen, flow_id, self.now)

    def restart(self):
        lost = [one for one in self.model.runs.values() if one.going and one.resume_at is None]
        assert self.db.write_now(claims.requeue_abandoned) == len(lost)
        for one in lost:
            one.going = False
        self.turns, self.model.served = Turns(), []

    def wait(self):
        self.now += timedelta(seconds=1)
        over = [
            one for one in self.model.runs.values() if one.resume_at is not None and one.resume_at <= self.now
        ]
        assert self.db.write_now(claims.resume_due, self.now) == len(over)
        for one in over:
            one.going, one.resume_at = False, None
