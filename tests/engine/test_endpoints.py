"""Steps that name an endpoint of a connector: what they copy, and that they keep it."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from tests import shop_connector
from tests.remote import Remote, Seen
from tests.world import Flow, World

from flowloom.domain.run import Status


async def connect(server: World, remote: Remote) -> None:
    """Connector 1 and connection 1 to the remote."""
    document = shop_connector.document(base_url=remote.url("/v1"))
    await server.post("/connectors", json={"name": "Shop", "document": document})
    wanted = {"name": "EU", "connector_id": 1, "auth": {"value": "s3cret"}, "variables": {"store": "north"}}
    assert (await server.post("/connections", json=wanted)).status == 200


def step(key: str, **config: Any) -> dict[str, Any]:
    return {"microservice": "connector", "config": {"connection_id": 1, "endpoint": key, **config}}


async def pages(seen: Seen) -> web.Response:
    items = {"1": [{"id": 1}, {"id": 2}], "2": [{"id": 3}]}.get(seen.query.get("page", ""), [])
    return web.json_response({"data": items})


async def test_a_step_runs_the_endpoint_that_it_names(server: World, remote: Remote) -> None:
    await connect(server, remote)
    remote.answer = pages
    split = {"microservice": "split", "config": {"path": "."}}
    flow = await server.flow(step("orders.list"), split, step("orders.create"))
    run = await flow.run()
    assert run["status"] == Status.SUCCESS, run
    lists = [seen for seen in remote.seen if seen.method == "GET"]
    assert {seen.path for seen in lists} == {"/v1/stores/north/orders"}
    assert lists[0].query == {"status": "open", "page": "1", "per_page": "2"}
    assert (lists[0].headers["x-key"], lists[0].headers["x-region"]) == ("s3cret", "eu")
    sends = [seen for seen in remote.seen if seen.method == "PUT"]
    assert [seen.path for seen in sends] == ["/v1/orders/1", "/v1/orders/2", "/v1/orders/3"]
    assert sends[0].body == {"number": 1, "store": "north"}
    assert sends[0].headers["x-store"] == "north"


async def test_what_the_step_says_wins(server: World, remote: Remote) -> None:
    await connect(server, remote)
    own = step("orders.create", method="POST", headers={"X-Own": "1"}, body={"own": "{{store}}"})
    flow = await server.flow(own, deploy=False)
    config = (await server.get(flow.graph)).data["steps"][-1]["config"]
    assert config == {
        "connection_id": 1,
        "endpoint": "orders.create",
        "direction": "send",
        "method": "POST",
        "url": "/orders/[[payload.id]]",
        "headers": {"X-Own": "1", "X-Store": "{{store}}"},
        "body": {"own": "{{store}}"},
    }
    await server.put(f"/flow-versions/{flow.version_id}/variables", json={"variables": {"store": "flow's"}})
    await flow.deploy()
    await flow.run({"id": 7})
    (seen,) = remote.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/v1/orders/7", {"own": "flow's"})


async def test_a_rule_sees_the_variables_of_its_connection(server: World, remote: Remote) -> None:
    await connect(server, remote)

    async def locked(seen: Seen) -> web.Response:
        return web.json_response({"store": "north"}, status=409)

    remote.answer = locked
    where = {"field": "store", "operator": "equals", "value": "{{store}}"}
    rules = [{"status": "409", "where": where, "action": "continue"}]
    flow = await server.flow(step("orders.create", response_rules=rules, body={}, headers={"X-Store": "1"}))
    assert (await flow.run({"id": 1}))["status"] == Status.SUCCESS


async def test_a_connector_tells_where_tokens_come_from(server: World, remote: Remote) -> None:
    async def answer(seen: Seen) -> web.Response:
        return web.json_response({"access_token": "t0ken", "token_type": "bearer", "expires_in": 60})

    remote.answer = answer
    auth = {
        "type": "oauth2_client_credentials",
        "token_url": remote.url("/{{store}}/token"),
        "client_id": "flowloom",
    }
    document = shop_connector.document(base_url=remote.url("/v1"), auth=auth)
    await server.post("/connectors", json={"name": "Shop", "document": document})
    own = {"auth": {"client_secret": "s3cret"}, "variables": {"store": "north"}}
    await server.post("/connections", json={"name": "EU", "connector_id": 1, **own})
    flow = await server.flow(step("orders.create"))
    assert (await flow.run({"id": 1}))["status"] == Status.SUCCESS
    asked, sent = remote.seen
    assert (asked.path, sent.path) == ("/north/token", "/v1/orders/1")
    assert sent.headers["authorization"] == "Bearer t0ken"


async def test_a_deployed_version_and_its_runs_do_not_change_with_the_connector(
    server: World, remote: Remote
) -> None:
    await connect(server, remote)
    flow = await server.flow(step("orders.create"))
    version = (await server.get(flow.path)).data
    edited = shop_connector.document(base_url=remote.url("/v1"), endpoints=[])
    queued = await flow.start({"id": 1})
    assert (await server.put("/connectors/1", json={"document": edited})).status == 200
    await server.work()
    assert (await server.get(f"/flow-runs/{queued}")).data["status"] == Status.SUCCESS
    await flow.run({"id": 2})
    assert [(seen.method, seen.path) for seen in remote.seen] == [
        ("PUT", "/v1/orders/1"),
        ("PUT", "/v1/orders/2"),
    ]
    assert (await server.get(flow.path)).data["content_hash"] == version["content_hash"]


async def changed(server: World, flow: Flow, config: dict[str, Any]) -> Any:
    return await server.patch(f"{flow.graph}/steps/{flow.last_step_id}", json={"config": config})


async def test_another_endpoint_takes_the_place_of_the_copied_one(server: World, remote: Remote) -> None:
    await connect(server, remote)
    flow = await server.flow(step("orders.list"), deploy=False)
    copied = (await server.get(flow.graph)).data["steps"][-1]["config"]
    assert (await changed(server, flow, copied)).data["config"] == copied
    other = (await changed(server, flow, {**copied, "endpoint": "orders.create"})).data["config"]
    alone = (await changed(server, flow, step("orders.create")["config"])).data["config"]
    assert other == alone
    assert (alone["method"], "pagination" in alone) == ("PUT", False)


async def test_an_endpoint_that_is_not_there_is_refused(server: World, remote: Remote) -> None:
    await connect(server, remote)
    await server.post("/connections", json={"name": "Plain", "base_url": remote.url()})
    flow = await server.flow(deploy=False)
    place = {"parent_id": (await server.get(flow.graph)).data["steps"][0]["id"]}
    for wanted in (
        step("orders.delete"),
        step("orders.list", connection_id=2),
        step("orders.list", connection_id=99),
        step("orders.list", connection_id=None),
    ):
        answer = await server.post(f"{flow.graph}/steps", json={**wanted, **place})
        assert (answer.status, list(answer.json()["errors"])) == (422, ["config.endpoint"])
    other = {"microservice": "batch", "config": {"size": 1, "endpoint": "orders.list"}}
    answer = await server.post(f"{flow.graph}/steps", json={**other, **place})
    assert list(answer.json()["errors"]) == ["config.endpoint"]
    assert "Unknown key" in answer.json()["message"]
