"""Large data is worked on in threads: the loop, and with it every other request and run, goes on meanwhile."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from aiohttp import web
from tests.remote import Remote, Seen
from tests.world import World

from flowloom.domain.bulk import LARGE_BYTES
from flowloom.domain.payload import Payload
from flowloom.engine import records
from flowloom.steps import contract, registry
from flowloom.store import redaction

SUCCESS = 2
TEXT = "x" * (LARGE_BYTES + 1)
LARGE: dict[str, Any] = {
    "a long text": {"text": TEXT},
    "nested members": {"all": {f"member {number}": {"id": number} for number in range(20_000)}},
    "a long text in a list": [{"id": 1}, {"id": 2, "text": TEXT}],
    "many records": [{}] * (records.INLINE_RECORDS + 1),
}
SMALL: dict[str, Any] = {
    "nothing": None,
    "an object": {"a": 1},
    "a list": [{"a": 1}] * records.INLINE_RECORDS,
}
KEPT = {"microservice": "map", "config": {"rules": [{"target": "kept", "source": "."}]}}
PROBE = {"microservice": "probe"}


class Probe(contract.Config):
    pass


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The threads in which the steps of type probe ran."""
    found: list[threading.Thread] = []

    def run(context: contract.Context, payload: Payload) -> contract.Outcome:
        found.append(threading.current_thread())
        return contract.Done([payload])

    kind = contract.StepType(
        "probe", "Probe", "For tests.", "Never.", Probe, lambda config, legs: contract.Compiled(run)
    )
    monkeypatch.setitem(registry.TYPES, "probe", kind)
    return found


