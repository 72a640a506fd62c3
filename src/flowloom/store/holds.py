"""Holds: what held a run up before it began, kept in its row as one line of text for each.

A line is written only with what is written anyway: when a run is put aside, when it is let go, and when it is claimed
after all places were taken for a while. A run that waits for nothing has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, case, func

from flowloom.domain import timestamp
from flowloom.store import tables

RUNS = tables.runs.c
# A run that has so much to tell, which went back and forth in a long queue, tells no more.
MAX_CHARACTERS: Final = 2000


class Hold(NamedTuple):
    """`what` is turn, siblings, flow, company or server; of all but a turn `limit` places were taken.

    `until` is None while it goes on. Those of company and server may have begun before the run was ready.
    """

    what: str
    limit: int
    since: datetime
    until: datetime | None


def line(what: str, limit: int, since: datetime, until: datetime | None = None) -> str:
    """A hold as it is kept; without `until` it is left open."""
    written = f"{what} {limit} {timestamp.written(since)}"
    return written if until is None else written + end_of_line(until)


def end_of_line(at: datetime) -> str:
    """What closes an open hold."""
    return f" {timestamp.written(at)}\n"


def added(text: Any) -> ColumnElement[str]:
    """The holds of a run that is not put aside, with more lines; `text` may be a parameter."""
    kept = func.coalesce(RUNS.holds, "")
    return case((func.length(kept) < MAX_CHARACTERS, kept + text), else_=RUNS.holds)


def closed(text: Any) -> ColumnElement[str]:
    """The holds of a run that is put aside no more; `text` is the end of its line."""
    is_open = func.substr(RUNS.holds, func.length(RUNS.holds)) != "\n"
    return case((is_open, RUNS.holds + text), else_=RUNS.holds)


def read(text: str | None) -> Iterator[Hold]:
    """The holds of a run, in the order in which they were written."""
    for written in (text or "").splitlines():
        what, limit, since, *until = written.split()
        yield Hold(
            what,
            int(limit),
            timestamp.parse(since),
            timestamp.parse(until[0]) if until else None,
        )
