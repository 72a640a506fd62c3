"""A release rolls out: a server of this one works on while the database goes to the next revision, and back again."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect
from tests import remote as remotes
from tests.conftest import new_postgres
from tests.crash.test_crash import Scene, draw, settled

from flowloom.store import migrating, schema

pytestmark = pytest.mark.crash

SUCCESS = 2
NEXT = f"{int(schema.HEAD) + 1:04}"
# What a next release may need: it adds to tables that runs are written to.
MIGRATION = f'''
import sqlalchemy as sa
from flowloom.store import online

revision, down_revision = "{NEXT}", "{schema.HEAD}"
METADATA = sa.MetaData()
RUNS = sa.Table("flow_runs", METADATA, sa.Column("id", sa.BigInteger), sa.Column("region", sa.Text))
sa.Index("ix_flow_runs_region", RUNS.c.region, RUNS.c.id)
REGIONS = sa.Table("regions", METADATA, sa.Column("id", sa.Integer, primary_key=True))


def upgrade():
    online.add_column("flow_runs", sa.Column("region", sa.Text, nullable=False, server_default="here"))
    online.add_column("payloads", sa.Column("checksum", sa.Text))
    online.add_index(RUNS, "ix_flow_runs_region")
    online.add_tables([REGIONS])


def downgrade():
    online.drop_tables([REGIONS])
    online.drop_index("flow_runs", "ix_flow_runs_region")
    online.drop_column("payloads", "checksum")
    online.drop_column("flow_runs", "region")
'''


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    directory = tmp_path / "next"
    shutil.copytree(schema.MIGRATIONS / "versions", directory / "versions")
    (directory / "versions" / f"{NEXT}_next.py").write_text(MIGRATION)
    return directory


@pytest.fixture
async def scene(database_url: str, postgres_server: str, tmp_path: Path):
    url = database_url if database_url.startswith("sqlite") else new_postgres(postgres_server)
    async with remotes.serving() as remote:
        made = Scene(url, tmp_path, remote)
        await draw(made)
        yield made


def columns(url: str) -> set[str]:
    engine = create_engine(url)
    found = {column["name"] for column in inspect(engine).get_columns("flow_runs")}
    engine.dispose()
    return found


async def test_runs_go_on_while_the_schema_goes_forth_and_back(scene: Scene, next_release: Path):
    url = scene.database_url
    async with scene.serving() as server:
        is_over = asyncio.Event()

        async def shoot() -> None:
            while not is_over.is_set():
                await scene.shoot(server, 16, at_once=4)

        shooting = asyncio.create_task(shoot())
        await scene.remote.until(8)
        await asyncio.to_thread(migrating.up, url, NEXT, next_release)
        assert (await asyncio.to_thread(schema.look, url), "region" in columns(url)) == ((NEXT, []), True)
        # An old process may start once more on the newer schema, and is ready on it.
        async with server.session.get(f"{server.base}/readyz") as answer:
            assert answer.status == 200, await answer.text()
        await scene.remote.until(len(scene.remote.seen) + 8)
        await asyncio.to_thread(migrating.down, url, "-1", next_release)
        assert "region" not in columns(url)
        is_over.set()
        await shooting
        runs = {run["id"]: run["status"] for run in await settled(server)}
        await server.alive()
    assert runs == dict.fromkeys(scene.acknowledged, SUCCESS)
    assert len(runs) == scene.sent
    for path in ("/first", "/second"):
        sent = sorted(body["n"] for body in scene.remote.bodies(path) if body is not None)
        assert sent == sorted(scene.acknowledged.values())


async def test_an_old_process_starts_on_the_newer_schema(scene: Scene, next_release: Path):
    await asyncio.to_thread(migrating.up, scene.database_url, NEXT, next_release)
    async with scene.serving() as server:
        await scene.shoot(server, 8)
        assert {run["status"] for run in await settled(server)} == {SUCCESS}
