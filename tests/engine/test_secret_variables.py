"""Secret variables in runs: filled in where a connector sends, pinned with the version, never kept."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import select, update
from tests import remote as remotes
from tests.api.test_secret_variables import OTHER, TOKEN, hash_of, put
from tests.remote import Remote, Seen
from tests.world import Flow, World

from flowloom.store import tables

SUCCESS, FAILURE = 2, 3


def uses(remote: Remote, path: str = "/orders") -> dict[str, Any]:
    return remote.send(
        f"{path}/{{{{token}}}}",
        query={"key": "{{token}}"},
        headers={"X-Token": "Token {{token}}"},
        body={"id": "[[payload.id]]", "auth": ["{{token}}"], "shop": "{{shop}}"},
        response_format="json",
    )


async def flow_with(server: World, *steps: dict[str, Any], secret: str = TOKEN) -> Flow:
    flow = await server.flow(*steps, deploy=False)
    await put(flow, {"token": secret}, {"shop": "nl"})
    await flow.deploy()
    return flow


async def redrawn(flow: Flow, secret: str) -> Flow:
    """A Draft of it with another secret."""
    copied = (await flow.world.post(f"{flow.path}/copy")).data
    copy = Flow(flow.world, flow.id, copied["id"])
    await put(copy, {"token": secret}, {"shop": "nl"})
    return copy


async def test_a_secret_is_filled_in_wherever_a_connector_sends(server: World, remote: Remote) -> None:
    flow = await flow_with(server, uses(remote))
    assert (await flow.run({"id": 7}))["status"] == SUCCESS
    [seen] = remote.seen
    assert (seen.path, seen.query) == (f"/orders/{TOKEN}", {"key": TOKEN})
    assert seen.headers["x-token"] == f"Token {TOKEN}"
    assert seen.body == {"id": 7, "auth": [TOKEN], "shop": "nl"}


async def test_what_a_server_echoes_of_it_is_not_kept(server: World, remote: Remote) -> None:
    async def echo(seen: Seen) -> web.Response:
        return web.json_response({"got": seen.headers["x-token"], "path": seen.path})

    remote.answer = echo
    run = await (await flow_with(server, uses(remote))).run({"id": 7})
    exchanges = await server.get(f"/flow-runs/{run['id']}/exchanges")
    payloads = server.platform.database.read_now(lambda db: db.execute(select(tables.payloads)).all())
    assert (
        exchanges.data[0]["response"]["body"] == '{"got": "Token [redacted]", "path": "/orders/[redacted]"}'
    )
    assert TOKEN.encode() not in exchanges.body
    assert payloads
    assert all(TOKEN.encode() not in (row.body or b"") for row in payloads)


async def test_a_run_keeps_the_secret_it_was_started_with(server: World, remote: Remote) -> None:
    flow = await server.flow(uses(remote), deploy=False)
    await put(flow, {"token": TOKEN}, {"shop": "nl"})
    start = await server.post(f"/flows/{flow.id}/start/raw/{flow.version_id}", json={"id": 1})
    assert start.status == 200
    await put(flow, {"token": OTHER}, {"shop": "nl"})
    await server.work()
    again = await server.post(f"/flows/{flow.id}/start/raw/{flow.version_id}", json={"id": 2})
    assert again.status == 200
    await server.work()
    assert [seen.query["key"] for seen in remote.seen] == [TOKEN, OTHER]


async def test_a_copy_has_the_secrets_and_the_hash_of_its_version(server: World, remote: Remote) -> None:
    flow = await flow_with(server, uses(remote))
    copied = (await server.post(f"{flow.path}/copy", query={"include": "variables"})).data
    copy = Flow(server, flow.id, copied["id"])
    assert copied["content_hash"] == (await server.get(flow.path)).data["content_hash"]
    await copy.deploy()
    assert (await copy.run({"id": 1}))["status"] == SUCCESS
    assert remote.seen[0].query == {"key": TOKEN}


async def test_a_retry_with_another_secret_sends_nothing_twice(server: World, remote: Remote) -> None:
    async def know_only_the_other(seen: Seen) -> web.Response:
        is_known = seen.path == "/first" or OTHER in seen.path
        return web.json_response({}, status=200 if is_known else 403)

    remote.answer = know_only_the_other
    flow = await flow_with(server, remote.send("/first", headers={"X-Token": "{{token}}"}), uses(remote))
    run = await flow.run({"id": 1})
    assert run["status"] == FAILURE
    copy = await redrawn(flow, OTHER)
    answer = await server.post(f"/flow-runs/{run['id']}/retry", json={"version": copy.version_id})
    assert answer.status == 200, answer.body
    await server.work()
    retried = (await server.get(f"/flow-runs/{answer.json()['flow_run_id']}")).data
    assert retried["status"] == SUCCESS, retried
    assert [seen.path for seen in remote.seen] == ["/first", f"/orders/{TOKEN}", f"/orders/{OTHER}"]
    # It is the same order, and its key is shown: it says nothing of the secret.
    assert remote.seen[1].key == remote.seen[2].key


async def test_a_header_with_a_secret_follows_no_redirect_to_another_host(
    server: World, remote: Remote
) -> None:
    async with remotes.serving() as elsewhere:

        async def move(seen: Seen) -> web.Response:
            return web.Response(status=307, headers={"location": elsewhere.url("/here")})

        remote.answer = move
        step = remote.send("/go", headers={"X-Token": "{{token}}", "X-Shop": "{{shop}}"})
        assert (await (await flow_with(server, step)).run({}))["status"] == SUCCESS
        [seen] = elsewhere.seen
        assert (seen.headers.get("x-token"), seen.headers["x-shop"]) == (None, "nl")
        assert remote.seen[0].headers["x-token"] == TOKEN


async def test_a_secret_that_cannot_be_opened_fails_the_run_and_is_not_sent(
    server: World, remote: Remote
) -> None:
    flow = await flow_with(server, uses(remote))
    columns = tables.definitions.c
    kept = server.platform.database.read_now(
        lambda db: db.scalar(select(columns.secrets).where(columns.secrets.is_not(None)))
    )
    moved = {"token": {**kept["token"], "sealed": kept["token"]["sealed"][:-4] + "AAAA"}}
    server.platform.database.write_now(
        lambda db: db.execute(update(tables.definitions).values(secrets=moved))
    )
    run = await flow.run({})
    assert (run["status"], "was altered" in run["summary"]["error"]["message"]) == (FAILURE, True)
    assert remote.seen == []


async def test_a_run_is_not_given_what_is_a_secret(server: World, remote: Remote) -> None:
    child = await server.flow(remote.send("/child"), deploy=False)
    await put(child, {"token": TOKEN})
    await child.deploy()
    sent = {"payload": "{}", "flow_variables": {"token": "mine"}}
    answer = await server.post(f"/flows/{child.id}/start", json=sent)
    assert (answer.status, list(answer.json()["errors"])) == (422, ["flow_variables.token"])
    query = {"flow_variables": '{"token": "mine"}'}
    raw = await server.post(f"/flows/{child.id}/start/raw", json={}, query=query)
    assert (raw.status, list(raw.json()["errors"])) == (422, ["flow_variables.token"])
    step = {
        "microservice": "run-flow",
        "config": {"flow_id": child.id, "wait": True, "variables": {"token": "mine"}},
    }
    run = await (await server.flow(step)).run({})
    assert (run["status"], "is a secret" in run["summary"]["error"]["message"]) == (3, True)
    assert remote.seen == []


async def test_an_export_names_the_secrets_and_an_import_asks_for_them(server: World, remote: Remote) -> None:
    flow = await server.flow(remote.send("/orders", headers={"X-Token": "{{token}}"}), deploy=False)
    await put(flow, {"token": TOKEN})
    await flow.deploy()
    uploaded = await server.post(
        f"/flow-versions/{flow.version_id}/upload", json={}, key=server.bearer("administrator")
    )
    kept = select(tables.marketplace_app_versions.c.document)
    document = server.platform.database.read_now(lambda db: db.scalar(kept))
    assert document["secrets"] == ["token"]
    assert "secrets" not in document["definition"]
    app_id = uploaded.data["marketplace_app_id"]
    made = (await server.post(f"/marketplace-apps/{app_id}/install", json={})).data
    version = (await server.get(f"/flows/{made['id']}/versions", query={"include": "variables"})).data[0]
    assert version["message"] == "Imported without its secrets; enter again: token"
    assert "secrets" not in version
    copy = Flow(server, made["id"], version["id"])
    refused = await server.put(copy.path, json={"deployed_at": server.clock.now.isoformat()})
    assert refused.status == 422
    assert "The variable 'token' is not known here" in refused.json()["message"]
    await put(copy, {"token": TOKEN})
    assert (await copy.deploy())["status"] == "Deployed"
    assert await hash_of(copy) == await hash_of(flow)


async def connection_to(server: World, remote: Remote) -> int:
    fields = {"name": "Shop", "base_url": remote.url(""), "secrets": {"key": OTHER, "token": OTHER}}
    id: int = (await server.post("/connections", json=fields)).data["id"]
    return id


async def test_a_step_sends_the_secrets_of_its_connection_to_its_hosts_only(
    server: World, remote: Remote
) -> None:
    id = await connection_to(server, remote)
    inside = {"direction": "send", "connection_id": id, "query": {"key": "{{key}}", "token": "{{token}}"}}
    outside = {**inside, "url": "https://elsewhere.example.com/?key={{key}}"}
    flow = await server.flow(
        {"microservice": "connector", "config": {**inside, "url": "/orders"}},
        {"microservice": "connector", "config": outside},
        deploy=False,
    )
    await put(flow, {"token": TOKEN})
    await flow.deploy()
    run = await flow.run({"id": 1})
    # What the version says comes before what its connection says, as with open variables.
    assert [seen.query for seen in remote.seen] == [{"key": OTHER, "token": TOKEN}]
    assert "may not be used for elsewhere.example.com" in run["summary"]["error"]["message"]


async def test_the_secrets_of_a_connection_stand_in_no_other_field(
    sqlite_server: World, remote: Remote
) -> None:
    id = await connection_to(sqlite_server, remote)
    where = {"field": "a", "operator": "equals", "value": "{{key}}"}
    step = {
        "direction": "send",
        "connection_id": id,
        "url": "/",
        "response_rules": [{"action": "fail", "where": where}],
    }
    flow = await sqlite_server.flow({"microservice": "connector", "config": step}, deploy=False)
    answer = await sqlite_server.put(flow.path, json={"deployed_at": sqlite_server.clock.now.isoformat()})
    assert list(answer.json()["errors"]) == [f"steps.{flow.last_step_id}.config.response_rules.0.where"]
