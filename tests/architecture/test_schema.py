"""The tables, the migrations and the revision that the server asks for are one."""

from __future__ import annotations

from alembic import autogenerate
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from flowloom.store import schema, tables


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_a_migrated_database_is_as_the_tables_are_declared(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert autogenerate.compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_migrating_again_does_nothing(database_url: str) -> None:
    assert schema.check(database_url) == []
    assert schema.upgrade(database_url) is False
