"""Traces: a run is a trace that goes from its caller through its steps to whom they call, over waits and restarts."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from sqlalchemy import select, update
from tests import canaries, collector, world
from tests.api.test_secret_variables import TOKEN
from tests.collector import Collector
from tests.engine.test_effects import begin, crash, get_run
from tests.engine.test_secret_variables import flow_with, uses
from tests.remote import Remote, Seen, hang
from tests.world import Flow, World

from flowloom.engine import telemetry
from flowloom.store import tables

SUCCESS, FAILURE, STOPPED = 2, 3, 4
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "shop=1,other=2"}
HOUR = {"microservice": "delay", "config": {"seconds": 3600}}
FILTER = {
    "microservice": "filter",
    "config": {"where": {"field": "id", "operator": "greater", "value": 0}},
}


@pytest.fixture
async def found() -> AsyncIterator[Collector]:
    async with collector.serving() as opened:
        yield opened


@pytest.fixture
def environ(found: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")


@pytest.fixture
async def traced(database_url: str, tmp_path: Path, environ: None) -> AsyncIterator[World]:
    async with world.open_world(database_url, tmp_path, telemetry.from_environ(os.environ)) as opened:
        yield opened


@pytest.fixture
async def sqlite_traced(sqlite_template: Path, tmp_path: Path, environ: None) -> AsyncIterator[World]:
    (tmp_path / "flowloom.db").write_bytes(sqlite_template.read_bytes())
    url = f"sqlite+pysqlite:///{tmp_path / 'flowloom.db'}"
    async with world.open_world(url, tmp_path, telemetry.from_environ(os.environ)) as opened:
        yield opened


async def call(flow: Flow, payload: Any, headers: dict[str, str] | None = None) -> int:
    """Call a webhook of the flow; the run's id."""
    url = (await flow.world.post(f"/flows/{flow.id}/webhooks", json={"name": "In"})).data["url"]
    parts = urlsplit(url)
    where = f"{parts.path}?{parts.query}"
    answer = await flow.world.post(where, json=payload, key=None, headers=headers)
    assert answer.status == 200, answer.body
    id: int = answer.json()["flow_run_id"]
    return id


def parent(seen: Seen) -> list[str]:
    return seen.headers["traceparent"].split("-")


async def test_a_trace_goes_from_the_caller_through_the_steps_to_whom_they_call(
    traced: World, remote: Remote, found: Collector
) -> None:
    flow = await traced.flow(FILTER, remote.send("/orders?page=2", query={"key": "abc"}))
    id = await call(flow, [{"id": 1}, {"id": 0}], CALLER)
    await traced.work()
    await found.until(found.runs)
    [run], [request] = found.runs(), found.requests()
    assert (run.trace_id, run.parent_id, run.state, run.kind) == (TRACE, SPAN, "shop=1,other=2", "consumer")
    about = {
        "flowloom.run_id": id,
        "flowloom.flow_id": flow.id,
        "flowloom.flow_version_id": flow.version_id,
        "flowloom.iteration": 1,
    }
    assert about.items() <= run.about.items()
    assert (run.about["flowloom.trigger"], run.about["flowloom.status"]) == ("Webhook", "success")
    steps = found.steps()
    assert [step.step for step in steps] == ["trigger", "filter", "connector"]
    for step in steps:
        assert (step.trace_id, step.parent_id, step.kind) == (TRACE, run.id, "internal")
        assert about.items() <= step.about.items()
        assert step.about["flowloom.status"] == "success"
    counted = [steps[1].about[f"flowloom.step.payloads_{way}"] for way in ("in", "out")]
    assert (counted, steps[2].about["flowloom.step.attempts"]) == ([1, 1], 1)
    assert (request.trace_id, request.parent_id, request.name) == (TRACE, steps[2].id, "POST")
    assert request.about == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.full": remote.url("/orders?page=REDACTED&key=REDACTED"),
        "server.address": "127.0.0.1",
        "server.port": remote.port,
    }
    [seen] = remote.seen
    assert parent(seen) == ["00", TRACE, request.id, "01"]
    assert seen.headers["tracestate"] == CALLER["tracestate"]
    assert {"service.name": "flowloom", "flowloom.role": "alone"}.items() <= run.resource.items()


