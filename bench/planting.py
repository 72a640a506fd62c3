"""A history as years of running leave it, planted by a few statements: companies, flows, versions, schedules, runs over
sixty days with their statuses and triggers, payloads of the last week, logs, dead letters, metrics folded.

The statements are the same on PostgreSQL and SQLite. Half of the runs are of one busy flow; every version had its time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, Index, create_engine, text

from flowloom.store import columns, schema, tables

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAYS, FLOWS, FLOWS_OF_SECOND = 60, 200, 10
# At the end of the history: what still waits, and what is worked on.
QUEUED, STARTED = 1_000, 64
BUSY = 1
# A schedule that fires so often that its runs fill a page in a small history too.
FREQUENT = 5
SUMMARY = json.dumps(
    {
        "steps": [
            {"key": f"step-{number}", "name": f"Step {number}", "received": 1, "sent": 1, "duration_ms": 0.41}
            for number in range(4)
        ]
    }
)


@dataclass(frozen=True, slots=True)
class Size:
    """How many of each there are; `versions` of all flows together."""

    runs: int
    versions: int
    schedules: int

    @property
    def versions_each(self) -> int:
        return self.versions // FLOWS

    @property
    def step(self) -> int:
        """Microseconds from one run to the next."""
        return timedelta(days=DAYS) // columns.MICROSECOND // self.runs

    def id_at(self, before: timedelta) -> int:
        """The first run that is not older."""
        return self.runs - int(before / columns.MICROSECOND / self.step) + 1


def plant(url: str, size: Size) -> None:
    """Migrate an empty database and fill it."""
    schema.upgrade(url)
    engine = create_engine(url)
    with engine.begin() as db:
        _define(db, size)
    found = (index for table in _FULL for index in table.indexes if not index.unique)
    indexes = sorted(found, key=lambda index: str(index.name))
    with engine.begin() as db:
        _drop(db, indexes)
        for statement in (_RUNS, _PAYLOADS, _LOGS, _LETTERS, *_METRICS):
            db.execute(text(_on(db, statement)), _values(db, statement, size))
        for index in indexes:
            index.create(db)
    _settle(engine)


_FULL = (tables.runs, tables.payloads, tables.run_logs, tables.dead_letters, tables.metrics)


def _drop(db: Connection, indexes: list[Index]) -> None:
    """Indexes are made faster from what is there than with each row."""
    for index in indexes:
        index.drop(db)


def _settle(engine: Engine) -> None:
    """Let PostgreSQL know what it has, as it does by itself after a while; SQLite is never asked to."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.execute(text("VACUUM (ANALYZE)"))
    engine.dispose()


def _define(db: Connection, size: Size) -> None:
    for statement in (_COMPANIES, _FLOWS, _DEFINITION, _VERSIONS, _SCHEDULES):
        db.execute(text(_on(db, statement)), _values(db, statement, size))
    if db.dialect.name == "postgresql":
        for name in ("companies", "flows", "flow_versions", "schedules"):
            db.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))")
            )
        db.execute(text("SELECT setval('flow_run_ids', :next)"), {"next": size.runs + 1})


def _on(db: Connection, statement: str) -> str:
    """`{numbers:count}` becomes the whole numbers from 1 to the parameter `count`, as `n(i)`."""
    made = statement
    for name in ("companies", "flows", "versions", "schedules", "runs"):
        series = f"generate_series(1, CAST(:{name} AS bigint)) AS n(i)"
        if db.dialect.name == "sqlite":
            series = (
                f"(WITH RECURSIVE m(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM m WHERE i < :{name}) SELECT i FROM m)"
                " AS n"
            )
        made = made.replace(f"{{{name}}}", series)
    return made


def _values(db: Connection, statement: str, size: Size) -> dict[str, object]:
    now = columns.to_micros(NOW)
    known = {
        "companies": 2,
        "flows": FLOWS,
        "second": FLOWS - FLOWS_OF_SECOND,
        "versions": size.versions,
        "each": size.versions_each,
        "schedules": size.schedules,
        "runs": size.runs,
        "step": size.step,
        "now": now,
        "begin": now - size.runs * size.step,
        "started": size.runs - QUEUED - STARTED,
        "queued": size.runs - QUEUED,
        "week": size.id_at(timedelta(days=7)),
        "first_days": size.runs // DAYS * 2,
        "day": now - timedelta(days=1) // columns.MICROSECOND,
        "summary": SUMMARY,
        "hash": "0" * 64,
        "empty": b"{}",
        "body": b'{"order":1024,"lines":[{"sku":"SKU-1","quantity":2}]}' * 2,
    }
    named = _on(db, statement)
    return {name: value for name, value in known.items() if f":{name}" in named}


_COMPANIES = """
INSERT INTO companies (name, created_at, updated_at) SELECT 'Company ' || i, :begin, :begin FROM {companies}"""
_FLOWS = """
INSERT INTO flows (company_id, name, description, is_enabled, priority, labels, last_iteration, created_at, updated_at)
SELECT CASE WHEN i > :second THEN 2 ELSE 1 END, 'Flow ' || i, '', true, 3, '[]', :each, :begin, :begin FROM {flows}"""
_DEFINITION = "INSERT INTO definitions (content_hash, body) VALUES (:hash, :empty)"
_VERSIONS = """
INSERT INTO flow_versions (flow_id, iteration, status, revision, content_hash, steps_count, has_callback_step,
 variables, created_at, updated_at, deployed_at)
SELECT 1 + (i - 1) / :each, 1 + (i - 1) % :each, CASE WHEN i % :each = 0 THEN 'Deployed' ELSE 'Inactive' END, 1, :hash,
 4, false, '{{}}', :begin, :begin, :begin FROM {versions}""".replace("{{}}", "{}")
