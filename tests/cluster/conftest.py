"""A fleet for the tests of this directory: two API processes, two workers and a scheduler, three NATS servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests import postgres
from tests import remote as remotes
from tests.cluster import fleet, nats_servers, stage

ROLES = ("serve", "serve", "worker", "worker", "scheduler")


@pytest.fixture(scope="session")
async def cluster_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[stage.Stage]:
    directory: Path = tmp_path_factory.mktemp("cluster")
    with postgres.cluster() as database, nats_servers.servers(directory, 3) as nodes:
        postgres.create(database, "flow")
        url = database.url.format(database="flow")
        for node in nodes:
            await node.ready()
        nats_url = ",".join(node.url for node in nodes)
        async with fleet.assembled(directory, url, nats_url) as made, remotes.serving() as remote:
            for role in ROLES:
                await made.add(role)
            for member in made.members:
                await made.is_ready(member)
            await made.sign_in()
            ready = stage.Stage(made, database, url, nodes, remote)
            await ready.prepare()
            yield ready


@pytest.fixture
async def acting(cluster_stage: stage.Stage) -> AsyncIterator[stage.Stage]:
    """The stage with everything in its place, before and after."""
    yield cluster_stage
    await cluster_stage.set_right()
