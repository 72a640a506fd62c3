"""What an installation of several processes uses: CPU by part, WAL, statements, and what its runs leave behind."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

# What PostgreSQL logs of each statement that a client sends, with `log_statement = all`.
STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): (\w+)")
KEPT = (
    "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """The meters at one instant: seconds of CPU by part, bytes of WAL, transactions."""

    at: float
    cpu: Mapping[str, float]
    wal_bytes: int
    transactions: int

    def since(self, earlier: Reading) -> Reading:
        cpu = {part: used - earlier.cpu[part] for part, used in self.cpu.items()}
        wal_bytes = self.wal_bytes - earlier.wal_bytes
        return Reading(self.at - earlier.at, cpu, wal_bytes, self.transactions - earlier.transactions)


@dataclass
class Meters:
    """Reads what parts of an installation have used. `parts` are process ids by name; each counts with its children."""

    database: psycopg.Connection[Any]
    parts: dict[str, list[int]] = field(default_factory=dict)

    def read(self) -> Reading:
        cpu = {part: sum(map(cpu_seconds, pids)) for part, pids in self.parts.items()}
        row = self.database.execute(
            "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, xact_commit"
            " FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
        assert row is not None
        return Reading(time.perf_counter(), cpu, *row)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, of its children, and of those of them that have ended."""
    parent = psutil.Process(pid)
    ended = parent.cpu_times()
    total = ended.children_user + ended.children_system
    for one in [parent, *parent.children(recursive=True)]:
        try:
            used = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += used.user + used.system
    return float(total)


def statements(log: Path, offset: int) -> int:
    """How many statements a server logged from this place in its log."""
    with log.open("rb") as file:
        file.seek(offset)
        return len(STATEMENT.findall(file.read().decode(errors="replace")))


def kept(database: psycopg.Connection[Any]) -> dict[str, tuple[int, int]]:
    """Rows and bytes with indexes of each table."""
    sizes = dict(database.execute(KEPT).fetchall())
    return {name: (_count(database, name), size) for name, size in sizes.items()}


def _count(database: psycopg.Connection[Any], table: str) -> int:
    row = database.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    assert row is not None
    return int(row[0])
