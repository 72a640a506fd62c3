"""Fixtures: a server per test, on SQLite in a file of its own and on a PostgreSQL emptied before each test."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from tests import certificates, databases, mariadb, postgres, s3, world

from flowloom.store import schema


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    schema.upgrade(f"sqlite+pysqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as url:
        yield url


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of the servers that speak TLS."""
    return certificates.write(tmp_path_factory.mktemp("tls") / "loopback.pem")


@pytest.fixture(scope="session")
def postgres_port() -> Iterator[int]:
    """A PostgreSQL as connectors reach one: over TCP, with a password."""
    port = mariadb.free_port()
    with postgres.server(port) as url:
        databases.prepare_postgres(url)
        yield port


@pytest.fixture(scope="session")
def mariadb_port(certificate: Path) -> Iterator[int]:
    with mariadb.server(certificate) as port:
        yield port


@pytest.fixture
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.S3]:
    """An S3 server of its own, to be stopped and started again."""
    with s3.server(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(scope="session")
def postgres_url(postgres_server: str) -> str:
    """A migrated database, emptied before each test that uses it."""
    return new_postgres(postgres_server)


def new_postgres(server: str) -> str:
    """The URL of a fresh migrated database."""
    name = f"flowloom_{uuid.uuid4().hex}"
    engine = create_engine(server.format(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    url = server.format(database=name)
    schema.upgrade(url)
    return url


def empty(url: str) -> None:
    """Remove every row and count ids from 1 again."""
    from flowloom.store import tables

    engine = create_engine(url)
    names = ", ".join(table.name for table in tables.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated, empty database of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "flowloom.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite+pysqlite:///{path}"
    url: str = request.getfixturevalue("postgres_url")
    empty(url)
    return url


@pytest.fixture
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[world.World]:
    """A server with a set clock over each kind of database."""
    async with world.open_world(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def sqlite_server(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[world.World]:
    """The same over SQLite only, for what does not depend on the kind of database."""
    shutil.copy(sqlite_template, tmp_path / "flowloom.db")
    async with world.open_world(f"sqlite+pysqlite:///{tmp_path / 'flowloom.db'}", tmp_path) as opened:
        yield opened
