"""Callback URLs: the caller waits, gets what the callback step answers, and the flow goes on."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select
from tests import remote as remotes
from tests.asgi import Answer
from tests.remote import Remote
from tests.world import Flow, World

from flowloom.services import callbacks
from flowloom.store import tables

SUCCESS, FAILURE, STOPPED = 2, 3, 4
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
async def remote() -> AsyncIterator[Remote]:
    async with remotes.serving() as opened:
        yield opened


def answering(**config: Any) -> dict[str, Any]:
    return {"microservice": "callback", "config": config}


async def url_of(server: World, flow: Flow, **fields: Any) -> str:
    parts = urlsplit((await server.post(f"/flows/{flow.id}/webhooks", json=fields)).data["callback_url"])
    return f"{parts.path}?{parts.query}"


async def the_run(server: World) -> dict[str, Any]:
    """The one run that there is."""
    (run,) = (await server.get("/flow-runs")).data
    found: dict[str, Any] = run
    return found


async def call(server: World, url: str, **sent: Any) -> Answer:
    """Call a callback URL, and turn the dispatcher while it waits."""
    waiting = asyncio.ensure_future(server.post(url, key=None, **sent))
    while not waiting.done():
        await server.work()
        await asyncio.sleep(0.001)
    return await waiting


async def test_the_payload_is_the_answer(server: World) -> None:
    flow = await server.flow(answering())
    assert (await server.get(flow.path)).data["has_callback_step"] is True
    answer = await call(server, await url_of(server, flow), json={"id": 7})
    assert (answer.status, answer.json()) == (200, {"id": 7})
    assert answer.headers["content-type"] == "application/json"
    run = await the_run(server)
    assert (run["trigger"], run["status"]) == ("Callback", SUCCESS)


async def test_status_headers_and_body_come_from_the_step(server: World) -> None:
    headers = {"Location": "/orders/[[payload.id]]", "X-Shop": "{{shop}}"}
    step = answering(status=201, headers=headers, body={"id": "[[payload.id]]", "state": "taken"})
    flow = await server.flow({**step, "variables": {"shop": "nl"}})
    answer = await call(server, await url_of(server, flow), json={"id": 7})
    assert (answer.status, answer.json()) == (201, {"id": 7, "state": "taken"})
    assert (answer.headers["location"], answer.headers["x-shop"]) == ("/orders/7", "nl")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {"headers": {"Content-Type": "[[payload.type]]"}},
            "cannot be written as application/xml; charset=bogus",
        ),
        ({"headers": {"Content-Type": "text/plain; charset=ascii"}, "body": "[[payload.name]]"}, "ascii"),
    ],
)
async def test_an_answer_that_cannot_be_written_fails_its_payload(
    server: World, config: Any, said: str
) -> None:
    guarded = {"microservice": "try-catch"}
    flow = await server.flow(guarded, deploy=False)
    leg, caught = (await server.get(f"{flow.graph}/steps/{flow.last_step_id}/routes")).data
    for route, step in ((leg, answering(**config)), (caught, answering(body="[[meta.error_message]]"))):
        where = {"parent_id": flow.last_step_id, "flow_step_route_id": route["id"]}
        await server.post(f"{flow.graph}/steps", json={**step, **where})
    await flow.deploy()
    sent = {"type": "application/xml; charset=bogus", "name": "Zoë"}
    answer = await call(server, await url_of(server, flow), json=sent)
    assert answer.status == 200
    assert said in answer.body.decode()
    assert (await the_run(server))["status"] == 5


async def test_a_binary_payload_answers_as_what_it_is(server: World) -> None:
    flow = await server.flow(answering(body="[[payload]]"))
    url = await url_of(server, flow)
    answer = await call(server, url, body=b"\x89PNG\xff", headers={"content-type": "image/png"})
    assert (answer.headers["content-type"], answer.body) == ("image/png", b"\x89PNG\xff")
    claimed = await server.flow(answering(body="[[payload]]", headers={"Content-Type": "application/json"}))
    url = await url_of(server, claimed)
    answer = await call(server, url, body=b"\x89PNG\xff", headers={"content-type": "image/png"})
    assert answer.status == 422
    told = (await server.get(f"/flow-runs/{answer.json()['flow_run_id']}")).data["summary"]["error"][
        "message"
    ]
    assert "is no JSON" in told


@pytest.mark.parametrize(
    ("config", "content_type", "body"),
    [
        ({"body": "Thanks, [[payload.name]]"}, "text/plain; charset=utf-8", "Thanks, Zoë".encode()),
        ({"body": None}, "application/json", b"null"),
        ({"body": ["[[payload.name]]"]}, "application/json", '["Zoë"]'.encode()),
        ({"body": "[[payload]]"}, "application/json", '{"name":"Zoë"}'.encode()),
        ({"body": "a;b", "headers": {"content-type": "text/csv"}}, "text/csv", b"a;b"),
        ({"body": "a", "headers": {"Content-Type": "application/json"}}, "application/json", b'"a"'),
        ({"status": 204}, None, b""),
    ],
)
async def test_bodies(
    sqlite_server: World, config: dict[str, Any], content_type: str | None, body: bytes
) -> None:
    flow = await sqlite_server.flow(answering(**config))
    answer = await call(sqlite_server, await url_of(sqlite_server, flow), json={"name": "Zoë"})
    assert (answer.body, answer.headers.get("content-type")) == (body, content_type)


async def test_the_flow_goes_on_after_the_answer(server: World, remote: Remote) -> None:
    remote.answer = remotes.hang
    flow = await server.flow(answering(body="taken"), remote.send("/later"))
    url = await url_of(server, flow)
    waiting = asyncio.ensure_future(server.post(url, json={"id": 7}, key=None))
    while not await server.server.duty.dispatcher.tick(server.clock.now):
        await asyncio.sleep(0.001)
    answer = await waiting
    assert (answer.status, answer.body) == (200, b"taken")
    run = await the_run(server)
    assert run["status"] == 1
    await server.post(f"/flow-runs/{run['id']}/stop")
    await server.settle()


async def test_only_the_first_answer_counts(server: World) -> None:
    batch = {"microservice": "batch", "config": {"size": 1}}
    flow = await server.flow(batch, answering(), answering(body="second"))
    answer = await call(server, await url_of(server, flow), json=[{"n": 1}, {"n": 2}])
    assert answer.json() == [{"n": 1}]
    kept = select(func.count()).select_from(tables.payloads).where(tables.payloads.c.kind == "answer")
    assert await server.platform.database.read(lambda db: db.scalar(kept)) == 1
    shown = (await server.get("/payload-metadata", query={"filter[kind]": "answer"})).data
    assert [one["step_key"] for one in shown] == ["callback"]


async def test_a_run_without_an_answer(server: World, remote: Remote) -> None:
    flow = await server.flow(remote.send("/to"))
    url = await url_of(server, flow)
    done = await call(server, url, json={"id": 1})
    id = (await the_run(server))["id"]
    assert (done.status, done.json()["status"], done.json()["flow_run_id"]) == (200, SUCCESS, id)
    remote.answers(400)
    failed = await call(server, url, json={"id": 2})
    assert (failed.status, failed.json()["status"], failed.json()["flow_run_id"]) == (422, FAILURE, id + 1)


async def test_a_stopped_run_answers_at_once(server: World) -> None:
    flow = await server.flow({"microservice": "delay", "config": {"seconds": 60}}, answering())
    waiting = asyncio.ensure_future(server.post(await url_of(server, flow), json={}, key=None))
    while not await server.work():
        await asyncio.sleep(0.001)
    await server.post(f"/flow-runs/{(await the_run(server))['id']}/stop")
    answer = await waiting
    assert (answer.status, answer.json()["status"]) == (422, STOPPED)


async def test_after_the_time_limit_the_run_goes_on(server: World) -> None:
    flow = await server.flow(answering())
    answer = await server.post(f"{await url_of(server, flow)}&wait_seconds=0", json={"id": 7}, key=None)
    id = (await the_run(server))["id"]
    assert (answer.status, answer.json()) == (202, {"message": "The run goes on.", "flow_run_id": id})
    await server.work()
    assert (await the_run(server))["status"] == SUCCESS


@pytest.mark.parametrize("seconds", ["301", "-1", "x", "1.5", "", "9999"])
async def test_a_wrong_time_limit_starts_nothing(sqlite_server: World, seconds: str) -> None:
    url = await url_of(sqlite_server, await sqlite_server.flow())
    answer = await sqlite_server.post(f"{url}&wait_seconds={seconds}", json={}, key=None)
    assert (answer.status, list(answer.json()["errors"])) == (422, ["wait_seconds"])
    assert (await sqlite_server.get("/flow-runs")).data == []


async def test_a_replayed_key_gets_the_first_answer(server: World) -> None:
    flow = await server.flow(answering(body={"id": "[[payload.id]]"}))
    url = await url_of(server, flow)
    key = {"idempotency-key": "order-7"}
    first = await call(server, url, json={"id": 7}, headers=key)
    again = await call(server, url, json={"id": 7}, headers=key)
    assert first.json() == again.json() == {"id": 7}
    assert len((await server.get("/flow-runs")).data) == 1
    longer = await call(server, f"{url}&wait_seconds=9", json={"id": 7}, headers=key)
    assert longer.json() == {"id": 7}
    other = await call(server, url, json={"id": 8}, headers=key)
    assert (other.status, list(other.json()["errors"])) == (422, ["Idempotency-Key"])


async def test_a_replayed_key_of_a_run_that_is_gone(server: World) -> None:
    flow = await server.flow(answering())
    url = await url_of(server, flow)
    key = {"idempotency-key": "order-7"}
    await call(server, url, json={"id": 7}, headers=key)
    server.platform.database.write_now(lambda db: db.execute(tables.runs.delete()))
    assert (await call(server, url, json={"id": 7}, headers=key)).status == 404


async def test_calls_are_signed_where_there_is_a_secret(server: World) -> None:
    flow = await server.flow(answering())
    url = await url_of(server, flow, secret=SECRET)
    assert (await server.post(url, json={}, key=None)).status == 401
    at, body = int(server.clock.now.timestamp()), b'{"id": 7}'
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, f"msg_1.{at}.".encode() + body, "sha256")).decode()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signature}",
    }
    answer = await call(server, url, body=body, headers=headers)
    assert (answer.status, answer.json()) == (200, {"id": 7})


async def test_each_door_has_a_signature_of_its_own(server: World) -> None:
    flow = await server.flow(answering())
    url = await url_of(server, flow)
    assert (await server.post(url.replace("/callbacks/", "/webhooks/"), json={}, key=None)).status == 404
    assert (await server.post(url.replace("signature=", "signature=x"), json={}, key=None)).status == 404
    assert (await server.get("/flow-runs")).data == []


async def test_an_answer_from_another_process_is_found(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing signals here: what is committed is found all the same."""
    monkeypatch.setattr(server.platform.broker, "publish", lambda *_: None)
    monkeypatch.setattr(callbacks, "LOOK_AGAIN_SECONDS", 0.01)
    flow = await server.flow(answering(body="found"))
    answer = await call(server, await url_of(server, flow), json={})
    assert answer.body == b"found"


