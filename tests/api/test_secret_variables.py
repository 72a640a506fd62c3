"""Secret variables of a version: what they take, that they never come out, and where they may stand."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from tests.asgi import Answer
from tests.world import Flow, World

from flowloom.store import tables

TOKEN, OTHER = "tok-4f9a8b7c6d5e", "tok-another-one"
SEND = {"direction": "send", "url": "https://shop.example.com/orders"}
IS = {"field": "a", "operator": "equals", "value": "{{token}}"}
STATEMENT = {"statement": "SELECT :a", "parameters": {"a": "{{token}}"}}


async def put(flow: Flow, secrets: Any = None, variables: dict[str, Any] | None = None) -> Answer:
    sent = {"variables": variables or {}, **({} if secrets is None else {"secrets": secrets})}
    return await flow.world.put(f"/flow-versions/{flow.version_id}/variables", json=sent)


async def hash_of(flow: Flow) -> str:
    found: str = (await flow.world.get(flow.path)).data["content_hash"]
    return found


async def test_secrets_are_answered_by_name_only(server: World) -> None:
    flow = await server.flow(deploy=False)
    answer = await put(flow, {"token": TOKEN, "a.b": OTHER}, {"shop": "nl"})
    assert answer.json() == {"data": {"shop": "nl"}, "secrets": ["a.b", "token"]}
    assert "etag" in answer.headers
    reader = await server.token("read-only")
    read = await server.get(f"/flow-versions/{flow.version_id}/variables", key=reader)
    assert read.json() == answer.json()
    version = (await server.get(flow.path, query={"include": "variables"})).data
    assert (version["variables"], version["secrets"]) == ({"shop": "nl"}, ["a.b", "token"])
    assert "secrets" not in (await server.get(flow.path)).data


async def test_given_secrets_replace_the_set_and_null_keeps_a_value(server: World) -> None:
    flow = await server.flow(deploy=False)
    await put(flow, {"token": TOKEN, "gone": OTHER})
    both = await hash_of(flow)
    assert (await put(flow)).json()["secrets"] == ["gone", "token"]
    assert await hash_of(flow) == both
    assert (await put(flow, {"token": None, "gone": None})).json()["secrets"] == ["gone", "token"]
    assert await hash_of(flow) == both
    assert (await put(flow, {"token": None})).json()["secrets"] == ["token"]
    assert (await put(flow, {})).json()["secrets"] == []


async def test_the_hash_tells_a_changed_value_and_nothing_else_of_it(server: World) -> None:
    flow = await server.flow(deploy=False)
    without = await hash_of(flow)
    await put(flow, {"token": TOKEN})
    first = await hash_of(flow)
    await put(flow, {"token": TOKEN})
    assert await hash_of(flow) == first != without
    await put(flow, {"token": OTHER})
    assert await hash_of(flow) not in (first, without)
    # Other names and other companies have other digests: nobody sees that two values are equal.
    await put(flow, {"token": TOKEN, "same": TOKEN})
    stored = server.platform.database.read_now(lambda db: db.scalar(select(tables.versions.c.secrets)))
    assert stored["token"]["digest"] != stored["same"]["digest"]
    await put(flow, {})
    assert await hash_of(flow) == without


@pytest.mark.parametrize(
    ("secrets", "variables", "field"),
    [
        ({"token": "short"}, {}, "secrets.token"),
        ({"token": "        a        "}, {}, "secrets.token"),
        ({"token": "x" * 10_001}, {}, "secrets.token"),
        ({"token": None}, {}, "secrets.token"),
        ({"token": 12345678}, {}, "secrets.token"),
        ({"to ken": TOKEN}, {}, "secrets.to ken"),
        ({"token": TOKEN}, {"token": 1}, "secrets.token"),
        ({f"t{number}": TOKEN for number in range(101)}, {}, "secrets"),
        ([TOKEN], {}, "secrets"),
        ({"token": "nul\0nul\0nul"}, {}, "secrets.token"),
        ({"token": "redacted"}, {}, "secrets.token"),
    ],
)
async def test_what_no_secret_may_be(
    sqlite_server: World, secrets: Any, variables: dict[str, Any], field: str
) -> None:
    flow = await sqlite_server.flow(deploy=False)
    answer = await put(flow, secrets, variables)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])
    assert TOKEN.encode() not in answer.body


async def test_a_name_that_is_a_secret_cannot_become_a_variable_beside_it(sqlite_server: World) -> None:
    flow = await sqlite_server.flow(deploy=False)
    await put(flow, {"token": TOKEN})
    answer = await put(flow, None, {"token": "open"})
    assert (answer.status, list(answer.json()["errors"])) == (422, ["secrets.token"])


async def test_only_a_draft_takes_secrets_and_only_from_managers(server: World) -> None:
    flow = await server.flow()
    assert (await put(flow, {"token": TOKEN})).status == 403
    user = await server.token("user")
    sent = {"variables": {}, "secrets": {"token": TOKEN}}
    path = f"/flow-versions/{flow.version_id}/variables"
    assert (await server.put(path, json=sent, key=user)).status == 403


@pytest.mark.parametrize(
    ("microservice", "config", "field"),
    [
        ("map", {"rules": [{"target": "a", "template": "{{token}}"}]}, "rules.0.template"),
        ("map", {"rules": [{"target": "a", "variable": "token"}]}, "rules.0.variable"),
        ("set-variables", {"variables": {"a": "{{token}}"}}, "variables"),
        ("set-variables", {"meta": {"a": "{{token}}"}}, "meta"),
        ("set-variables", {"variables": {"token": "x"}}, "variables.token"),
        ("manual-payload", {"body": "{{token}}", "content_type": "text/plain"}, "body"),
        ("filter", {"keep": True, "where": IS}, "where"),
        ("assert", {"where": IS}, "where"),
        ("callback", {"body": "{{token}}"}, "body"),
        ("cache", {"action": "add", "scope": "flow", "key": "{{token}}"}, "key"),
        ("track", {"entity_type": "a", "value": "{{token}}"}, "value"),
        ("connector", {"direction": "receive", "connection_id": 1, "sql": STATEMENT}, "sql.parameters"),
        ("connector", {**SEND, "response_rules": [{"action": "fail", "where": IS}]}, "response_rules.0.where"),
    ],
)  # fmt: skip
async def test_a_secret_stands_only_in_what_a_connector_sends(
    sqlite_server: World, microservice: str, config: dict[str, Any], field: str
) -> None:
    await sqlite_server.post("/connections", json={"name": "Shop", "base_url": "https://shop.example.com"})
    flow = await sqlite_server.flow(deploy=False)
    step = await flow.add(microservice, config=config)
    assert "id" in step, step
    await put(flow, {"token": TOKEN})
    answer = await sqlite_server.put(flow.path, json={"deployed_at": sqlite_server.clock.now.isoformat()})
    found = answer.json()["errors"]
    assert list(found) == [f"steps.{step['id']}.config.{field}"]
    assert "secret" in answer.json()["message"]


async def test_a_notification_a_child_and_an_own_variable_hold_no_secret(sqlite_server: World) -> None:
    group = {"name": "Ops", "channels": [{"type": "log"}]}
    group_id = (await sqlite_server.post("/notification-groups", json=group)).data["id"]
    other = await sqlite_server.flow()
    flow = await sqlite_server.flow(deploy=False)
    told = await flow.add(
        "notify", config={"group_id": group_id, "subject": "{{token}}", "text": "{{token}}"}
    )
    child = await flow.add("run-flow", config={"flow_id": other.id, "variables": {"a": "{{token}}"}})
    own = await flow.add("connector", config={**SEND, "body": "{{a}}"}, variables={"a": "{{token}}"})
    await put(flow, {"token": TOKEN})
    answer = await sqlite_server.put(flow.path, json={"deployed_at": sqlite_server.clock.now.isoformat()})
    assert list(answer.json()["errors"]) == [
        f"steps.{told['id']}.config.subject",
        f"steps.{told['id']}.config.text",
        f"steps.{child['id']}.config.variables",
        f"steps.{own['id']}.variables",
    ]
