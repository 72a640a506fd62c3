"""What a table holds, as a count and a hash that do not depend on the database or on the order of the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Engine, select

from flowloom.store import copying, tables

AT_ONCE: Final = 1000
_MODULUS: Final = 1 << 256


@dataclass(frozen=True, slots=True)
class Tally:
    """`digest` is the sum of the hashes of the rows."""

    rows: int
    digest: str


def of_all(engine: Engine) -> dict[str, Tally]:
    """Of every table, by its name."""
    found = {}
    with engine.connect().execution_options(stream_results=True, max_row_buffer=AT_ONCE) as connection:
        for table in tables.metadata.sorted_tables:
            found[table.name] = of_rows(connection.execute(select(copying.plain(table))))
    return found


def of_rows(rows: Iterable[Any]) -> Tally:
    count, total = 0, 0
    for row in rows:
        count += 1
        total += int.from_bytes(hashlib.sha256(msgspec.json.encode(tuple(row))).digest())
    return Tally(count, f"{total % _MODULUS:064x}")