_SCHEDULES = """
INSERT INTO schedules (flow_version_id, cron_string, timezone, overlap, catch_up, jitter_seconds, dst_gap, dst_repeat,
 next_run_at, settled_until, created_at, updated_at)
SELECT (1 + i % :flows) * :each, (i % 60) || ' ' || (i % 24) || ' * * *', 'Europe/Amsterdam', 'queue', 'latest', 0,
 'next', 'first', :now + (1 + i % 1440) * 60000000, :now, :begin, :begin FROM {schedules}"""
_RUNS = """
INSERT INTO flow_runs (id, company_id, flow_id, flow_version_id, iteration, content_hash, trigger, status, priority,
 has_warnings, stop_requested, fence, summary, as_of, queued_at, ready_at, started_at, finished_at, schedule_id,
 fire_at, serial_key, gate, origin_run_id, version_choice, is_awaited, depth)
SELECT i, CASE WHEN flow > :second THEN 2 ELSE 1 END, flow, (flow - 1) * :each + iteration, iteration, :hash,
 CASE WHEN chance < 600 THEN 'Webhook' WHEN chance < 900 THEN 'Schedule' WHEN chance < 990 THEN 'API'
  WHEN chance < 999 THEN 'Manual' ELSE 'Retry' END,
 status, 3, status = 5, false, CASE WHEN i > :queued THEN 0 ELSE 1 END, CASE WHEN status > 1 THEN :summary END, at, at,
 at, CASE WHEN status > 0 THEN at + 3000 END, CASE WHEN status > 1 THEN at + 9000 + i % 7000 END,
 CASE WHEN chance BETWEEN 600 AND 649 THEN FREQUENT WHEN chance BETWEEN 650 AND 899 THEN 1 + i * 31 % :schedules END,
 CASE WHEN chance BETWEEN 600 AND 899 THEN at END, NULL, 0, i, 'deployed', false, 0
FROM (SELECT i, CASE WHEN i % 2 = 0 THEN 1 ELSE 1 + i / 2 * 7919 % :flows END AS flow,
  1 + (i - 1) * :each / :runs AS iteration, i * 104729 % 1000 AS chance, :begin + i * :step AS at,
  CASE WHEN i > :queued THEN 0 WHEN i > :started THEN 1 WHEN i * 7919 % 1000 < 10 THEN 3
   WHEN i * 7919 % 1000 < 15 THEN 4 WHEN i * 7919 % 1000 < 25 THEN 5 ELSE 2 END AS status
 FROM {runs}) AS made""".replace("FREQUENT", str(FREQUENT))
_PAYLOADS = """
INSERT INTO payloads (run_id, company_id, step_key, position, kind, content_type, meta, bytes, body, created_at)
SELECT id, company_id, 'trigger', '0', 'start', 'application/json', '{}', 106, :body, queued_at
FROM flow_runs WHERE id >= :week"""
_LOGS = """
INSERT INTO flow_run_logs (run_id, step_key, level, message, created_at)
SELECT id, 'step-1', 'info', 'Received 1 payload', queued_at FROM flow_runs
WHERE id <= :first_days OR id % 10 = 0"""
_LETTERS = """
INSERT INTO dead_letters (company_id, flow_id, flow_version_id, iteration, run_id, step_key, step_name, position,
 error_class, message, is_caught, content_type, meta, variables, bytes, state, created_at)
SELECT company_id, flow_id, flow_version_id, iteration, id, 'step-3', 'Send', '0', 'rejected',
 'The system answered 422', false, 'application/json', '{}', '{}', 106,
 CASE WHEN id >= :week THEN 'open' ELSE 'resolved' END, finished_at FROM flow_runs WHERE status = 3"""
_COUNTED = """
INSERT INTO metrics (flow_id, interval, starts_at, flow_version_id, type, key, iteration, value)
SELECT flow_id, 'WHICH', starts_at, flow_version_id, kinds.type, kinds.key, iteration, CASE kinds.key
 WHEN 'success' THEN well WHEN 'failure' THEN ill WHEN 'total_us' THEN spent ELSE runs END
FROM (SELECT flow_id, flow_version_id, iteration, finished_at - finished_at % WIDTH AS starts_at, count(*) AS runs,
  sum(CASE WHEN status = 2 THEN 1 ELSE 0 END) AS well, sum(CASE WHEN status = 3 THEN 1 ELSE 0 END) AS ill,
  sum(finished_at - started_at) AS spent
 FROM flow_runs WHERE status > 1 AND finished_at >= SINCE GROUP BY 1, 2, 3, 4) AS counted
CROSS JOIN (SELECT 'runs' AS type, 'started' AS key UNION ALL SELECT 'runs', 'success' UNION ALL SELECT 'runs',
 'failure' UNION ALL SELECT 'duration', 'total_us' UNION ALL SELECT 'duration', 'b116' UNION ALL SELECT 'steps',
 'count') AS kinds"""
_METRICS = [
    _COUNTED.replace("WHICH", which).replace("WIDTH", str(width * 1_000_000)).replace("SINCE", since)
    for which, width, since in (("minute", 60, ":day"), ("hour", 3600, "0"), ("day", 86400, "0"))
]
