"""Migrations beside the work: they only add, one process does them, nobody waits for them, they can be taken back."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from tests.conftest import new_postgres
from tests.store import rows

from flowloom import errors
from flowloom.store import migrating, online, schema
from flowloom.store.database import Database

# The revisions that a database can be taken back from; what was before was not noted down.
STEPS = [f"{number:04}" for number in range(int(schema.HEAD), 2, -1)]
# The next one changes a table, which a transaction can hold on to.
BEFORE_A_COLUMN = "0004"


@pytest.fixture
def url(request: pytest.FixtureRequest, database_url: str, postgres_server: str) -> str:
    """A migrated database of each kind, of which the test may change the schema."""
    return database_url if database_url.startswith("sqlite") else new_postgres(postgres_server)


@pytest.fixture
def postgresql(postgres_server: str) -> str:
    return new_postgres(postgres_server)


@pytest.fixture
def engine(postgresql: str) -> Iterator[Engine]:
    made = create_engine(postgresql)
    yield made
    made.dispose()


def shape(url: str) -> dict[str, dict[str, Any]]:
    """Columns, by table and name: their type, and whether a row must be given a value."""
    engine = create_engine(url)
    look = inspect(engine)
    found = {
        table: {
            column["name"]: (str(column["type"]), not column["nullable"] and column["default"] is None)
            for column in look.get_columns(table)
        }
        for table in look.get_table_names()
    }
    engine.dispose()
    return found


def rules(url: str) -> dict[str, set[str]]:
    """What a row must keep to besides, by table."""
    engine = create_engine(url)
    look = inspect(engine)
    found = {
        table: {str(rule["column_names"]) for rule in look.get_unique_constraints(table)}
        | {str(rule["sqltext"]) for rule in look.get_check_constraints(table)}
        | {str(rule["constrained_columns"]) for rule in look.get_foreign_keys(table)}
        | {str(index["name"]) for index in look.get_indexes(table) if index["unique"]}
        for table in look.get_table_names()
    }
    engine.dispose()
    return found


def back_to_the_first_step(url: str) -> None:
    for _ in STEPS:
        migrating.down(url, "-1")


def test_code_of_the_release_before_works_on_each_revision(url: str):
    back_to_the_first_step(url)
    for step in reversed(STEPS):
        before, kept_to = shape(url), rules(url)
        migrating.up(url, step)
        after, keeps_to = shape(url), rules(url)
        for table, columns in before.items():
            assert columns.items() <= after[table].items(), step
            new = after[table].keys() - columns.keys()
            assert not [name for name in new if after[table][name][1]], "old code gives it no value"
            assert keeps_to[table] <= kept_to[table], "old code does not keep to it"
    assert schema.check(url) == []


def test_an_upgrade_is_made_of_what_can_be_done_beside_the_work():
    for step in STEPS:
        path = next((schema.MIGRATIONS / "versions").glob(f"{step}_*.py"))
        [upgrade] = [
            node for node in ast.parse(path.read_text()).body if getattr(node, "name", "") == "upgrade"
        ]
        called = {ast.unparse(node.func) for node in ast.walk(upgrade) if isinstance(node, ast.Call)}
        # An index may go as soon as another one does its work; `str` is of its name.
        allowed = {"online.add_column", "online.add_index", "online.add_tables", "online.drop_index", "str"}
        assert {name for name in called if not name.startswith(("sa.", "INDEXES."))} <= allowed, path.name


def test_rows_outlive_the_way_back_and_forth(url: str):
    database = Database(url)
    company_id = database.write_now(rows.add_company)
    flow_id = database.write_now(rows.add_flow, company_id)
    database.close()
    back_to_the_first_step(url)
    assert schema.upgrade(url) is True
    database = Database(url)
    assert database.read_now(lambda db: db.scalar(text("SELECT is_set_up FROM companies")))
    assert database.read_now(lambda db: db.scalar(text("SELECT id FROM flows"))) == flow_id
    database.close()


def test_only_one_of_several_processes_migrates(url: str, tmp_path: Path):
    migrating.down(url, "-1")
    command = [sys.executable, "-m", "flowloom", "db", "upgrade", "--json", "--database-url", url]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path) for _ in range(3)]
    did = [json.loads(process.communicate()[0])["changed"] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    # On SQLite the second one waits for the transaction of the first, and finds nothing to do in its own.
    assert did.count(True) == 1 or (url.startswith("sqlite") and any(did))
    assert schema.check(url) == []


def test_going_back_says_what_it_loses(url: str):
    while (found := schema.look(url)[0]) != "0003":
        assert found is not None
        migrating.down(url, "-1")
    older = schema.check(url)
    if schema.HEAD != "0003":
        assert f"at schema 0003, older than {schema.HEAD}" in older[0]
        with pytest.raises(errors.Conflict, match="older than"):
            schema.downgrade(url)


def patched(monkeypatch: pytest.MonkeyPatch, waited: Callable[[], None]) -> None:
    monkeypatch.setattr(migrating.time, "sleep", lambda _seconds: waited())
    monkeypatch.setattr(online, "LOCK_SECONDS", 0.05)


def test_a_long_transaction_holds_up_the_migration_and_nobody_else(
    postgresql: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    migrating.down(postgresql, BEFORE_A_COLUMN)
    waits = threading.Event()
    patched(monkeypatch, waits.set)
    with engine.connect() as long, ThreadPoolExecutor(1) as pool:
        long.execute(text("SELECT count(*) FROM flow_runs"))
        migration = pool.submit(schema.upgrade, postgresql)
        assert waits.wait(30)
        with engine.begin() as other:
            other.execute(text("SET LOCAL lock_timeout = '5s'"))
            other.execute(text("UPDATE flow_runs SET status = 2 WHERE id = 0"))
        assert not migration.done()
        long.rollback()
        assert migration.result(30) is True
    assert schema.check(postgresql) == []


def test_it_gives_up_in_the_end_and_says_why(
    postgresql: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    migrating.down(postgresql, BEFORE_A_COLUMN)
    patched(monkeypatch, lambda: None)
    monkeypatch.setattr(migrating, "TRIES", 2)
    with engine.connect() as long:
        long.execute(text("SELECT count(*) FROM flow_runs"))
        with pytest.raises(errors.Busy, match="a transaction holds on to a table"):
            schema.upgrade(postgresql)
    assert schema.upgrade(postgresql) is True


def test_an_index_whose_building_was_cut_short_is_built_anew(postgresql: str, engine: Engine):
    migrating.down(postgresql, "0002")
    with engine.begin() as connection:
        connection.execute(text("CREATE INDEX ix_flow_runs_failed ON flow_runs (id)"))
        broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_flow_runs_failed'::regclass"
        connection.execute(text(broken))
    assert schema.upgrade(postgresql) is True
    found = next(i for i in inspect(engine).get_indexes("flow_runs") if i["name"] == "ix_flow_runs_failed")
    assert found["column_names"] == ["company_id", "id"]


def test_one_that_is_newer_by_one_is_worked_on_and_by_two_is_not(database_url: str):
    engine = create_engine(database_url)

    def at(number: int) -> list[str]:
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{number:04}'"))
        return schema.check(database_url)

    try:
        assert at(int(schema.HEAD) + 1) == []
        assert schema.upgrade(database_url) is False
        assert "too new for this version" in at(int(schema.HEAD) + 2)[0]
        with pytest.raises(errors.Conflict, match="another Flowloom"):
            schema.upgrade(database_url)
    finally:
        at(int(schema.HEAD))
        engine.dispose()


def test_what_loses_data_is_taken_back_by_force_alone(
    database_url: str, monkeypatch: pytest.MonkeyPatch, postgres_server: str
):
    url = database_url if database_url.startswith("sqlite") else new_postgres(postgres_server)
    while (found := schema.look(url)[0]) != "0003":
        assert found is not None
        migrating.down(url, "-1")
    monkeypatch.setattr(schema, "HEAD", "0003")
    with pytest.raises(errors.Conflict, match=r"loses whether a company is set up.*--force"):
        schema.downgrade(url)
    assert schema.downgrade(url, force=True) == "0002"
    monkeypatch.setattr(schema, "HEAD", "0002")
    with pytest.raises(errors.Conflict, match="go back to a copy"):
        schema.downgrade(url, force=True)
    migrating.up(url)
