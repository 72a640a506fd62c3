"""Trying a step on a payload: it works as in a run, and nothing is kept."""

from __future__ import annotations

from typing import Any

import pytest
from tests.asgi import Answer
from tests.world import World

from flowloom.engine import trial

RULES = {
    "rules": [{"target": "ref", "source": "id"}, {"target": "shop", "template": "{{shop}} [[meta.page]]"}]
}
PAID = {"field": "paid", "operator": "equals", "value": True}


async def tried(world: World, microservice: str, saved: dict[str, Any], **sent: Any) -> Answer:
    flow = await world.flow(deploy=False)
    step = await flow.add(microservice, config=saved)
    return await world.post(f"{flow.graph}/steps/{step['id']}/try", json=sent)


async def test_a_map_shows_what_it_makes_of_a_sample(server: World):
    answer = await tried(
        server, "map", RULES, payload=[{"id": 7}], meta={"page": "1"}, variables={"shop": "nl"}
    )
    [made] = answer.data["payloads"]
    assert made["body"] == [{"ref": 7, "shop": "nl 1"}]
    assert (answer.data["payloads_count"], answer.data["variables"]) == (1, {"shop": "nl"})
    assert "failure" not in answer.data


async def test_a_config_is_tried_without_being_saved(server: World):
    flow = await server.flow(deploy=False)
    step = await flow.add("batch", config={"size": 2})
    path = f"{flow.graph}/steps/{step['id']}/try"
    before = (await server.get(flow.graph)).headers["etag"]
    answer = await server.post(path, json={"payload": [1, 2, 3], "config": {"size": 1}})
    assert [one["body"] for one in answer.data["payloads"]] == [[1], [2], [3]]
    assert [
        one["body"] for one in (await server.post(path, json={"payload": [1, 2, 3]})).data["payloads"]
    ] == [
        [1, 2],
        [3],
    ]
    assert (await server.get(flow.graph)).headers["etag"] == before
    assert (await server.get("/flow-runs")).data == []


async def test_routes_and_failures_are_told_by_name(server: World):
    routes = [{"name": "Paid", "where": PAID}, {"name": "All"}]
    answer = await tried(server, "route", {"routes": routes}, payload=[{"paid": True}, {"paid": False}])
    assert {one["route"]: len(one["body"]) for one in answer.data["payloads"]} == {"Paid": 1, "All": 2}
    answer = await tried(server, "assert", {"where": PAID}, payload={"paid": False})
    assert answer.data["payloads"] == []
    assert answer.data["failure"]["error_class"] == "assertion"


async def test_csv_is_read_as_what_it_says(server: World):
    config = {"rules": [{"target": "sku", "source": "SKU"}]}
    answer = await tried(server, "map", config, payload="SKU,price\na,1\n", content_type="text/csv")
    assert answer.data["payloads"][0]["body"] == [{"sku": "a"}]
    answer = await tried(server, "map", config, payload=[{"SKU": "a"}], content_type="text/csv")
    assert answer.data["payloads"][0]["body"] == [{"sku": "a"}]


async def test_only_the_first_payloads_are_shown(server: World):
    answer = await tried(server, "batch", {"size": 1}, payload=list(range(40)))
    assert (len(answer.data["payloads"]), answer.data["payloads_count"]) == (25, 40)


@pytest.mark.parametrize(
    ("microservice", "config", "sent", "field"),
    [
        ("delay", {"seconds": 1}, {}, "step"),
        ("connector", {"direction": "send", "method": "POST", "url": "http://127.0.0.1/"}, {}, "step"),
        ("map", {}, {}, "config.rules"),
        ("batch", {"size": 2}, {"config": {"size": "x"}}, "config.size"),
        ("batch", {"size": 2}, {"payload": "x" * 1_100_000}, "payload"),
        ("batch", {"size": 2}, {"payload": "<a", "content_type": "application/xml"}, "payload"),
        ("batch", {"size": 2}, {"payload": 1, "content_type": "text/plain"}, "payload"),
        ("batch", {"size": 2}, {"variables": {"a b": 1}}, "variables.a b"),
    ],
)
async def test_what_cannot_be_tried(sqlite_server: World, microservice, config, sent, field):
    answer = await tried(sqlite_server, microservice, config, **sent)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])


async def test_another_companys_steps_cannot_be_tried(sqlite_server: World):
    flow = await sqlite_server.flow(deploy=False)
    step = await flow.add("batch", config={"size": 2})
    path = f"{flow.graph}/steps/{step['id']}/try"
    assert (await sqlite_server.post(path, json={}, key=sqlite_server.other_key)).status == 404
    assert (await sqlite_server.post(f"{flow.graph}/steps/999/try", json={})).status == 404


async def test_what_takes_too_long_is_given_up(sqlite_server: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trial, "TRY_SECONDS", 0)
    answer = await tried(sqlite_server, "batch", {"size": 2}, payload=[1])
    assert answer.status == 503
    assert "smaller payload" in answer.json()["message"]
