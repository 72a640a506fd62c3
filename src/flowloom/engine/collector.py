"""Where spans go: the collector that the OTEL_* variables name, over OTLP, from a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from sqlalchemy import Row

from flowloom import __version__
from flowloom.engine import spans, tracing

log = structlog.get_logger(__name__)
CLOSE_SECONDS: Final = 3.0
SAY_AGAIN_SECONDS: Final = 60.0


class Collector(tracing.Tracing):
    """Takes what runs tell; a run never waits for it. Too much of it is dropped, and the log says so."""

    wants_origin = True

    def __init__(self, role: str) -> None:
        said = logging.getLogger("opentelemetry")
        said.handlers, said.propagate = [_Told()], False
        self._ids = spans.Ids()
        self._provider = TracerProvider(
            resource=_resource(role), id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("flowloom", __version__)

    def begin(
        self,
        row: Row[Any],
        origin: Row[Any] | None,
        clock: Callable[[], datetime],
        redact: Callable[[str], str],
    ) -> tracing.RunTrace:
        """One that the sampler leaves out says nothing, but that it was left out, to whom it calls."""
        begun = spans.RunSpans(self._tracer, self._ids, row, origin, clock, redact)
        return begun if begun.is_recorded else tracing.RunTrace(begun.context(""))

    async def close(self) -> None:
        """In a thread that nobody waits for at the end: a collector that is slow or away holds up no server."""
        loop, flushed = asyncio.get_running_loop(), asyncio.Event()

        def flush() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(flushed.set)

        threading.Thread(target=flush, name="flowloom-traces", daemon=True).start()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await flushed.wait()
        except TimeoutError:
            log.warning("traces_not_sent", reason=f"the collector took longer than {CLOSE_SECONDS:g} seconds")


class _Told(logging.Handler):
    """What the exporter says goes to the server's log; the same again only once in a while."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now - self._said.get(record.msg, -SAY_AGAIN_SECONDS) >= SAY_AGAIN_SECONDS:
            self._said[record.msg] = now
            log.warning("traces", reason=record.getMessage())


def _resource(role: str) -> Resource:
    """Who tells this; what the environment says of it goes before."""
    own = {
        "service.name": "flowloom",
        "service.version": __version__,
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
        "flowloom.role": role,
    }
    return Resource.create().merge(Resource(own)).merge(OTELResourceDetector().detect())
