"""A real collector of traces on the loopback: it takes OTLP over HTTP, and shows the spans that came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


@dataclass(frozen=True)
class Span:
    """A span as it arrived, with the attributes of who sent it."""

    name: str
    kind: str
    trace_id: str
    id: str
    parent_id: str
    state: str
    is_failed: bool
    began: int
    ended: int
    about: dict[str, Any]
    links: list[tuple[str, str]]
    resource: dict[str, Any]

    @property
    def step(self) -> Any:
        return self.about.get("flowloom.step.type")


@dataclass
class Collector:
    """`is_open` cleared, it takes requests and does not answer."""

    port: int = 0
    spans: list[Span] = field(default_factory=list)
    content: list[bytes] = field(default_factory=list)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def runs(self) -> list[Span]:
        return [span for span in self.spans if span.name.startswith("run flow")]

    def steps(self, microservice: str | None = None) -> list[Span]:
        return [span for span in self.spans if span.step and microservice in (None, span.step)]

    def requests(self) -> list[Span]:
        return [span for span in self.spans if span.kind == "client"]

    def parts(self) -> list[Span]:
        return [span for span in self.spans if span.name == "part of a run"]

    async def until(self, found: Any) -> None:
        """Wait until what was looked for has arrived."""
        while not found():
            self.arrived.clear()
            await asyncio.wait_for(self.arrived.wait(), 20)

    async def _handle(self, request: web.Request) -> web.Response:
        content = await request.read()
        self.arrived.set()
        await self.is_open.wait()
        self.content.append(content)
        self.spans += _spans(ExportTraceServiceRequest.FromString(content))
        self.arrived.set()
        return web.Response(body=b"", content_type="application/x-protobuf")


def _spans(sent: ExportTraceServiceRequest) -> list[Span]:
    return [
        _span(span, _values(one.resource.attributes))
        for one in sent.resource_spans
        for scope in one.scope_spans
        for span in scope.spans
    ]


def _span(span: Sent, resource: dict[str, Any]) -> Span:
    return Span(
        name=span.name,
        kind=KINDS[span.kind],
        trace_id=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        state=span.trace_state,
        is_failed=span.status.code == 2,
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        about=_values(span.attributes),
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        resource=resource,
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@asynccontextmanager
async def serving() -> AsyncIterator[Collector]:
    """A collector that listens on a port of its own."""
    collector = Collector()
    collector.is_open.set()
    application = web.Application(client_max_size=2**26)
    application.router.add_post("/v1/traces", collector._handle)
    runner = web.AppRunner(application, shutdown_timeout=0.01, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.port = runner.addresses[0][1]
    try:
        yield collector
    finally:
        await runner.cleanup()
