"""The contract's lists: pages, sorts, includes, filters."""

from __future__ import annotations

import pytest
from tests.contract.states import FILTER, flow_in
from tests.world import Flow, World

INCLUDES = [
    "savedByUser",
    "deployedByUser",
    "steps",
    "runs",
    "latestRun",
    "schedules",
    "filters",
    "variables",
]


async def make_versions(server: World, count: int) -> Flow:
    flow = await flow_in(server, "Deployed")
    for _ in range(count - 1):
        await server.post(f"{flow.path}/copy")
        newest = (await server.get(f"/flows/{flow.id}/versions?sort=-created_at&per_page=1")).data[0]
        await server.put(
            f"/flows/{flow.id}/versions/{newest['id']}", json={"deployed_at": "2026-03-01T00:00:00Z"}
        )
        server.clock.advance(seconds=1)
    return flow


async def test_an_empty_list_has_its_meta_and_links(server: World) -> None:
    flow = await flow_in(server, "Draft")
    for path in (f"/flow-versions/{flow.version_id}/schedules", f"/flows/{flow.id}/version-metrics"):
        answer = (await server.get(path)).json()
        where = f"http://flowloom.test/api/v1{path}"
        assert answer == {
            "data": [],
            "meta": {
                "current_page": 1, "from": None, "last_page": 1, "path": where, "per_page": 15, "to": None, "total": 0,
            },
            "links": {"first": f"{where}?page=1", "last": f"{where}?page=1", "prev": None, "next": None},
        }  # fmt: skip


async def test_pages_of_versions(server: World) -> None:
    flow = await make_versions(server, 7)
    path = f"/flows/{flow.id}/versions"
    for sort, order in (("", 1), ("created_at", 1), ("-created_at", -1)):
        seen: list[int] = []
        for page in (1, 2, 3, 4):
            query = {"per_page": 3, "page": page, "include": "steps"} | ({"sort": sort} if sort else {})
            answer = (await server.get(path, query=query)).json()
            seen += [version["iteration"] for version in answer["data"]]
            meta, links = answer["meta"], answer["links"]
            assert (meta["current_page"], meta["last_page"], meta["per_page"], meta["total"]) == (
                page,
                3,
                3,
                7,
            )
            assert (meta["from"], meta["to"]) == {1: (1, 3), 2: (4, 6), 3: (7, 7)}.get(page, (None, None))
            assert (links["prev"] is None, links["next"] is None) == (page == 1, page >= 3)
            for name, number in (("first", 1), ("last", 3), ("next", page + 1), ("prev", page - 1)):
                if links[name]:
                    assert f"page={number}" in links[name].split("?")[1].split("&"), (name, links)
                    assert "per_page=3" in links[name]
                    assert "include=steps" in links[name]
                    assert ("sort=" in links[name]) == bool(sort)
        assert seen == list(range(1, 8))[::order]
    followed = (await server.get(answer["links"]["prev"].removeprefix("http://flowloom.test"))).json()
    assert followed["meta"]["current_page"] == 3


@pytest.mark.parametrize("what", ["versions", "version-metrics", "schedules"])
async def test_pages_out_of_bounds(sqlite_server: World, what: str) -> None:
    flow = await flow_in(sqlite_server, "Draft")
    path = f"/flow-versions/{flow.version_id}/{what}" if what == "schedules" else f"/flows/{flow.id}/{what}"
    for per_page, meant in ((250, 100), (100, 100), (1, 1), (10**9, 100)):
        assert (await sqlite_server.get(path, query={"per_page": per_page})).json()["meta"][
            "per_page"
        ] == meant
    for name in ("page", "per_page"):
        for value in ("0", "-1", "x", "", "1.5", "1e3", str(2**70), "٣", " 1", "1\0"):
            answer = await sqlite_server.get(path, query={name: value})
            assert answer.status == 422, (name, value, answer.body)
            assert list(answer.json()["errors"]) == [name]
    assert (await sqlite_server.get(path, query={"page": 10**17})).data == []