async def test_a_run_without_a_caller_is_a_trace_of_its_own(
    sqlite_traced: World, remote: Remote, found: Collector
) -> None:
    flow = await sqlite_traced.flow(remote.send())
    for _ in range(2):
        await flow.run({"id": 1})
    await found.until(lambda: len(found.runs()) == 2)
    one, other = found.runs()
    assert (one.parent_id, other.parent_id) == ("", "")
    assert one.trace_id != other.trace_id
    assert [parent(seen)[1] for seen in remote.seen] == [one.trace_id, other.trace_id]


async def test_a_caller_that_samples_nothing_gets_no_spans_and_hands_that_on(
    sqlite_traced: World, remote: Remote, found: Collector
) -> None:
    flow = await sqlite_traced.flow(remote.send())
    await flow.start({"id": 1}, headers={"traceparent": f"00-{TRACE}-{SPAN}-00"})
    await sqlite_traced.work()
    await flow.run({"id": 2})
    await found.until(found.runs)
    assert {span.trace_id for span in found.spans} == {parent(remote.seen[1])[1]}
    assert (parent(remote.seen[0])[1], parent(remote.seen[0])[3]) == (TRACE, "00")


async def test_a_run_that_was_killed_goes_on_in_its_trace(
    traced: World, remote: Remote, found: Collector
) -> None:
    flow = await traced.flow(remote.send("/before"), remote.send("/after"))
    remote.answer = _hangs_at("/after")
    id = await flow.start({"id": 1})
    await begin(traced)
    await remote.until(2)
    await crash(traced)
    remote.answers(200)
    await traced.platform.database.write(_requeue)
    await traced.work()
    assert (await get_run(traced, id))["status"] == SUCCESS
    await found.until(found.runs)
    [run] = found.runs()
    assert (
        {parent(seen)[1] for seen in remote.seen} == {run.trace_id} == {one.trace_id for one in found.spans}
    )
    assert {span.parent_id for span in (*found.steps(), *found.parts())} == {run.id}
    states = [(span.about["flowloom.part"], span.about["flowloom.status"]) for span in found.parts()]
    assert states == [(1, "interrupted"), (2, "success")]
    sent = [span for span in found.steps("connector") if span.name.endswith("/after")]
    assert [(span.about["flowloom.part"], span.about["flowloom.status"]) for span in sent] == [
        (1, "interrupted"),
        (2, "success"),
    ]
    assert [span.about.get("error.type") for span in found.requests()] == [None, "cancelled", None]


def _requeue(connection: Any) -> None:
    """As the start of a server does with what nobody works on."""
    runs = tables.runs
    connection.execute(update(runs).where(runs.c.status == 1).values(status=0))


def _hangs_at(path: str) -> Any:
    async def answer(seen: Seen) -> web.Response:
        return await hang(seen) if seen.path == path else web.json_response({})

    return answer


async def test_another_process_goes_on_in_the_trace_of_the_first(
    database_url: str, tmp_path: Path, environ: None, remote: Remote, found: Collector
) -> None:
    """The first one had no collector: all that the second knows is in the database."""
    async with world.open_world(database_url, tmp_path) as first:
        flow = await first.flow(remote.send("/before"), HOUR, remote.send("/after"))
        id = await flow.start({"id": 1}, headers=CALLER)
        await first.work()
    assert remote.seen[0].headers["traceparent"] == CALLER["traceparent"]
    traces = telemetry.from_environ(os.environ, "worker")
    settings = first.platform.settings
    platform = world.bootstrap.open_platform(settings, first.clock)
    second = World(world.bootstrap.build(platform, with_loops=False, traces=traces), first.clock)
    async with second.server.app.router.lifespan_context(second.server.app):
        second.clock.advance(seconds=3600)
        await second.work()
        assert (await get_run(second, id))["status"] == SUCCESS
    [run] = found.runs()
    assert (run.trace_id, run.parent_id, parent(remote.seen[1])[1]) == (TRACE, SPAN, TRACE)
    assert run.ended - run.began == 3600 * 10**9
    assert run.resource["flowloom.role"] == "worker"
    assert [step.step for step in found.steps()] == ["delay", "connector"]  # the first ones were told before


