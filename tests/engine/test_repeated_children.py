"""Retries of runs that had started other flows: these go on where they failed, under the keys they had."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import text
from tests.engine.test_de_dupe import de_dupe, ids, pooled, refusing, states
from tests.engine.test_effects import begin, crash, get_run
from tests.engine.test_lookups import countries, mapped
from tests.engine.test_retry import retry
from tests.engine.test_waits import HOUR, parent_of
from tests.remote import Remote, Seen
from tests.world import Flow, World

from flowloom.store import stops

STARTED, SUCCESS, FAILURE, STOPPED = 1, 2, 3, 4


def refuse(remote: Remote, *paths: str) -> None:
    """Refuse what comes to these paths, for good."""

    async def answer(seen: Seen) -> web.Response:
        return web.Response(status=400 if seen.path in paths else 200)

    remote.answer = answer


def run_flow(flow: Flow, **config: Any) -> dict[str, Any]:
    return {"microservice": "run-flow", "config": {"flow_id": flow.id, "wait": True, **config}}


async def two_sends(server: World, remote: Remote, *steps: dict[str, Any]) -> Flow:
    return await server.flow(remote.send("/one"), *steps, remote.send("/two"))


async def failed_parent(server: World, remote: Remote, **config: Any) -> tuple[Flow, Flow, int]:
    """A child of two sends, its parent, and the parent's run, for which the child's second send was refused."""
    refuse(remote, "/two")
    child = await two_sends(server, remote)
    parent = await parent_of(server, child, remote, wait=True, **config)
    run = await parent.run([1])
    assert (run["status"], paths(remote)) == (FAILURE, ["/one", "/two"])
    refuse(remote)
    return child, parent, run["id"]


async def runs_of(server: World, flow: Flow) -> list[dict[str, Any]]:
    return (await server.get("/flow-runs", query={"filter[flow_id]": flow.id, "sort": "id"})).data


async def only_run(server: World, flow: Flow) -> dict[str, Any]:
    [run] = await runs_of(server, flow)
    return run


async def key_of(server: World, flow: Flow) -> str:
    """The key of the step that starts the other flow."""
    steps = (await server.get(flow.graph)).data["steps"]
    return next(step["key"] for step in steps if step["microservice"] == "run-flow")


async def why(server: World, id: int) -> dict[str, Any]:
    return (await server.get(f"/flow-runs/{id}/explain")).data


async def asked_to_retry(server: World, id: int) -> int:
    """Queue a retry without working on it."""
    return (await server.post(f"/flow-runs/{id}/retry", json={})).json()["flow_run_id"]


def paths(remote: Remote) -> list[str]:
    return [seen.path for seen in remote.seen]


async def test_a_failed_child_goes_on_where_it_failed_under_its_keys(server: World, remote: Remote):
    child, _parent, id = await failed_parent(server, remote)
    again = await retry(server, id)
    assert (again["status"], paths(remote)) == (SUCCESS, ["/one", "/two", "/two", "/parent"])
    assert remote.keys("/two")[0] == remote.keys("/two")[1]
    first, second = await runs_of(server, child)
    assert (second["trigger"], second["retry_flow_run_id"], second["parent_run_id"], second["status"]) == (
        "Retry",
        first["id"],
        again["id"],
        SUCCESS,
    )
    letters = (await server.get("/dead-letters", query={"filter[flow_run_id]": first["id"]})).data
    assert [(letter["state"], letter["redrive_run_id"]) for letter in letters] == [("retried", second["id"])]
    told = await why(server, second["id"])
    assert told["why"] == f'It repeats run {first["id"]} for step "Run flow" of run {again["id"]}.'
    assert told["why_this_version"].endswith("was the Deployed one when the run was queued.")


async def test_a_stopped_child_goes_on_too(server: World, remote: Remote):
    child = await two_sends(server, remote, HOUR)
    parent = await parent_of(server, child, remote, wait=True, per="bucket")
    id = await parent.start([1])
    await server.work()
    await server.post(f"/flow-runs/{id}/stop")
    assert (await retry(server, id))["status"] == STARTED
    server.clock.advance(seconds=3600)
    await server.work()
    assert [run["status"] for run in await runs_of(server, child)] == [STOPPED, SUCCESS]
    assert paths(remote) == ["/one", "/two", "/parent"]


async def test_a_retry_of_a_retry_that_never_came_to_the_step(server: World, remote: Remote):
    child, _, id = await failed_parent(server, remote)
    stopped = await asked_to_retry(server, id)
    assert (await server.post(f"/flow-runs/{stopped}/stop")).data["status"] == STOPPED
    assert (await retry(server, stopped))["status"] == SUCCESS
    assert (paths(remote)[:3], len(set(remote.keys("/two")))) == (["/one", "/two", "/two"], 1)
    assert len(await runs_of(server, child)) == 2


async def test_a_child_may_fail_again_and_again(server: World, remote: Remote):
    child, _, id = await failed_parent(server, remote)
    refuse(remote, "/two")
    second = await retry(server, id)
    # Once the retry is retried, and once the first run again: both come to the same child.
    third = await retry(server, second["id"])
    refuse(remote)
    assert (second["status"], third["status"], (await retry(server, id))["status"]) == (
        FAILURE,
        FAILURE,
        SUCCESS,
    )
    children = await runs_of(server, child)
    assert [run.get("retry_flow_run_id") for run in children] == [None, *(run["id"] for run in children[:-1])]
    assert (len(remote.keys("/one")), len(set(remote.keys("/two")))) == (1, 1)


async def test_what_was_retried_by_hand_and_succeeded_is_taken_over(server: World, remote: Remote):
    child, _, id = await failed_parent(server, remote)
    by_hand = await retry(server, (await only_run(server, child))["id"])
    assert by_hand["status"] == SUCCESS
    assert (await retry(server, id))["status"] == SUCCESS
    assert paths(remote) == ["/one", "/two", "/two", "/parent"]
    assert len(await runs_of(server, child)) == 2


async def test_the_re_drive_of_a_part_is_not_the_child(server: World, remote: Remote):
    child, _, id = await failed_parent(server, remote)
    failed = (await only_run(server, child))["id"]
    letter = (await server.get("/dead-letters", query={"filter[flow_run_id]": failed})).data[0]["id"]
    refuse(remote, "/two")
    await server.post(f"/dead-letters/{letter}/re-drive", json={})
    await server.work()
    refuse(remote)
    assert (await retry(server, id))["status"] == SUCCESS
    assert [run.get("retry_flow_run_id") for run in await runs_of(server, child)] == [None, failed, failed]


async def test_a_child_that_goes_on_by_hand_is_waited_for_and_wakes_its_parent(server: World, remote: Remote):
    child, _, id = await failed_parent(server, remote)
    may_go = asyncio.Event()

    async def held(seen: Seen) -> web.Response:
        await may_go.wait()
        return web.Response()

    remote.answer = held
    by_hand = await asked_to_retry(server, (await only_run(server, child))["id"])
    await begin(server)
    await remote.until(3)
    again = await asked_to_retry(server, id)
    working = server.server.duty.dispatcher.running
    await begin(server)
    while server.server.duty.dispatcher.running > working:  # the parent leaves memory
        await asyncio.sleep(0)
    assert (await get_run(server, by_hand))["parent_run_id"] == again
    may_go.set()
    await server.settle()
    # No time has passed: the parent does not wait until it would look again.
    await server.work()
    assert (await get_run(server, again))["status"] == SUCCESS
    assert paths(remote) == ["/one", "/two", "/two", "/parent"]


async def test_children_that_go_on_get_the_new_parent_and_their_places(
    server: World, remote: Remote, monkeypatch: pytest.MonkeyPatch
):
    child = await two_sends(server, remote, {"microservice": "delay", "config": {"seconds": 900}})
    parent = await parent_of(server, child, remote, wait=True, parallel=1)
    await server.put(f"/flows/{parent.id}", json={"run_timeout_seconds": 600})
    id = await parent.start([1, 2, 3])
    await server.work()
    # As an earlier release left them, which stopped none of them with their parent.
    monkeypatch.setattr(stops, "stop_children", lambda *_: None)
    server.clock.advance(seconds=601)
    await server.work()
    assert (await get_run(server, id))["status"] == FAILURE
    await server.put(f"/flows/{parent.id}", json={"run_timeout_seconds": None})
    again = await retry(server, id)
    children = await runs_of(server, child)
    assert [run["parent_run_id"] for run in children] == [again["id"]] * 3
    told = (await why(server, children[0]["id"]))["why"]
    assert told.endswith(f"started it that run {again['id']} repeats, which waits for it now.")
    for done in (1, 2, 3):
        server.clock.advance(seconds=900)
        await server.work()
        assert len(remote.bodies("/two")) == done
    assert (await get_run(server, again["id"]))["status"] == SUCCESS
    assert (len(remote.bodies("/one")), len(await runs_of(server, child))) == (3, 3)


async def test_a_child_of_another_retry_that_goes_on_is_left_to_it(server: World, remote: Remote):
    refuse(remote, "/two")
    child = await server.flow(remote.send("/one"), remote.send("/two"), HOUR)
    parent = await parent_of(server, child, remote, wait=True)
    id = (await parent.run([1]))["id"]
    refuse(remote)
    first = await retry(server, id)
    second = await retry(server, id)
    assert (first["status"], second["status"]) == (STARTED, STARTED)
    assert (await runs_of(server, child))[-1]["parent_run_id"] == first["id"]
    server.clock.advance(seconds=3600)
    await server.work()
    server.clock.advance(seconds=60)
    await server.work()
    assert (await get_run(server, first["id"]))["status"] == SUCCESS
    assert (await get_run(server, second["id"]))["status"] == SUCCESS
    assert (len(await runs_of(server, child)), paths(remote)[:3]) == (2, ["/one", "/two", "/two"])


async def test_another_payload_starts_a_child_anew(server: World, remote: Remote):
    await countries(server)
    refuse(remote, "/two")
    child = await two_sends(server, remote)
    parent = await server.flow(mapped(), run_flow(child))
    id = (await parent.run([{"country": "NL"}]))["id"]
    refuse(remote)
    await server.put("/lookup-tables/1/csv", body=b"NL,Holland")
    assert (await retry(server, id))["status"] == SUCCESS
    assert remote.bodies("/one") == [[{"country": "Netherlands"}], [{"country": "Holland"}]]
    assert [run["trigger"] for run in await runs_of(server, child)] == ["Shape", "Shape"]


async def test_other_variables_start_a_child_anew(server: World, remote: Remote):
    await countries(server)
    refuse(remote, "/two")
    child = await two_sends(server, remote)
    lookup = [
        {"target": "name", "source": "country", "transforms": mapped()["config"]["rules"][0]["transforms"]}
    ]
    named = {"microservice": "map", "config": {"rules": lookup}}
    blank = {"microservice": "manual-payload", "config": {"body": "{}"}}
    keep = {"microservice": "set-variables", "config": {"variables": {"name": "[[payload.name]]"}}}
    parent = await server.flow(named, keep, blank, run_flow(child, variables={"who": "{{name}}"}))
    id = (await parent.run({"country": "NL"}))["id"]
    second = await retry(server, id)
    await server.put("/lookup-tables/1/csv", body=b"NL,Holland")
    third = await retry(server, second["id"])
    assert (second["status"], third["status"]) == (FAILURE, FAILURE)
    assert [run["trigger"] for run in await runs_of(server, child)] == ["Shape", "Retry", "Shape"]


async def test_a_step_that_is_named_starts_its_children_anew(server: World, remote: Remote):
    child, parent, id = await failed_parent(server, remote)
    step = await key_of(server, parent)
    assert (await retry(server, id, from_step=step))["status"] == SUCCESS
    assert (len(remote.keys("/one")), len(set(remote.keys("/one")))) == (2, 2)
    assert [run["trigger"] for run in await runs_of(server, child)] == ["Shape", "Shape"]


async def test_a_named_step_is_forgotten_for_later_retries_too(server: World, remote: Remote):
    _, parent, id = await failed_parent(server, remote)
    sent = {"from_step": await key_of(server, parent)}
    stopped = (await server.post(f"/flow-runs/{id}/retry", json=sent)).json()["flow_run_id"]
    await server.post(f"/flow-runs/{stopped}/stop")
    assert (await retry(server, stopped))["status"] == SUCCESS
    assert len(set(remote.keys("/one"))) == 2


async def test_a_child_goes_on_with_the_version_that_is_deployed_now(server: World, remote: Remote):
    child, _, id = await failed_parent(server, remote)
    copied = Flow(server, child.id, (await server.post(f"{child.path}/copy")).data["id"])
    step = next(one for one in (await server.get(copied.graph)).data["steps"] if one["name"] == "/two")
    await server.patch(f"{copied.graph}/steps/{step['id']}", json={"config": remote.send("/three")["config"]})
    await copied.deploy()
    assert (await retry(server, id))["status"] == SUCCESS
    assert paths(remote) == ["/one", "/two", "/three", "/parent"]
    assert (await runs_of(server, child))[-1]["flow_version_id"] == copied.version_id


async def test_a_disabled_flow_is_not_done_again(server: World, remote: Remote):
    child, _, id = await failed_parent(server, remote)
    await server.put(f"/flows/{child.id}", json={"is_enabled": False})
    again = await retry(server, id)
    assert (again["status"], len(await runs_of(server, child))) == (FAILURE, 1)
    assert "is disabled" in again["summary"]["error"]["message"]
    await server.put(f"/flows/{child.id}", json={"is_enabled": True})
    assert (await retry(server, again["id"]))["status"] == SUCCESS
    assert len(remote.keys("/one")) == 1


async def test_children_of_children_go_on_as_well(server: World, remote: Remote):
    refuse(remote, "/two")
    lowest = await two_sends(server, remote)
    middle = await server.flow(remote.send("/middle"), run_flow(lowest))
    top = await server.flow(remote.send("/top"), run_flow(middle))
    id = (await top.run({"a": 1}))["id"]
    refuse(remote)
    assert (await retry(server, id))["status"] == SUCCESS
    assert paths(remote) == ["/top", "/middle", "/one", "/two", "/two"]
    assert len(set(remote.keys("/two"))) == 1


async def test_a_re_drive_does_the_child_again_and_an_edited_one_anew(server: World, remote: Remote):
    child, _, id = await failed_parent(server, remote)
    refuse(remote, "/two")
    letter = (await server.get("/dead-letters", query={"filter[flow_run_id]": id})).data[0]["id"]
    driven = (await server.post(f"/dead-letters/{letter}/re-drive", json={})).json()["flow_run_id"]
    await server.work()
    assert (paths(remote), len(set(remote.keys("/two")))) == (["/one", "/two", "/two"], 1)
    refuse(remote)
    letter = (await server.get("/dead-letters", query={"filter[flow_run_id]": driven})).data[0]["id"]
    await server.post(f"/dead-letters/{letter}/re-drive", json={"payload": "[1]"})
    await server.work()
    assert len(set(remote.keys("/one"))) == 2
    assert [run["trigger"] for run in await runs_of(server, child)] == ["Shape", "Retry", "Shape"]


async def test_what_a_child_claimed_is_claimed_by_its_retry(server: World, remote: Remote):
    remote.answer = refusing(2)
    child = await pooled(server, de_dupe(), remote.send("/"))
    parent = await server.flow(run_flow(child))
    id = (await parent.run(ids(1, 2)))["id"]
    remote.answers(200)
    assert (await retry(server, id))["status"] == SUCCESS
    assert remote.bodies() == [ids(1, 2)] * 2
    assert await states(server) == {"1": "permanent", "2": "permanent"}


async def test_a_child_that_was_begun_before_a_crash_is_the_retrys_own(
    server: World, remote: Remote, monkeypatch
):
    child, _, id = await failed_parent(server, remote)
    again = await asked_to_retry(server, id)
    begun = asyncio.Event()

    async def never(*_asked: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr("flowloom.engine.effects.Effects._park", never)
        await begin(server)
        await asyncio.wait_for(begun.wait(), 10)
        await crash(server)
    refuse(remote, "/two")
    await server.work()
    # It failed before its parent knew of it: that is this retry's failure, not one to be done again in it.
    assert (await get_run(server, again))["status"] == FAILURE
    assert len(await runs_of(server, child)) == 2
    refuse(remote)
    assert (await retry(server, again))["status"] == SUCCESS
    assert (len(remote.keys("/one")), len(set(remote.keys("/two")))) == (1, 1)


async def test_whether_a_run_was_retried_is_found_by_an_index(sqlite_server: World):
    def plan(connection: Any) -> str:
        asked = text("EXPLAIN QUERY PLAN SELECT id FROM flow_runs WHERE retry_flow_run_id = 7 LIMIT 1")
        return str(connection.execute(asked).all())

    assert "ix_flow_runs_retry" in await sqlite_server.platform.database.read(plan)
