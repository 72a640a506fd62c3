"""Backups as the docs say: the database first, bodies afterwards; restored, all is there and unfinished runs go on."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from tests import postgres, world
from tests import remote as remotes

from flowloom import bootstrap
from flowloom.settings import Settings
from flowloom.store import blobs, bodies, schema

SUCCESS = 2


def noise() -> dict[str, str]:
    return {"noise": random.randbytes(100_000).hex()}


def dump(url: str, to: Path) -> None:
    """A copy of the database, while a server works on it."""
    if url.startswith("sqlite"):
        with sqlite3.connect(make_url(url).database or "") as source, sqlite3.connect(to) as copy:
            source.backup(copy)
        return
    postgres.run("pg_dump", "--format=custom", f"--file={to}", _plain(url))


def restore(copy: Path, url: str, to: Path) -> str:
    """A database of that copy; its URL."""
    if url.startswith("sqlite"):
        shutil.copy(copy, to)
        return f"sqlite+pysqlite:///{to}"
    name = f"restored_{random.randbytes(4).hex()}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    restored = make_url(url).set(database=name).render_as_string(hide_password=False)
    postgres.run("pg_restore", "--no-owner", f"--dbname={_plain(restored)}", str(copy))
    return restored


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def missing(url: str, directory: Path) -> list[str]:
    engine = create_engine(url)
    found = bodies.missing(engine, blobs.open_blobs(None, directory, bootstrap.utc_now))
    engine.dispose()
    return found


def opened_over(url: str, directory: Path) -> world.World:
    allowed: Any = ("127.0.0.1",)
    return world.over(
        Settings(
            data_dir=directory,
            database_url=url,
            secret_key="a secret key for the tests",
            outbound_allow=allowed,
        )
    )


async def test_a_backup_beside_the_work_is_whole(database_url: str, tmp_path: Path):
    (tmp_path / "live").mkdir()
    (tmp_path / "new").mkdir()
    async with remotes.serving() as remote:
        async with world.open_world(database_url, tmp_path / "live") as server:
            flow = await server.flow(remote.send("/"))
            await flow.run(noise())
            unfinished = await flow.start(noise())
            dump(database_url, tmp_path / "copy")
            # Work goes on before the bodies are copied.
            later = (await flow.run(noise()))["id"]
            shutil.copytree(tmp_path / "live/blobs", tmp_path / "new/blobs")
        url = restore(tmp_path / "copy", database_url, tmp_path / "new/flowloom.db")
        assert (schema.check(url), missing(url, tmp_path / "new")) == ([], [])
        sent = len(remote.seen)
        restored = opened_over(url, tmp_path / "new")
        async with restored.server.app.router.lifespan_context(restored.server.app):
            await restored.work()
            runs = {run["id"]: run["status"] for run in (await restored.get("/flow-runs")).data}
        assert later not in runs
        assert runs[unfinished] == SUCCESS
        # The call was made after the backup; now it is made again, under the same key.
        assert len(remote.seen) == sent + 1
        assert remote.keys("/")[-1] in remote.keys("/")[:sent]


async def test_bodies_that_are_copied_first_may_lack_some(database_url: str, tmp_path: Path):
    (tmp_path / "live").mkdir()
    async with remotes.serving() as remote, world.open_world(database_url, tmp_path / "live") as server:
        flow = await server.flow(remote.send("/"))
        await flow.run(noise())
        shutil.copytree(tmp_path / "live/blobs", tmp_path / "new/blobs")
        await flow.run(noise())
        dump(database_url, tmp_path / "copy")
    url = restore(tmp_path / "copy", database_url, tmp_path / "new/flowloom.db")
    assert len(missing(url, tmp_path / "new")) == 2


@pytest.mark.parametrize("program", ["pg_dump", "pg_restore"])
def test_the_programs_are_those_of_the_server(program: str):
    ran = subprocess.run([postgres.program(program), "--version"], capture_output=True, check=True)
    assert b"PostgreSQL" in ran.stdout
