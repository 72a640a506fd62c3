"""What ids were given out: a database that is moved goes on behind them, so that no id ever comes again."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, Table, func, inspect, select, text

from flowloom.store import tables


def take_over(source: Engine, target: Engine) -> None:
    """Let the target give out ids behind the last ones of the source."""
    with source.connect() as connection:
        given = {table.name: _given(connection, table) for table in _counted()}
        last_run = connection.scalar(select(func.max(tables.runs.c.id))) or 0
    with target.begin() as connection:
        for name, last in given.items():
            if last:
                _go_behind(connection, name, last)
        if connection.dialect.name != "sqlite":
            _go_behind_run(connection, last_run)


def _counted() -> list[Table]:
    """The tables whose ids the database gives."""
    return [table for table in tables.metadata.sorted_tables if table.autoincrement_column is not None]


def _given(connection: Connection, table: Table) -> int:
    """The last id that was given, to a row that may be gone."""
    newest = connection.scalar(select(func.max(table.c.id))) or 0
    if connection.dialect.name == "sqlite":
        if not inspect(connection).has_table("sqlite_sequence"):
            return int(newest)
        asked = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return max(newest, connection.scalar(asked, {"name": table.name}) or 0)
    asked = text("SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence(:name, 'id') AS regclass))")
    return max(newest, connection.scalar(asked, {"name": table.name}) or 0)


def _go_behind(connection: Connection, name: str, last: int) -> None:
    if connection.dialect.name != "sqlite":
        moved = text("SELECT setval(CAST(pg_get_serial_sequence(:name, 'id') AS regclass), :last)")
        connection.execute(moved, {"name": name, "last": last})
        return
    # A table that never gives an id twice has its row here once it has given one.
    moved = text("UPDATE sqlite_sequence SET seq = max(seq, :last) WHERE name = :name")
    if not connection.execute(moved, {"name": name, "last": last}).rowcount:
        connection.execute(
            text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"),
            {"name": name, "last": last},
        )


def _go_behind_run(connection: Connection, last_run: int) -> None:
    """Ids of runs are given in blocks, which begin at 1."""
    if last_run:
        block = (last_run - 1) // tables.RUN_ID_BLOCK * tables.RUN_ID_BLOCK + 1
        connection.execute(text("SELECT setval('flow_run_ids', :block)"), {"block": block})
