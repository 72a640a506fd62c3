"""What a step is called in sentences about runs: by its name in the definition that the run is pinned to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from flowloom import errors
from flowloom.store import definitions, tables

RUNS = tables.runs.c


class Names:
    """The names of the steps of runs; each run's definition is read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, dict[str, str]] = {}

    def of(self, row: Row[Any], key: str) -> str:
        """The step of a run in quotation marks."""
        return self._name(row.content_hash, key)

    def of_run(self, run_id: int, key: str) -> str:
        """The same of a run that is named by its id; its key alone where that run is gone."""
        content_hash = self._connection.scalar(select(RUNS.content_hash).where(RUNS.id == run_id))
        return key if content_hash is None else self._name(content_hash, key)

    def _name(self, content_hash: str, key: str) -> str:
        if content_hash not in self._known:
            self._known[content_hash] = _read(self._connection, content_hash)
        name = self._known[content_hash].get(key)
        return key if name is None else f'"{name}"'


def _read(connection: Connection, content_hash: str) -> dict[str, str]:
    try:
        return {step.key: step.name for step in definitions.load(connection, content_hash).steps}
    except errors.Missing:
        return {}