@pytest.mark.parametrize("what", ["versions", "version-metrics", "schedules"])
async def test_unknown_names_in_a_query(sqlite_server: World, what: str) -> None:
    flow = await flow_in(sqlite_server, "Draft")
    path = f"/flow-versions/{flow.version_id}/{what}" if what == "schedules" else f"/flows/{flow.id}/{what}"
    asked = (
        "include=nope",
        "include=steps,nope",
        "sort=nope",
        "sort=--id",
        "filter[nope]=1",
        "filter[]=",
        "filter[x][y]=1",
    )
    for query in asked:
        answer = await sqlite_server.get(f"{path}?{query}")
        assert answer.status == 400, (query, answer.body)
        assert "allowed: " in answer.json()["message"]
    assert (await sqlite_server.get(path, query={"anything": "else"})).status == 200


async def test_a_parameter_given_twice(sqlite_server: World) -> None:
    """In a list, and in the includes of one record."""
    flow = await sqlite_server.flow()
    for path in (f"/flows/{flow.id}/versions", flow.path):
        answer = await sqlite_server.get(f"{path}?include=steps&include=runs")
        assert (answer.status, list(answer.json()["errors"])) == (422, ["include"])
        assert "commas" in answer.json()["message"]
        assert (await sqlite_server.get(f"{path}?include=steps,runs")).status == 200


async def test_includes_each_and_all(server: World) -> None:
    flow = await server.flow(FILTER, deploy=False)
    await server.post(f"/flow-versions/{flow.version_id}/schedules", json={"cron_string": "0 5 * * *"})
    token = await server.token("manager")
    await server.put(
        f"/flow-versions/{flow.version_id}/variables", json={"variables": {"shop": "nl"}}, key=token
    )
    await server.put(flow.path, json={"deployed_at": "2026-03-01T00:00:00Z"}, key=token)
    await flow.run([{"a": 1}])
    plain = (await server.get(flow.path)).data
    keys = {name: "".join(f"_{c.lower()}" if c.isupper() else c for c in name) for name in INCLUDES}
    for asked in (*INCLUDES, ",".join(INCLUDES)):
        for path in (flow.path, f"/flows/{flow.id}/versions"):
            found = (await server.get(path, query={"include": asked})).data
            version = found[0] if isinstance(found, list) else found
            assert version.keys() - plain.keys() == {keys[name] for name in asked.split(",")}, asked
    assert [step["microservice"] for step in version["steps"]] == ["trigger", "filter"]
    assert version["saved_by_user"]["role"] == version["deployed_by_user"]["role"] == "manager"
    assert version["latest_run"] == version["runs"][0]
    assert version["runs"][0]["status"] == 2
    assert version["schedules"][0]["cron_string"] == "0 5 * * *"
    assert version["variables"] == {"shop": "nl"}
    assert version["filters"][0]["where"] == FILTER["config"]["where"]  # type: ignore[index]


async def test_metrics(server: World) -> None:
    flow = await flow_in(server, "Deployed")
    for _ in range(3):
        await flow.run([{"a": 1}])
    path = f"/flows/{flow.id}/version-metrics"
    for folded in (False, True):
        if folded:
            await server.server.loops.rollup.tick(server.clock.now)
        for interval in ("minute", "hour", "day", "week", "month"):
            query = {"filter[interval]": interval, "filter[type]": "runs", "filter[key]": "success"}
            [metric] = (await server.get(path, query=query)).data
            assert (metric["value"], metric["interval"], metric["flow_version_id"]) == (
                3,
                interval,
                flow.version_id,
            )
            assert (await server.get(path, query=query)).data == [metric]
    everything = (await server.get(path, query={"per_page": 100})).data
    assert len({metric["id"] for metric in everything}) == len(everything)
    either = (await server.get(path, query={"filter[key]": "p50,p95,p99"})).data
    assert [metric["key"] for metric in either] == ["p50", "p95", "p99"]
    begin = everything[0]["starts_at"]
    assert (await server.get(path, query={"filter[from]": begin, "per_page": 100})).data == everything
    assert (await server.get(path, query={"filter[to]": begin})).data == []
    for name, bad in (
        ("interval", "year"),
        ("type", "x"),
        ("from", "x"),
        ("to", "1e3"),
        ("flow_version_id", "x"),
    ):
        assert (await server.get(path, query={f"filter[{name}]": bad})).status == 422, name