async def test_a_run_that_waits_tells_each_part_when_it_leaves(
    sqlite_traced: World, remote: Remote, found: Collector
) -> None:
    flow = await sqlite_traced.flow(remote.send("/before"), HOUR, remote.send("/after"))
    await flow.start({"id": 1})
    await sqlite_traced.work()
    await found.until(found.parts)
    assert (found.runs(), [step.step for step in found.steps()]) == ([], ["trigger", "connector", "delay"])
    assert [step.about["flowloom.status"] for step in found.steps()] == ["success", "success", "waiting"]
    sqlite_traced.clock.advance(seconds=3600)
    await sqlite_traced.work()
    await found.until(found.runs)
    [run] = found.runs()
    assert {span.parent_id for span in (*found.steps(), *found.parts())} == {run.id}
    parts = [(part.ended - part.began, part.about["flowloom.status"]) for part in found.parts()]
    assert (parts, run.ended - run.began) == ([(0, "waiting"), (0, "success")], 3600 * 10**9)
    assert [step.step for step in found.steps()[3:]] == ["delay", "connector"]


async def test_a_child_run_is_below_the_step_that_started_it(
    sqlite_traced: World, remote: Remote, found: Collector
) -> None:
    child = await sqlite_traced.flow(remote.send())
    wait = {"flow_id": child.id, "wait": True}
    flow = await sqlite_traced.flow({"microservice": "run-flow", "config": wait})
    await flow.start({"id": 1}, headers=CALLER)
    await sqlite_traced.work()
    await found.until(lambda: len(found.runs()) == 2)
    below, above = sorted(found.runs(), key=lambda span: "flowloom.parent_run_id" not in span.about)
    started = next(step for step in found.steps("run-flow") if step.id == below.parent_id)
    assert (below.trace_id, started.parent_id, above.parent_id) == (TRACE, above.id, SPAN)
    assert (parent(remote.seen[0])[1], remote.seen[0].headers["tracestate"]) == (TRACE, CALLER["tracestate"])


async def test_a_retry_is_a_trace_of_its_own_that_links_to_the_run_it_repeats(
    traced: World, remote: Remote, found: Collector
) -> None:
    remote.answers(400)
    flow = await traced.flow(remote.send())
    first = await flow.start({"id": 1}, headers=CALLER)
    await traced.work()
    remote.answers(200)
    again = (await traced.post(f"/flow-runs/{first}/retry")).json()["flow_run_id"]
    await traced.work()
    await found.until(lambda: len(found.runs()) == 2)
    failed, repeated = found.runs()
    assert (failed.links, repeated.links) == ([], [(TRACE, failed.id)])
    assert (repeated.parent_id, repeated.about["flowloom.run_id"]) == ("", again)
    assert repeated.trace_id != TRACE


async def test_what_fails_is_marked_and_says_nothing_of_what_it_was_about(
    sqlite_traced: World, remote: Remote, found: Collector
) -> None:
    remote.answers(422)
    flow = await sqlite_traced.flow(remote.send("/a"), remote.send("/b"))
    await flow.run({"card": "4111-1111"})
    await found.until(found.runs)
    [run], [request], [_, step] = found.runs(), found.requests(), found.steps()
    assert [span.is_failed for span in (run, request, step)] == [True] * 3
    assert (request.about["error.type"], step.about["flowloom.status"]) == ("422", "failure")
    assert (step.about["flowloom.step.failed"], run.about["flowloom.status"]) == (1, "failure")
    assert b"4111" not in b"".join(found.content)


