"""Schema 0005: a run's trace context comes and goes with a column that old processes do not know of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect
from tests.conftest import new_postgres

from flowloom.store import schema


@pytest.fixture(params=["sqlite", "postgresql"])
def own_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database that no other test uses."""
    if request.param == "postgresql":
        return new_postgres(request.getfixturevalue("postgres_server"))
    shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "flowloom.db")
    return f"sqlite+pysqlite:///{tmp_path / 'flowloom.db'}"


def test_it_can_be_taken_back_and_done_again(own_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["url"] = own_url
    command.downgrade(config, "0004")
    assert not _has_column(own_url)
    assert schema.upgrade(own_url) is True
    assert (_has_column(own_url), schema.check(own_url)) == (True, [])


def _has_column(url: str) -> bool:
    engine = create_engine(url)
    try:
        return "trace_context" in {column["name"] for column in inspect(engine).get_columns("flow_runs")}
    finally:
        engine.dispose()
