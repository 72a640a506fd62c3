"""Lookup tables and tracked data in runs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from tests.engine.test_effects import begin, crash
from tests.remote import Remote, accept, hang
from tests.world import World

from flowloom.store import tables

SUCCESS, FAILURE = 2, 3


def mapped(**arguments: Any) -> dict[str, Any]:
    transform = {"name": "lookup_table", "table": "countries", **arguments}
    rule = {"target": "country", "source": "country", "transforms": [transform]}
    return {"microservice": "map", "config": {"rules": [rule]}}


async def countries(server: World, rows: bytes = b"NL,Netherlands\nHO,Netherlands\nBE,Belgium\n") -> None:
    await server.post("/lookup-tables", json={"name": "countries"})
    assert (await server.put("/lookup-tables/1/csv", body=rows)).status == 200


async def test_a_map_reads_a_table_in_both_directions(server: World, remote: Remote) -> None:
    await countries(server)
    there = await server.flow(mapped(), remote.send("/there"))
    back = await server.flow(mapped(direction="reverse", on_miss="keep"), remote.send("/back"))
    await there.run([{"country": "NL"}, {"country": "BE"}, {"country": "FR"}, {}])
    await back.run([{"country": "Netherlands"}, {"country": "France"}])
    assert remote.bodies("/there") == [
        [{"country": "Netherlands"}, {"country": "Belgium"}, {"country": None}, {}]
    ]
    assert remote.bodies("/back") == [[{"country": "NL"}, {"country": "France"}]]


async def test_a_record_that_is_not_in_the_table_may_fail(server: World) -> None:
    await countries(server)
    run = await (await server.flow(mapped(on_miss="fail"))).run({"country": "FR"})
    assert (run["status"], run["summary"]["error"]["message"]) == (
        FAILURE,
        "Record 0, 'country': lookup_table: the lookup table 'countries' has no \"FR\".",
    )


async def test_the_next_run_sees_what_was_changed(server: World, remote: Remote) -> None:
    await countries(server)
    flow = await server.flow(mapped(), remote.send())
    rows = (await server.get("/lookup-tables/1/rows")).data
    for change in (
        server.put(f"/lookup-tables/1/rows/{rows[0]['id']}", json={"right": "Holland"}),
        server.post("/lookup-tables/1/rows", json={"left": "FR", "right": "France"}),
        server.delete(f"/lookup-tables/1/rows/{rows[2]['id']}"),
        server.put("/lookup-tables/1/csv", body=b"NL,x"),
    ):
        await flow.run([{"country": "NL"}, {"country": "FR"}, {"country": "BE"}])
        assert (await change).status == 200
    await flow.run([{"country": "NL"}, {"country": "FR"}, {"country": "BE"}])
    seen = [[record["country"] for record in body] for body in remote.bodies()]
    assert seen == [
        ["Netherlands", None, "Belgium"],
        ["Holland", None, "Belgium"],
        ["Holland", "France", "Belgium"],
        ["Holland", "France", None],
        ["x", None, None],
    ]


async def test_a_run_sees_one_state_of_a_table(server: World, remote: Remote) -> None:
    await countries(server)
    again = {"target": "country", "source": "country", "transforms": [{"name": "lower"}]}
    flow = await server.flow(
        remote.send("/first"),
        mapped(),
        {"microservice": "map", "config": {"rules": [again]}},
        remote.send("/last"),
    )

    async def change(seen: Any) -> Any:
        if seen.path == "/first":
            await server.put("/lookup-tables/1/csv", body=b"NL,changed")
        return await accept(seen)

    remote.answer = change
    await flow.run({"country": "NL"})
    assert remote.bodies("/last") == [{"country": "netherlands"}]


async def test_an_unknown_table_is_not_deployed_and_one_in_use_stays(server: World) -> None:
    flow = await server.flow(mapped(), deploy=False)
    answer = await server.put(flow.path, json={"deployed_at": server.clock.now.isoformat()})
    field = f"steps.{flow.last_step_id}.config.rules.0.transforms"
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])
    assert "There is no lookup table 'countries'" in answer.json()["message"]
    await countries(server)
    await flow.deploy()
    assert (await server.delete("/lookup-tables/1")).status == 422
    assert (await server.put("/lookup-tables/1", json={"name": "other"})).status == 422
    assert (
        await server.put("/lookup-tables/1", json={"name": "countries", "description": "x"})
    ).status == 200
    await server.put(flow.path, json={"deployed_at": None})
    assert (await server.delete("/lookup-tables/1")).status == 200


async def test_tracked_data_tells_which_runs_saw_an_order(server: World, remote: Remote) -> None:
    track = {"microservice": "track", "config": {"entity_type": "order", "value": "id"}}
    flow = await server.flow(track, remote.send(), track)
    first = await flow.run([{"id": 1042}, {"id": 1043}, {"id": 1042}])
    server.clock.advance(seconds=60)
    second = await flow.run({"id": 1042})
    found = await server.get("/tracked-data", query={"filter[value]": "1042", "filter[entity_type]": "order"})
    assert [one["flow_run_id"] for one in found.data] == [second["id"]] * 2 + [first["id"]] * 2
    for filters, count in (
        ({"filter[flow_run_id]": first["id"]}, 4),
        ({"filter[created_after]": server.clock.now.isoformat()}, 2),
        ({"filter[created_before]": server.clock.now.isoformat()}, 4),
        ({"filter[direction]": "out"}, 0),
        ({"filter[flow_id]": flow.id + 1}, 0),
    ):
        assert (await server.get("/tracked-data", query=filters)).json()["meta"]["total"] == count
    assert (await server.get("/tracked-data", key=server.other_key)).data == []


async def test_a_tracked_value_with_a_comma_is_found(server: World) -> None:
    track = {"microservice": "track", "config": {"entity_type": "city", "value": "name"}}
    flow = await server.flow(track)
    await flow.run([{"name": "Oslo, 7"}, {"name": "Oslo"}, {"name": "7"}])
    for asked, found in (("Oslo\\, 7", ["Oslo, 7"]), ("Oslo, 7", ["7", "Oslo"])):
        answer = await server.get("/tracked-data", query={"filter[value]": asked})
        assert sorted(one["value"] for one in answer.data) == found


async def test_what_is_tracked_before_a_crash_is_there_once_and_goes_with_its_run(
    server: World, remote: Remote
) -> None:
    track = {"microservice": "track", "config": {"entity_type": "order", "value": "id"}}
    flow = await server.flow(track, remote.send("/a"), remote.send("/b"))

    async def hang_at_b(seen: Any) -> Any:
        return await (hang(seen) if seen.path == "/b" else accept(seen))

    remote.answer = hang_at_b
    await flow.start({"id": 7})
    await begin(server)
    await remote.until(2)
    await crash(server)
    remote.answers(200)
    await server.work()
    assert (await server.get("/tracked-data")).json()["meta"]["total"] == 1
    server.clock.advance(seconds=100 * 86400)
    await flow.run({"id": 8})
    await server.server.loops.pruner.tick(server.clock.now)
    left = await server.platform.database.read(
        lambda db: db.scalar(select(func.count()).select_from(tables.tracked))
    )
    assert left == 1
