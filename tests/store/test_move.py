"""Moving an installation to another database: everything, once, also when the move is killed, and back again."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text
from tests import remote as remotes
from tests import s3, world
from tests.conftest import new_postgres

from flowloom import errors
from flowloom.settings import Settings
from flowloom.store import blobs, bodies, copying, move, secrets, tables, tallies
from flowloom.store.database import Database
from flowloom.store.lease import Lease

NOISE = random.Random(11).randbytes(100_000).hex()
VAULT = secrets.Vault(secrets.MasterKey.from_text("a secret key for the tests"))
ASKED = ("/flows", "/flow-runs", "/flows/1/versions", "/flows/1/version-metrics", "/dead-letters", "/connections",
         "/flow-runs/1/flow-run-logs", "/payload-metadata", "/users")  # fmt: skip


@pytest.fixture
def target(postgres_server: str) -> str:
    return new_postgres(postgres_server)


@pytest.fixture
async def source(sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite installation with some of everything that runs leave, also large, failed and waiting."""
    (tmp_path / "old").mkdir()
    url = f"sqlite+pysqlite:///{tmp_path / 'old/flowloom.db'}"
    shutil.copy(sqlite_template, tmp_path / "old/flowloom.db")
    async with remotes.serving() as remote, world.open_world(url, tmp_path / "old") as opened:
        flow = await opened.flow(remote.send("/"))
        auth = {"type": "bearer", "token": "shh"}
        connection = {"name": "Shop", "base_url": "https://shop.test", "allowed_hosts": ["shop.test"]}
        await opened.post("/connections", json={**connection, "auth": auth})
        for number in range(12):
            await flow.run({"n": number, "text": "é\u2028 ok"})
        await flow.run({"noise": NOISE})
        remote.answers(400)
        await flow.run({"fails": NOISE})
        await opened.server.loops.rollup.tick(opened.clock.now)
        await flow.start({"waits": True})
        gone = await opened.post("/flows", json={"name": "Gone"})
        await opened.delete(f"/flows/{gone.data['id']}")
    return url


async def answers(url: str, directory: Path, **settings: Any) -> list[Any]:
    """What the API says of an installation."""
    loaded = Settings(
        data_dir=directory, database_url=url, secret_key="a secret key for the tests", **settings
    )
    opened = world.over(loaded)
    async with opened.server.app.router.lifespan_context(opened.server.app):
        return [(await opened.get(path)).json() for path in ASKED]


def moved(source: str, target: str, **options: Any) -> move.Moved:
    return move.move(source, target, options.pop("places", None), VAULT, **options)


async def test_everything_is_there_and_ids_go_on(source: str, target: str, tmp_path: Path):
    before = await answers(source, tmp_path / "old")
    done = moved(source, target)
    assert done.tables["flow_runs"].rows == 15
    assert await answers(target, tmp_path / "old") == before
    engine = create_engine(target)
    assert not inspect(engine).has_table(copying.NOTES.name)
    with engine.begin() as connection:
        # A flow was deleted: its id never comes again.
        given = connection.scalar(text("SELECT nextval(pg_get_serial_sequence('flows', 'id'))"))
        assert given == 3
        assert connection.scalar(text("SELECT nextval('flow_run_ids')")) == 1001
    engine.dispose()


async def test_there_and_back_is_the_same(source: str, target: str, tmp_path: Path):
    before = await answers(source, tmp_path / "old")
    there = moved(source, target)
    back = f"sqlite+pysqlite:///{tmp_path}/back.db"
    assert moved(target, back).tables == there.tables
    assert await answers(back, tmp_path / "old") == before
    engine = create_engine(back)
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = 'flows'")) >= 2
    engine.dispose()


KILLED = """
import os, signal, sys
from flowloom.store import copying, move, secrets
copying.BATCH = 3
left = int(sys.argv[3])
def reach(point):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
vault = secrets.Vault(secrets.MasterKey.from_text("a secret key for the tests"))
move.move(sys.argv[1], sys.argv[2], None, vault, reach)
"""


@pytest.mark.crash
async def test_a_move_that_is_killed_goes_on(
    source: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before = await answers(source, tmp_path / "old")
    chance = random.Random(os.environ.get("FLOWLOOM_MOVE_SEED", "7"))
    for _ in range(3):
        after = str(chance.randint(1, 6))
        ran = subprocess.run([sys.executable, "-c", KILLED, source, target, after], check=False)
        assert ran.returncode == -signal.SIGKILL
    monkeypatch.setattr(copying, "BATCH", 3)
    batches: list[str] = []
    moved(source, target, told=batches.append)
    assert await answers(target, tmp_path / "old") == before


async def test_what_is_refused(source: str, target: str, tmp_path: Path):
    opened = Database(source)
    with Lease(opened), pytest.raises(errors.Conflict, match="Another Flowloom server"):
        moved(source, target)
    opened.close()
    with pytest.raises(errors.Invalid, match="name another one"):
        moved(source, source)
    with pytest.raises(errors.Conflict, match="There is no database"):
        moved(f"sqlite+pysqlite:///{tmp_path}/none.db", target)
    other = secrets.Vault(secrets.MasterKey.from_text("not the key of the installation"))
    with pytest.raises(errors.Invalid, match="bring back FLOWLOOM_SECRET_KEY"):
        move.move(source, target, None, other)
    moved(source, target)
    with pytest.raises(errors.Conflict, match="The target holds rows in companies"):
        moved(source, target)


async def test_a_source_that_changed_in_the_middle_is_noticed(source: str, target: str):
    class Enough(Exception):
        pass

    def stop(_point: str) -> None:
        raise Enough

    old_batch, copying.BATCH = copying.BATCH, 1
    try:
        with pytest.raises(Enough):
            moved(source, target, told=stop)
    finally:
        copying.BATCH = old_batch
    engine = create_engine(source)
    with engine.begin() as connection:
        connection.execute(text("UPDATE companies SET name = 'Changed'"))
    engine.dispose()
    with pytest.raises(errors.Conflict, match=r"differs from the source in companies \(2 and 2 rows\)"):
        moved(source, target)


async def test_large_bodies_go_along_where_they_are_to(
    source: str, target: str, tmp_path: Path, s3_server: s3.S3
):
    before = await answers(source, tmp_path / "old")
    here = blobs.open_blobs(None, tmp_path / "old", world.Clock())
    there = blobs.open_blobs(s3_server.url(), tmp_path, world.Clock())
    done = moved(source, target, places=(here, there))
    assert (done.bodies, done.missing, len(s3_server.objects())) == (4, [], 4)
    shutil.rmtree(tmp_path / "old/blobs")
    (tmp_path / "new").mkdir()
    assert await answers(target, tmp_path / "new", blob_url=s3_server.url()) == before
    engine = create_engine(target)
    assert bodies.missing(engine, there) == []
    assert len(bodies.missing(engine, here)) == 4
    engine.dispose()


def test_a_tally_knows_rows_and_not_their_order():
    rows = [(1, "a", b"x", None, True), (2, "é", b"", 1.5, False)]
    assert tallies.of_rows(rows) == tallies.of_rows(reversed(rows))
    assert tallies.of_rows(rows) != tallies.of_rows(rows[:1])
    assert tallies.of_rows([(1, 2)]) != tallies.of_rows([(2, 1)])
    assert {table.name for table in tables.metadata.sorted_tables} >= {"flow_runs", "payloads"}
