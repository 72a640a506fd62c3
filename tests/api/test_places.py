"""Where a new step stands among those that followed its parent."""

from __future__ import annotations

from tests.world import World

DELAY = {"microservice": "delay", "config": {"seconds": 1}}


async def parents(world: World, graph: str) -> dict[str, str | None]:
    steps = (await world.get(graph)).data["steps"]
    names = {step["id"]: step["name"] for step in steps}
    return {step["name"]: names.get(step.get("parent_id")) for step in steps}


async def test_a_step_is_put_before_what_followed_or_beside_it(server: World):
    flow = await server.flow(deploy=False)
    first = await flow.add("delay", name="first", config={"seconds": 1})
    place = {"parent_id": first["parent_id"], **DELAY}
    assert (await server.post(f"{flow.graph}/steps", json={**place, "name": "before"})).status == 200
    assert (
        await server.post(f"{flow.graph}/steps", json={**place, "name": "beside", "beside": True})
    ).status == 200
    assert await parents(server, flow.graph) == {
        "Trigger": None,
        "before": "Trigger",
        "first": "before",
        "beside": "Trigger",
    }


async def test_a_step_that_comes_back_has_its_key_again(server: World):
    flow = await server.flow(deploy=False)
    gone = await flow.add("delay", name="gone", config={"seconds": 1})
    place = {"parent_id": gone["parent_id"], **DELAY, "key": gone["key"]}
    there = await server.post(f"{flow.graph}/steps", json=place)
    assert (there.status, list(there.json()["errors"])) == (422, ["key"])
    await server.delete(f"{flow.graph}/steps/{gone['id']}")
    back = (await server.post(f"{flow.graph}/steps", json=place)).data
    assert (back["key"], back["id"] == gone["id"]) == (gone["key"], False)
    for wrong in ("map-0123abcd", "delay-0123", "delay", ""):
        refused = await server.post(f"{flow.graph}/steps", json={**place, "key": wrong})
        assert (refused.status, list(refused.json()["errors"])) == (422, ["key"])