async def test_a_stopped_run_tells_where_it_was(
    sqlite_traced: World, remote: Remote, found: Collector
) -> None:
    remote.answer = hang
    flow = await sqlite_traced.flow(remote.send())
    id = await flow.start({})
    await begin(sqlite_traced)
    await remote.until(1)
    await sqlite_traced.post(f"/flow-runs/{id}/stop")
    await sqlite_traced.settle()
    await found.until(found.runs)
    [run], [_, step], [request] = found.runs(), found.steps(), found.requests()
    assert (run.about["flowloom.status"], step.about["flowloom.status"]) == ("stopped", "interrupted")
    assert (request.about["error.type"], run.is_failed) == ("cancelled", False)


async def test_each_try_is_a_request_of_its_own(
    sqlite_traced: World, remote: Remote, found: Collector
) -> None:
    remote.answers(503, 503, 200)
    flow = await sqlite_traced.flow(remote.send())
    await flow.run({})
    await found.until(found.runs)
    statuses = [span.about["http.response.status_code"] for span in found.requests()]
    assert (statuses, found.steps("connector")[0].about["flowloom.step.attempts"]) == ([503, 503, 200], 3)
    assert len({parent(seen)[2] for seen in remote.seen}) == 3


async def test_a_stream_is_told_once(sqlite_traced: World, remote: Remote, found: Collector) -> None:
    async def pages(seen: Seen) -> web.Response:
        return web.json_response([{"id": number, "text": "x" * 3_000_000} for number in range(1, 3)])

    remote.answer = pages
    flow = await sqlite_traced.flow(remote.receive(), {"microservice": "split"}, FILTER)
    assert (await flow.run({}))["status"] == SUCCESS
    await found.until(found.runs)
    assert [step.step for step in found.steps()].count("filter") == 1
    assert found.steps("filter")[0].about["flowloom.step.payloads_in"] == 2


async def test_no_secret_is_in_a_span(sqlite_traced: World, remote: Remote, found: Collector) -> None:
    async def echo(seen: Seen) -> web.Response:
        return web.Response(status=400, text=f"unknown token {TOKEN} {seen.path}")

    remote.answer = echo
    plain = {**uses(remote), "name": f"Send with {TOKEN}"}
    flow = await flow_with(sqlite_traced, plain)
    assert (await flow.run({"id": 1}))["status"] == FAILURE
    await found.until(found.runs)
    told = b"".join(found.content)
    assert found.requests()[0].about["url.full"].startswith(remote.url("/orders/"))
    assert [form for form in canaries.forms(TOKEN) if form in told] == []


@pytest.mark.parametrize("header", ["", "00-x", f"00-{TRACE}-{SPAN}-01-more", "é" * 200, "0" * 4000])
async def test_a_malformed_context_is_left_alone(
    sqlite_traced: World, remote: Remote, found: Collector, header: str
) -> None:
    flow = await sqlite_traced.flow(remote.send())
    await call(flow, {}, {"traceparent": header, "tracestate": header})
    await sqlite_traced.work()
    await found.until(found.runs)
    assert (found.runs()[0].parent_id, found.runs()[0].state) == ("", "")
    assert "tracestate" not in remote.seen[0].headers


