"""A run is pinned: whatever becomes of its version, it goes on with the definition it was started with."""

from __future__ import annotations

import pytest
from aiohttp import web
from tests.engine.test_effects import begin, crash, get_run
from tests.remote import Remote, Seen, hang
from tests.world import Flow, World

SUCCESS = 2


async def edit(world: World, flow: Flow, remote: Remote) -> None:
    step = {"config": remote.send("/edited")["config"]}
    assert (await world.patch(f"{flow.graph}/steps/{flow.last_step_id}", json=step)).status == 200


async def replace(world: World, flow: Flow, remote: Remote) -> None:
    await flow.deploy()
    await world.put(flow.path, json={"deployed_at": None})
    assert (await world.post(f"{flow.path}/copy")).status == 200


async def delete(world: World, flow: Flow, remote: Remote) -> None:
    assert (await world.delete(flow.path)).status == 200


async def delete_flow(world: World, flow: Flow, remote: Remote) -> None:
    assert (await world.delete(f"/flows/{flow.id}")).status == 200


@pytest.mark.parametrize("change", [edit, replace, delete, delete_flow])
@pytest.mark.parametrize("is_running", [False, True])
async def test_a_change_of_its_version_changes_no_run(server: World, remote: Remote, change, is_running):
    flow = await server.flow(remote.send("/first"), remote.send("/second"), deploy=False)

    async def hang_in_the_first(seen: Seen) -> web.Response:
        return await hang(seen)

    remote.answer = hang_in_the_first if is_running else remote.answer
    id = (await server.post(f"/flows/{flow.id}/start/raw/{flow.version_id}", json={})).json()["flow_run_id"]
    if is_running:
        await begin(server)
        await remote.until(1)
    await change(server, flow, remote)
    if is_running:
        await crash(server)
        server.server.duty.dispatcher._executor._plans._plans.clear()
        remote.answers(200)
        remote.seen.clear()
    await server.work()
    assert (await get_run(server, id))["status"] == SUCCESS
    assert [seen.path for seen in remote.seen] == ["/first", "/second"]


async def test_a_start_of_a_draft_runs_it_as_it_stands(server: World, remote: Remote):
    flow = await server.flow(remote.send("/first"), deploy=False)
    start = f"/flows/{flow.id}/start/raw/{flow.version_id}"
    await server.post(start, json={})
    await edit(server, flow, remote)
    await server.post(start, json={})
    await server.work()
    assert sorted(seen.path for seen in remote.seen) == ["/edited", "/first"]