async def test_a_caller_who_goes_away_stops_nothing(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "LOOK_AGAIN_SECONDS", 0.01)
    flow = await server.flow(answering())
    path, _, query = (await url_of(server, flow)).partition("?")
    sent = [{"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return sent.pop(0) if len(sent) > 1 else sent[0]

    async def send(_message: Any) -> None:
        pass

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": query.encode(),
        "headers": [],
        "root_path": "",
    }
    await asyncio.wait_for(server.server.app(scope, receive, send), 20)
    assert await server.work() == 1
    assert (await the_run(server))["status"] == SUCCESS


async def test_a_going_server_lets_its_callers_go(server: World) -> None:
    flow = await server.flow(answering())
    waiting = asyncio.ensure_future(server.post(await url_of(server, flow), json={}, key=None))
    while not (await server.get("/flow-runs")).data:
        await asyncio.sleep(0.001)
    while not server.platform.broker.is_watched((await the_run(server))["id"]):
        await asyncio.sleep(0.001)
    server.platform.broker.close_watchers()
    assert (await asyncio.wait_for(waiting, 5)).status == 202


async def test_a_header_that_a_payload_breaks_fails_the_run(server: World) -> None:
    flow = await server.flow(answering(headers={"X-Name": "[[payload.name]]"}))
    url = await url_of(server, flow)
    for name in ("a\r\nSet-Cookie: x", "Zoë", "x" * 2001):
        answer = await call(server, url, json={"name": name})
        assert (answer.status, answer.json()["status"]) == (422, FAILURE)
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "name",
    [
        "Set-Cookie",
        "Connection",
        "Transfer-Encoding",
        "Content-Length",
        "X-Frame-Options",
        "X-Content-Type-Options",
        "X Y",
        "Server",
        "Content-Security-Policy",
        "Access-Control-Allow-Origin",
    ],
)
async def test_headers_that_no_flow_sets(sqlite_server: World, name: str) -> None:
    flow = await sqlite_server.flow(deploy=False)
    answer = await sqlite_server.post(
        f"{flow.graph}/steps",
        json={**answering(headers={name: "x"}), "parent_id": 1},
    )
    assert (answer.status, list(answer.json()["errors"])) == (422, [f"config.headers.{name}"])


async def test_a_large_answer(sqlite_server: World) -> None:
    flow = await sqlite_server.flow(answering())
    sent = {"text": [f"{number:09}" for number in range(60_000)]}
    answer = await call(sqlite_server, await url_of(sqlite_server, flow), json=sent)
    assert answer.json() == sent


async def test_a_waiting_parent_gets_the_answer(server: World, remote: Remote) -> None:
    child = await server.flow(answering(body={"double": "[[payload.n]]"}))
    parent = await server.flow(
        {"microservice": "run-flow", "config": {"flow_id": child.id, "wait": True}}, remote.send("/to")
    )
    await parent.start({"n": 2})
    await server.work()
    await server.work()
    assert remote.bodies("/to") == [{"double": 2}]