async def test_a_collector_that_does_not_answer_holds_up_nothing(
    sqlite_template: Path, tmp_path: Path, environ: None, remote: Remote, found: Collector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from flowloom.engine import collector as sending

    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    monkeypatch.setattr(sending, "CLOSE_SECONDS", 0.05)
    found.is_open.clear()
    (tmp_path / "flowloom.db").write_bytes(sqlite_template.read_bytes())
    url = f"sqlite+pysqlite:///{tmp_path / 'flowloom.db'}"
    traces = telemetry.from_environ(os.environ)
    async with asyncio.timeout(10):  # an export alone may take as long
        async with world.open_world(url, tmp_path, traces) as opened:
            flow = await opened.flow(remote.send())
            for _ in range(20):
                assert (await flow.run({}))["status"] == SUCCESS
            await asyncio.wait_for(found.arrived.wait(), 5)
    found.is_open.set()


async def test_a_collector_that_is_away_fails_nothing(
    sqlite_template: Path, tmp_path: Path, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowloom.engine import collector as sending

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/v1/traces")
    monkeypatch.setattr(sending, "CLOSE_SECONDS", 0.05)
    (tmp_path / "flowloom.db").write_bytes(sqlite_template.read_bytes())
    url = f"sqlite+pysqlite:///{tmp_path / 'flowloom.db'}"
    async with world.open_world(url, tmp_path, telemetry.from_environ(os.environ)) as opened:
        flow = await opened.flow(remote.send())
        assert (await flow.run({}))["status"] == SUCCESS


async def test_what_is_not_sent_yet_is_sent_at_the_end(
    sqlite_template: Path, tmp_path: Path, remote: Remote, found: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "orders")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=one,deployment.environment.name=test")
    (tmp_path / "flowloom.db").write_bytes(sqlite_template.read_bytes())
    url = f"sqlite+pysqlite:///{tmp_path / 'flowloom.db'}"
    async with world.open_world(url, tmp_path, telemetry.from_environ(os.environ)) as opened:
        await (await opened.flow(remote.send())).run({})
        assert found.spans == []
    assert len(found.spans) == 4
    said = found.spans[0].resource
    assert [
        said[name] for name in ("service.name", "service.instance.id", "deployment.environment.name")
    ] == [
        "orders",
        "one",
        "test",
    ]


class TestWithoutACollector:
    """Nothing is told; a caller's context goes on as it came, or none."""

    async def test_a_context_is_handed_on_as_it_came(self, server: World, remote: Remote) -> None:
        child = await server.flow(remote.send("/child"))
        run_flow = {"microservice": "run-flow", "config": {"flow_id": child.id}}
        flow = await server.flow(remote.send("/a"), run_flow)
        id = await call(flow, {}, CALLER)
        await server.work()
        for seen in remote.seen:
            assert {name: seen.headers[name] for name in CALLER} == CALLER
        assert [seen.path for seen in remote.seen] == ["/a", "/child"]
        kept = select(tables.runs.c.trace_context).where(tables.runs.c.id == id)
        assert await server.platform.database.read(lambda connection: connection.scalar(kept)) == CALLER

    async def test_without_a_context_none_goes_out(self, sqlite_server: World, remote: Remote) -> None:
        flow = await sqlite_server.flow(remote.send())
        await flow.run({})
        assert {"traceparent", "tracestate"} & remote.seen[0].headers.keys() == set()

    async def test_what_a_step_sets_itself_stays(self, sqlite_server: World, remote: Remote) -> None:
        own = f"00-{TRACE[::-1]}-{SPAN}-00"
        flow = await sqlite_server.flow(remote.send(headers={"Traceparent": own}))
        await flow.start({}, headers=CALLER)
        await sqlite_server.work()
        assert remote.seen[0].headers["traceparent"] == own
        assert "tracestate" not in remote.seen[0].headers

    async def test_a_callback_takes_one_too(self, sqlite_server: World, remote: Remote) -> None:
        answer = {"microservice": "callback", "config": {"body": "[[payload]]"}}
        flow = await sqlite_server.flow(remote.send(), answer)
        parts = urlsplit(
            (await sqlite_server.post(f"/flows/{flow.id}/webhooks", json={"name": "In"})).data["callback_url"]
        )
        where = f"{parts.path}?{parts.query}&wait_seconds=0"
        await sqlite_server.post(where, json={}, key=None, headers=CALLER)
        with contextlib.suppress(TimeoutError):
            await sqlite_server.work()
        assert remote.seen[0].headers["traceparent"] == CALLER["traceparent"]
