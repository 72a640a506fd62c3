"""The floor of firing: bare SQL and cronsim that insert a run for each due schedule, 500 a transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cronsim import CronSim

BATCH = 500
TABLES = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE schedules (id INTEGER PRIMARY KEY, cron TEXT, next_at INTEGER);
CREATE INDEX due ON schedules (next_at);
CREATE TABLE runs (id INTEGER PRIMARY KEY, schedule_id INTEGER, fire_at INTEGER, status INTEGER,
    UNIQUE (schedule_id, fire_at));
"""
DUE = "SELECT id, cron FROM schedules WHERE next_at <= ? ORDER BY next_at, id LIMIT ?"


def lateness_seconds(directory: Path, count: int) -> Sequence[float]:
    """How long after the first moment each run was committed."""
    database = sqlite3.connect(directory / "floor.db", isolation_level=None)
    database.executescript(TABLES)
    at = int(time.time()) // 60 * 60
    database.execute("BEGIN")
    database.executemany(
        "INSERT INTO schedules VALUES (?, '* * * * *', ?)", ((id, at) for id in range(count))
    )
    database.execute("COMMIT")
    began, late = time.perf_counter(), list[float]()
    while rows := database.execute(DUE, (at, BATCH)).fetchall():
        database.execute("BEGIN IMMEDIATE")
        for id, cron in rows:
            following = next(CronSim(cron, datetime.fromtimestamp(at, UTC)))
            database.execute("INSERT INTO runs (schedule_id, fire_at, status) VALUES (?, ?, 0)", (id, at))
            database.execute(
                "UPDATE schedules SET next_at = ? WHERE id = ?", (int(following.timestamp()), id)
            )
        database.execute("COMMIT")
        late += [time.perf_counter() - began] * len(rows)
    database.close()
    return late
