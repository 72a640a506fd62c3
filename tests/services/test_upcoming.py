"""What fires next across all flows: only what is deployed and one's own, soonest first, within bounds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select
from tests.world import OTHER_KEY, Flow, World

from flowloom.store import tables


async def scheduled(world: World, name: str, cron: str, **fields: Any) -> Flow:
    """A deployed flow with one schedule."""
    flow = await world.flow(deploy=False, name=name, is_enabled=fields.pop("is_enabled", True))
    sent = {"cron_string": cron, **fields}
    await world.post(f"/flow-versions/{flow.version_id}/schedules", json=sent)
    await flow.deploy()
    return flow


async def test_they_come_soonest_first_with_their_fires_of_the_next_day(server: World) -> None:
    await scheduled(server, "Nightly", "30 2 * * *", timezone="Europe/Berlin")
    await scheduled(server, "Often", "*/15 * * * *")
    draft = await server.flow(deploy=False)
    await server.post(f"/flow-versions/{draft.version_id}/schedules", json={"cron_string": "0 * * * *"})
    often, nightly = (await server.get("/schedules")).data
    assert (often["flow_name"], nightly["flow_name"]) == ("Often", "Nightly")
    assert (len(often["fires"]), often["has_more_fires"]) == (50, True)
    assert nightly["fires"] == ["2026-03-03T01:30:00.000000Z"]
    assert (await server.get("/schedules", key=OTHER_KEY)).data == []


async def test_a_window_goes_over_a_clock_change(server: World) -> None:
    await scheduled(server, "Nightly", "30 2 * * *", timezone="Europe/Berlin")
    query = {"from": "2026-03-28T00:00:00Z", "to": "2026-03-31T00:00:00Z"}
    found = (await server.get("/schedules", query=query)).data[0]
    assert [at[8:16] for at in found["fires"]] == ["28T01:30", "29T01:00", "30T00:30"]


async def test_a_disabled_flow_fires_nothing_and_can_be_left_out(server: World) -> None:
    flow = await scheduled(server, "Off", "0 * * * *", is_enabled=False)
    found = (await server.get("/schedules", query={"filter[flow_id]": flow.id})).data[0]
    assert (found["is_enabled"], found["fires"]) == (False, [])
    assert (await server.get("/schedules", query={"filter[is_enabled]": "true"})).data == []


async def test_a_window_has_an_end_after_its_beginning_and_not_too_late(sqlite_server: World) -> None:
    for query in ({"to": "2026-03-01T00:00:00Z"}, {"to": "2026-09-01T00:00:00Z"}, {"from": "soon"}):
        assert (await sqlite_server.get("/schedules", query=query)).status == 422


async def test_five_thousand_schedules_come_page_by_page(server: World) -> None:
    flow = await scheduled(server, "Nightly", "30 2 * * *")

    def multiply(db: Any) -> None:
        row = dict(db.execute(select(tables.schedules)).one()._mapping)
        db.execute(insert(tables.schedules), [{**row, "id": row["id"] + number} for number in range(1, 5000)])

    await server.platform.database.write(multiply)
    answer = await server.get("/schedules", query={"page": 50, "per_page": 100})
    assert answer.json()["meta"]["total"] == 5000
    assert {found["flow_id"] for found in answer.data} == {flow.id}


async def test_what_does_not_fire_stands_last(server: World) -> None:
    await scheduled(server, "Off", "0 * * * *", is_enabled=False)
    await scheduled(server, "On", "0 5 * * *")
    assert [one["flow_name"] for one in (await server.get("/schedules")).data] == ["On", "Off"]
    turned = await server.get("/schedules", query={"sort": "-next_run_at"})
    assert [one["flow_name"] for one in turned.data] == ["Off", "On"]
