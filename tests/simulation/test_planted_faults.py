"""A simulation that finds nothing proves nothing: each fault planted here in the product is found by a few seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, select, update
from tests.simulation import simulation, storage

from flowloom.engine import children, context, effects, executor
from flowloom.runtime import scheduler, sources
from flowloom.store import claims, gates, journal, many, queue, slots, tables

ENOUGH = 400
RUNS = tables.runs.c
Plant = Callable[[pytest.MonkeyPatch], None]


async def _nothing(*_args: Any, **_named: Any) -> None:
    """In place of something that matters."""


def skip_a_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forget(_self: Any, _step: Any, _context: Any, _payload: Any, done: Any, _rows: int) -> Any:
        return list(done.payloads)

    monkeypatch.setattr(effects.Effects, "_checkpoint", forget)


def acknowledge_what_was_not_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    write, answers = journal.write, dict[int, Any]()

    def remember(connection: Connection, ids: queue.RunIds, entries: Sequence[journal.Entry]) -> list[Any]:
        results = write(connection, ids, entries)
        answers.update(zip(map(id, entries), results, strict=True))
        return results

    def fail(_self: journal.Journal, taken: list[journal.Entry], error: Exception) -> None:
        for entry in taken:
            journal._settle(entry.waiter, answers.get(id(entry), error))

    monkeypatch.setattr(journal, "write", remember)
    monkeypatch.setattr(journal.Journal, "_fail", fail)


def end_a_run_that_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    awaited_by = RUNS.parent_run_id.label("awaited_by")
    held = select(RUNS.id, RUNS.fence, awaited_by).where(RUNS.id.in_(bindparam("run_ids", expanding=True)))
    anyway = update(tables.runs).where(RUNS.id == bindparam("run_id")).values(
        status=bindparam("status"), finished_at=bindparam("finished_at"), summary=bindparam("summary")
    )  # fmt: skip
    monkeypatch.setattr(journal, "_HELD", held)
    monkeypatch.setattr(journal, "_END", anyway)


def forget_claims_that_were_not_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LOST_RUNS_EVERY", timedelta(days=365))


def go_on_in_spite_of_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor.Executor, "stop", lambda _self, _run_id: None)


def let_two_of_a_lane_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "TURN_KEYS", ())


def forget_who_waits_for_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "let_go", lambda _connection: None)


def forget_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "crowds", lambda _row: [])


def never_wake_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "resume_due", lambda _connection, _now: 0)


def bury_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects.Effects, "bury", _nothing)


def make_a_new_key_for_each_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    same = context.StepContext.idempotency_key

    def key(self: context.StepContext, content: bytes) -> str:
        return f"{same(self, content)}-{self._active.tally(self._step.key).attempts}"

    monkeypatch.setattr(context.StepContext, "idempotency_key", key)


def count_a_run_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    finish, add_metrics = journal.Journal.finish, journal.add_metrics

    async def counted(self: journal.Journal, end: journal.End, lines: journal.Lines) -> bool:
        await self._db.write_grouped(lambda db: add_metrics(db, [end]))
        return await finish(self, end, lines)

    monkeypatch.setattr(journal.Journal, "finish", counted)
    monkeypatch.setattr(journal, "add_metrics", lambda _connection, _ends: None)


def start_twice_for_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "replayed", lambda *_asked: None)
    monkeypatch.setattr(queue, "_claim_key", lambda _db, _start, run_id: queue.Started(run_id))


def start_a_child_at_each_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    start = children._start

    def keyless(*asked: Any) -> queue.Start:
        made = start(*asked)
        made.idempotency = None
        return made

    monkeypatch.setattr(children, "_start", keyless)


def move_schedules_on_in_another_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each slot is settled before its schedule has moved on: what fails in between is settled again."""
    settle, advance = scheduler.settle_due, slots.advance

    async def tick(self: scheduler.Scheduler, now: Any) -> int:
        steps: list[Any] = []
        monkeypatch.setattr(slots, "advance", lambda _db, moved: steps.extend(moved))
        if not await self._is_due(now):
            return 0
        settled = await self._database.write_grouped(lambda db: settle(db, self._ids, now))
        await self._database.write_grouped(lambda db: advance(db, steps))
        self._signals.wake()
        return settled

    monkeypatch.setattr(scheduler.Scheduler, "tick", tick)


def keep_no_reasons_of_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "record", lambda *_what: None)


def write_checkpoints_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def unless_there(connection: Connection, table: Any, rows: Any, unless: Any = None) -> None:
        insert(connection, table, rows, None if table is tables.payloads else unless)

    insert = many.insert
    monkeypatch.setattr(many, "insert", unless_there)


PLANTS: Sequence[Plant] = (
    skip_a_checkpoint,
    acknowledge_what_was_not_committed,
    end_a_run_that_is_not_ours,
    forget_claims_that_were_not_heard_of,
    go_on_in_spite_of_a_stop,
    let_two_of_a_lane_run,
    forget_who_waits_for_a_turn,
    forget_the_limits,
    never_wake_who_waits,
    bury_nothing,
    make_a_new_key_for_each_attempt,
    count_a_run_before_it_ends,
    start_twice_for_one_key,
    start_a_child_at_each_attempt,
    move_schedules_on_in_another_transaction,
    keep_no_reasons_of_slots,
    write_checkpoints_twice,
)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(plant: Plant, engines: storage.Engines, monkeypatch: pytest.MonkeyPatch):
    plant(monkeypatch)
    assert any(simulation.simulate(seed, engines).breaches for seed in range(ENOUGH))
