"""HEAD: what GET answers, without the body and behind the same role."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from tests import asgi
from tests.api.test_roles import all_operations
from tests.contract import document
from tests.world import World

from flowloom.api import head


async def ask(server: World, method: str, path: str, key: str | None = None) -> asgi.Answer:
    headers = {} if key is None else {"authorization": key}
    return await asgi.call(server.server.app, method, path, headers=headers)


async def test_a_head_is_a_get_without_a_body(sqlite_server: World) -> None:
    flow = await sqlite_server.flow()
    paths = ("/flows", f"/flows/{flow.id}", f"{flow.graph}", "/flow-runs", "/me", "/flows/99999")
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json", *(f"/api/v1{path}" for path in paths)):
        got = await ask(sqlite_server, "GET", path, sqlite_server.key)
        answer = await ask(sqlite_server, "HEAD", path, sqlite_server.key)
        assert (answer.status, answer.headers, answer.body) == (got.status, got.headers, b""), path
        assert int(answer.headers["content-length"]) == len(got.body)


async def test_every_get_has_a_head_and_its_role(sqlite_server: World) -> None:
    for method, path, role in all_operations(sqlite_server):
        if method == "GET" and role != "public":
            assert (await ask(sqlite_server, "HEAD", path.replace("{", "").replace("}", ""))).status == 401


async def test_a_path_without_get_has_no_head(sqlite_server: World) -> None:
    answer = await ask(sqlite_server, "HEAD", "/api/v1/flows/1/start", sqlite_server.key)
    assert (answer.status, answer.headers["allow"], answer.body) == (405, "POST", b"")
    answer = await ask(sqlite_server, "PATCH", "/api/v1/flows", sqlite_server.key)
    assert answer.headers["allow"] == "GET, HEAD, POST"


async def test_the_document_has_no_head_of_its_own(sqlite_server: World) -> None:
    paths: dict[str, dict[str, Any]] = document.of(sqlite_server.server.app).spec["paths"]
    assert not [path for path, operations in paths.items() if "head" in operations]


async def test_an_answer_without_end_ends_at_its_head() -> None:
    async def endless() -> Any:
        while True:
            yield b"on and on"
            await asyncio.sleep(0)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["method"] == "GET"
        await StreamingResponse(endless())(scope, receive, send)

    sent: list[Message] = []
    answered = asyncio.Event()

    async def receive() -> Message:
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            answered.set()

    scope = {"type": "http", "method": "HEAD", "asgi": {"version": "3.0"}}
    await asyncio.wait_for(head.Head(app)(scope, receive, send), 5)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert not sent[1].get("body")