@pytest.fixture
def redacted_in(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The threads in which an answer's body was redacted."""
    found: list[threading.Thread] = []
    redact = redaction.body

    def recording(raw: bytes, *hidden: Any) -> bytes:
        if len(raw) > LARGE_BYTES:
            found.append(threading.current_thread())
        return redact(raw, *hidden)

    monkeypatch.setattr(redaction, "body", recording)
    return found


def is_aside(thread: threading.Thread) -> bool:
    return thread is not threading.current_thread()


@pytest.mark.parametrize("name", LARGE)
async def test_a_large_payload_is_worked_on_aside(
    sqlite_server: World, threads: list[threading.Thread], name: str
) -> None:
    """Also what comes out of a map or a set-variables step, which nobody measured again."""
    variables = {"microservice": "set-variables", "config": {"meta": {"seen": "yes"}}}
    flow = await sqlite_server.flow(PROBE, KEPT, variables, PROBE)
    assert (await flow.run(LARGE[name]))["status"] == SUCCESS
    assert [is_aside(thread) for thread in threads] == [True, True]


@pytest.mark.parametrize("name", SMALL)
async def test_a_small_one_is_not(sqlite_server: World, threads: list[threading.Thread], name: str) -> None:
    flow = await sqlite_server.flow(PROBE, KEPT, PROBE)
    assert (await flow.run(SMALL[name]))["status"] == SUCCESS
    assert [is_aside(thread) for thread in threads] == [False, False]


async def test_a_part_of_a_large_list_is_small_again(
    sqlite_server: World, threads: list[threading.Thread]
) -> None:
    first = {"microservice": "filter", "config": {"where": {"field": "id", "operator": "less", "value": 3}}}
    flow = await sqlite_server.flow(PROBE, first, PROBE)
    rows = [{"id": number, "text": "x" * 1000} for number in range(1000)]
    assert (await flow.run(rows))["status"] == SUCCESS
    assert [is_aside(thread) for thread in threads] == [True, False]


async def test_the_payloads_of_a_batch_share_its_size(
    sqlite_server: World, threads: list[threading.Thread], remote: Remote
) -> None:
    flow = await sqlite_server.flow({"microservice": "batch", "config": {"size": 1}}, PROBE)
    assert (await flow.run([{"text": TEXT[:1000]}] * 3))["status"] == SUCCESS
    assert (await flow.run([{"text": TEXT[:100_000]}] * 3))["status"] == SUCCESS
    assert [is_aside(thread) for thread in threads] == [False] * 3 + [True] * 3


async def test_large_variables_count(sqlite_server: World, threads: list[threading.Thread]) -> None:
    """A map may put them into any payload."""
    taken = {"microservice": "set-variables", "config": {"variables": {"all": "[[payload]]"}}}
    small = {"microservice": "map", "config": {"rules": [{"target": "id", "value": 1}]}}
    rows = [{"id": number, "text": "x" * 1000} for number in range(1000)]
    first = {"microservice": "filter", "config": {"where": {"field": "id", "operator": "less", "value": 1}}}
    flow = await sqlite_server.flow(taken, first, small, PROBE)
    assert (await flow.run(rows))["status"] == SUCCESS
    assert [is_aside(thread) for thread in threads] == [True]


async def test_what_was_received_is_measured(
    sqlite_server: World, threads: list[threading.Thread], remote: Remote
) -> None:
    async def large(seen: Seen) -> web.Response:
        return web.json_response({"text": TEXT}) if seen.path == "/large" else web.Response(text="small")

    remote.answer = large
    receives = [
        {"microservice": "connector", "config": {"direction": "receive", "url": remote.url(path)}}
        for path in ("/large", "/small")
    ]
    assert (await (await sqlite_server.flow(receives[0], PROBE)).run())["status"] == SUCCESS
    assert (await (await sqlite_server.flow(receives[1], PROBE)).run())["status"] == SUCCESS
    assert [is_aside(thread) for thread in threads] == [True, False]


async def test_a_large_manual_payload_is_measured(
    sqlite_server: World, threads: list[threading.Thread]
) -> None:
    written = {"microservice": "manual-payload", "config": {"body": {"text": TEXT}}}
    flow = await sqlite_server.flow(written, PROBE)
    assert (await flow.run())["status"] == SUCCESS
    assert [is_aside(thread) for thread in threads] == [True]


async def test_a_large_answer_is_redacted_aside(
    sqlite_server: World, remote: Remote, redacted_in: list[threading.Thread]
) -> None:
    """Only where there is something to redact: an answer without a connection is left as it is."""

    async def echo(seen: Seen) -> web.Response:
        return web.json_response({"text": TEXT, "echo": seen.headers.get("authorization")})

    remote.answer = echo
    auth = {"type": "bearer", "token": "a-token-to-hide"}
    made = {"name": "Shop", "base_url": remote.url(""), "allowed_hosts": ["127.0.0.1"], "auth": auth}
    connection_id = (await sqlite_server.post("/connections", json=made)).data["id"]
    config = {"direction": "receive", "url": "/", "connection_id": connection_id}
    flow = await sqlite_server.flow({"microservice": "connector", "config": config})
    run = await flow.run()
    assert run["status"] == SUCCESS, run
    assert redacted_in
    assert all(is_aside(thread) for thread in redacted_in)
    [made] = (await sqlite_server.get("/payload-metadata", query={"filter[flow_run_id]": run["id"]})).data
    download = await sqlite_server.get(f"/payload-metadata/{made['id']}/download")
    assert download.json()["echo"] == "Bearer [redacted]"


async def test_a_version_is_compiled_aside(sqlite_server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled_in: list[threading.Thread] = []

    def compile(config: Probe, legs: Any) -> contract.Compiled:
        compiled_in.append(threading.current_thread())
        return contract.Compiled(lambda context, payload: contract.Done([payload]))

    kind = contract.StepType("probe", "Probe", "For tests.", "Never.", Probe, compile)
    monkeypatch.setitem(registry.TYPES, "probe", kind)
    flow = await sqlite_server.flow(PROBE)
    compiled_in.clear()
    assert (await flow.run())["status"] == SUCCESS
    assert compiled_in
    assert all(is_aside(thread) for thread in compiled_in)
