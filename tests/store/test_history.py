"""A history that grows: lists of runs are read from the indexes that were made for them, and pruning looks at no more
than there is to prune."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import history, planting, questions
from sqlalchemy import Connection, create_engine, event, func, select
from tests import conftest

from flowloom.runtime import pruner
from flowloom.services import runs
from flowloom.store import blobs, query, tables
from flowloom.store.database import Database

RUNS = tables.runs.c
SIZE = planting.Size(runs=20_000, versions=1_000, schedules=100)
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}
# How a plan says that it reads every run, or sorts them.
DEAR = {"sqlite": ("SCAN flow_runs", "USE TEMP B-TREE"), "postgresql": ("Seq Scan on flow_runs",)}
# Which index each list is read from, and which else may do as well where the rows are few or frequent.
INDEXES = {
    "first page": {"ix_flow_runs_company", "pk_flow_runs"},
    "cursor in the middle": {"ix_flow_runs_company", "pk_flow_runs"},
    "of a quiet flow": {"ix_flow_runs_by_flow"},
    "of a flow, newest started first": {"ix_flow_runs_flow_started", "ix_flow_runs_started"},
    "of a version": {"ix_flow_runs_by_version", "pk_flow_runs"},
    "of a frequent schedule": {"ix_flow_runs_schedule"},
    "that succeeded": {"ix_flow_runs_good", "pk_flow_runs"},
    "that failed": {"ix_flow_runs_bad", "ix_flow_runs_company"},
    "that failed, of a flow": {"ix_flow_runs_flow_bad", "ix_flow_runs_bad"},
    "that failed in one week": {"ix_flow_runs_bad_started", "ix_flow_runs_started"},
    "with warnings": {"ix_flow_runs_warned"},
    "by a rare trigger": {"ix_flow_runs_trigger"},
    "by a rare trigger, of a flow": {"ix_flow_runs_flow_trigger", "ix_flow_runs_trigger"},
    "newest started first": {"ix_flow_runs_started"},
    "of one day a month ago": {"ix_flow_runs_started"},
    "of a flow on one day": {"ix_flow_runs_flow_started", "ix_flow_runs_started"},
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A history of twenty thousand runs."""
    if request.param == "sqlite":
        url = f"sqlite+pysqlite:///{tmp_path_factory.mktemp('history')}/flowloom.db"
    else:
        url = conftest.new_postgres(request.getfixturevalue("postgres_server"))
    planting.plant(url, SIZE)
    database = Database(url)
    yield database
    database.close()


def plans(database: Database, work: Callable[[Connection], Any]) -> list[str]:
    """How the database goes about each statement of this work."""
    engine, asked = create_engine(database.url), []
    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *said: asked.append(said[2:4]))
        work(connection)
        explain = EXPLAIN[engine.dialect.name]
        statements = list(asked)
        found = [
            "\n".join(map(str, connection.exec_driver_sql(explain + sql, values)))
            for sql, values in statements
        ]
    engine.dispose()
    return found


@pytest.mark.parametrize(("name", "indexes"), INDEXES.items())
def test_a_list_is_read_from_its_index(planted: Database, name: str, indexes: set[str]) -> None:
    asked = questions.of(SIZE, is_postgres=not planted.is_sqlite)[f"runs, {name}"]
    read, *_ = plans(planted, asked.work)
    assert set(re.findall(r"(?:ix|pk)_flow_runs\w*", read)) <= indexes, read
    assert not [sign for sign in DEAR[planted.url.get_backend_name()] if sign in read], read


def test_whatever_the_bench_asks_of_a_history_is_answered(planted: Database) -> None:
    for asked in questions.of(SIZE, is_postgres=not planted.is_sqlite).values():
        history.ask(planted, asked)


def test_the_queue_is_read_from_the_index_of_what_goes_on(planted: Database) -> None:
    found = plans(planted, questions.of(SIZE, is_postgres=False)["the queue"].work)
    assert "ix_flow_runs_unfinished" in found[0] or "ix_flow_runs_open" in found[0], found[0]


def test_the_oldest_that_goes_on_is_found_among_what_goes_on(planted: Database) -> None:
    [found] = plans(planted, pruner._oldest_unfinished)
    assert "ix_flow_runs_unfinished" in found or "ix_flow_runs_open" in found, found


def test_a_list_by_time_goes_on_with_its_cursor(planted: Database) -> None:
    """In the order of time, also where many runs began in one moment."""
    since = planting.NOW - timedelta(days=4)
    params = [("filter[started_after]", since.isoformat()), ("per_page", "50")]
    begun = select(RUNS.id).where(RUNS.company_id == 1, RUNS.started_at >= since)
    order = begun.order_by(RUNS.started_at.desc(), RUNS.id.desc())
    expected = planted.read_now(lambda db: list(db.scalars(order)))
    seen, more = page_of_runs(planted, params)
    while more is not None:
        items, more = page_of_runs(planted, [*params, ("cursor", more)])
        seen += items
    assert len(expected) > 100
    assert seen == expected


def page_of_runs(database: Database, params: list[tuple[str, str]]) -> tuple[list[int], str | None]:
    asked = query.parse(runs.LISTING, params)
    found, items = database.read_now(runs.page, questions.ACTOR, asked)
    return [item["id"] for item in items], found.next_cursor


def test_pruning_looks_at_so_many_runs_at_a_time_and_passes_over_none(
    planted: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruner, "LOOKED_AT", 700)
    monkeypatch.setattr(pruner, "BATCH", 90)
    days = pruner.Days(payloads=5, logs=planting.DAYS - 1, minutes=90)
    loop = pruner.Pruner(
        planted, blobs.open_blobs(None, tmp_path, lambda: planting.NOW), days, lambda _: None
    )
    asyncio.run(loop.tick(planting.NOW))

    def left(connection: Connection, column: Any) -> int:
        return int(connection.scalar(select(func.min(column))) or 0)

    def first_since(connection: Connection, age: timedelta) -> int:
        return int(
            connection.scalar(select(func.min(RUNS.id)).where(RUNS.queued_at >= planting.NOW - age)) or 0
        )

    of_payloads = planted.read_now(first_since, timedelta(days=5))
    assert planted.read_now(left, RUNS.id) == planted.read_now(first_since, timedelta(days=planting.DAYS - 1))
    assert planted.read_now(left, tables.payloads.c.run_id) == of_payloads


def test_pruning_after_a_start_passes_over_what_has_nothing_left(planted: Database, tmp_path: Path) -> None:
    """Payloads went long before their runs: no run is looked at for them again."""
    days = pruner.Days(payloads=7, logs=planting.DAYS + 1, minutes=90)
    looked: list[tuple[int, int]] = []
    before = pruner._due

    def due(connection: Connection, kind: Any, own: int | None, seen: int, end: int) -> Any:
        looked.append((seen, end))
        return before(connection, kind, own, seen, end)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pruner, "_due", due)
        asyncio.run(
            pruner.Pruner(
                planted, blobs.open_blobs(None, tmp_path, lambda: planting.NOW), days, lambda _: None
            ).tick(planting.NOW)
        )
    assert looked == []
