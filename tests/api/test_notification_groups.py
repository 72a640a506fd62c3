"""Notification groups: what they take, whose they are, and that nobody is left without one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.asgi import Answer
from tests.world import World

GROUP = {
    "name": "Operators",
    "channels": [
        {"type": "email", "to": ["jo@example.com"]},
        {"type": "webhook", "url": "https://hooks.example.com/T0/secret?x=1"},
        {"type": "log"},
    ],
}
PATH = "/notification-groups"


async def test_a_group_is_created_changed_listed_and_deleted(server: World) -> None:
    made = (await server.post(PATH, json=GROUP)).data
    times = dict.fromkeys(("created_at", "updated_at"), "2026-03-02T10:00:00.000000Z")
    assert made == {"id": 1, **GROUP, **times}
    assert (await server.get(PATH)).data == [made]
    assert (await server.get(f"{PATH}/1")).data == made
    changed = (await server.put(f"{PATH}/1", json={"name": "Ops"})).data
    assert changed == {**made, "name": "Ops"}
    changed = (await server.put(f"{PATH}/1", json={"channels": [{"type": "log"}]})).data
    assert (changed["name"], changed["channels"]) == ("Ops", [{"type": "log"}])
    assert (await server.put(f"{PATH}/1", json={})).data == changed
    assert (await server.delete(f"{PATH}/1")).json() == {"message": "Notification group 1 was deleted."}
    assert (await server.get(f"{PATH}/1")).status == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"channels": []}, "channels"),
        ({"channels": [{"type": "log"}] * 21}, "channels"),
        ({"channels": [{"type": "pigeon"}]}, "channels.0"),
        ({"channels": [{"type": "log", "to": ["jo@example.com"]}]}, "channels.0.log.to"),
        ({"channels": [{"type": "email", "to": []}]}, "channels.0.email.to"),
        (
            {"channels": [{"type": "email", "to": ["jo@example.com, ann@example.com"]}]},
            "channels.0.email.to.0",
        ),
        ({"channels": [{"type": "email", "to": ["a@b.c\r\nBcc: d@e.f"]}]}, "channels.0.email.to.0"),
        ({"channels": [{"type": "webhook", "url": "file:///etc/passwd"}]}, "channels.0.url"),
        ({"channels": [{"type": "webhook", "url": "https://u:p@example.com/"}]}, "channels.0.url"),
        ({"channels": [{"type": "webhook", "url": "https://[::1/"}]}, "channels.0.url"),
        ({"channels": [{"type": "webhook", "url": "https://example.com:99999/"}]}, "channels.0.url"),
    ],
)
async def test_wrong_groups_are_refused(sqlite_server: World, fields: dict[str, Any], field: str) -> None:
    await sqlite_server.post(PATH, json=GROUP)
    for answer in (
        await sqlite_server.post(PATH, json={**GROUP, **fields}),
        await sqlite_server.put(f"{PATH}/1", json=fields),
    ):
        assert (answer.status, list(answer.json()["errors"])) == (422, [field])


async def test_a_test_is_queued_for_every_channel(server: World) -> None:
    await server.post(PATH, json=GROUP)
    queued = (await server.post(f"{PATH}/1/test")).data
    assert [(one["channel"], one.get("to"), one["state"]) for one in queued] == [
        ("email", ["jo@example.com"], "queued"),
        ("webhook", ["hooks.example.com"], "queued"),
        ("log", None, "queued"),
    ]
    assert len((await server.post(f"{PATH}/1/test")).data) == 3
    assert (await server.post(f"{PATH}/2/test")).status == 404
    # The path of a webhook may be all that its owner keeps secret.
    listed = await server.get("/notifications", key=await server.token("read-only"))
    assert len(listed.data) == 6
    assert b"secret" not in listed.body


async def test_only_managers_see_groups(sqlite_server: World) -> None:
    await sqlite_server.post(PATH, json=GROUP)
    for role, status in (("read-only", 403), ("user", 403), ("manager", 200)):
        assert (await sqlite_server.get(f"{PATH}/1", key=await sqlite_server.token(role))).status == status


def notifying(group_id: int) -> dict[str, Any]:
    return {"microservice": "notify", "config": {"group_id": group_id, "subject": "[[payload.id]]"}}


async def test_a_group_in_use_stays(server: World) -> None:
    await server.post(PATH, json=GROUP)
    flow = await server.flow(notifying(1))
    answer = await server.delete(f"{PATH}/1")
    assert (answer.status, list(answer.json()["errors"])) == (422, ["notification_group"])
    assert f"version 1 of flow {flow.id}" in answer.json()["message"]
    await server.put(flow.path, json={"deployed_at": None})
    await server.put(f"/flows/{flow.id}", json={"alerts": {"notification_group_id": 1}})
    answer = await server.delete(f"{PATH}/1")
    assert (answer.status, "the alerts of flow" in answer.json()["message"]) == (422, True)
    await server.put(f"/flows/{flow.id}", json={"alerts": None})
    assert (await server.delete(f"{PATH}/1")).status == 200


async def test_a_step_names_a_group_of_its_company(server: World) -> None:
    await server.post(PATH, json=GROUP, key=server.other_key)
    flow = await server.flow(deploy=False)
    parent = (await server.get(flow.graph)).data["steps"][0]["id"]
    for id in (1, 99, 2**70):
        answer = await server.post(f"{flow.graph}/steps", json={**notifying(id), "parent_id": parent})
        assert (answer.status, list(answer.json()["errors"])) == (422, ["config.group_id"])


async def test_a_deployed_version_has_its_group(server: World) -> None:
    await server.post(PATH, json=GROUP)
    flow = await server.flow(notifying(1), deploy=False)
    await server.delete(f"{PATH}/1")
    answer = await server.put(flow.path, json={"deployed_at": server.clock.now.isoformat()})
    field = f"steps.{flow.last_step_id}.config.group_id"
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])
    assert "Notification group 1 was not found" in answer.json()["message"]


SLACK = "https://hooks.example.com/services/{{team}}/{{token}}"
TOKEN, TEAM = "tok-4f9a8b7c6d5e", "T0123456789"


async def channels(server: World, *channels: dict[str, Any]) -> Answer:
    return await server.put(f"{PATH}/1", json={"channels": channels})


async def test_the_secrets_of_a_webhook_are_answered_by_name_only(server: World) -> None:
    hook = {"type": "webhook", "url": SLACK, "secrets": {"team": TEAM, "token": TOKEN}}
    made = await server.post(PATH, json={"name": "Ops", "channels": [hook]})
    shown = [{"type": "webhook", "url": SLACK, "secrets": ["team", "token"]}]
    assert made.data["channels"] == shown
    assert (await server.get(f"{PATH}/1")).data["channels"] == shown
    # A client that knows nothing of them sends back what it is shown of the rest, and takes nothing away.
    unknowing = [{"type": "log"}, {"type": "webhook", "url": SLACK}]
    assert (await channels(server, *unknowing)).data["channels"] == [{"type": "log"}, *shown]
    kept = {"type": "webhook", "url": SLACK, "secrets": {"team": None, "token": "another-token"}}
    assert (await channels(server, kept)).data["channels"] == shown


@pytest.mark.parametrize(
    ("channel", "field"),
    [
        ({"url": SLACK, "secrets": {"token": TOKEN}}, "url"),
        ({"url": "https://{{token}}.example.com/", "secrets": {"token": TOKEN}}, "url"),
        ({"url": SLACK, "secrets": {"token": "short", "team": TEAM}}, "secrets.token"),
        ({"url": "https://other.example.com/{{token}}", "secrets": {"token": None}}, "secrets.token"),
    ],
)
async def test_what_no_secret_of_a_webhook_may_be(
    sqlite_server: World, channel: dict[str, Any], field: str
) -> None:
    hook = {"type": "webhook", "url": SLACK, "secrets": {"team": TEAM, "token": TOKEN}}
    await sqlite_server.post(PATH, json={"name": "Ops", "channels": [hook]})
    answer = await channels(sqlite_server, {"type": "webhook", **channel})
    assert (answer.status, list(answer.json()["errors"])) == (422, [f"channels.0.{field}"])
    assert TOKEN.encode() not in answer.body
