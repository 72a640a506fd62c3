"""Whether runs are traced: the OTEL_* variables say so, and what they need is loaded only then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog

from flowloom import errors
from flowloom.engine import tracing

log = structlog.get_logger(__name__)
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
SPOKEN: Final = "http/protobuf"
# What the reference says: name, default, meaning.
VARIABLES: Final = (
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "Collector that gets the traces, such as `http://collector:4318`. Unset, there are none.",
    ),
    (
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "",
        "The same as a whole address, such as `http://collector:4318/v1/traces`.",
    ),
    ("OTEL_EXPORTER_OTLP_HEADERS", "", "Headers that go with them, such as `api-key=...`."),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "10", "Seconds that one batch of spans may take."),
    ("OTEL_SERVICE_NAME", "flowloom", "Name of this installation."),
    (
        "OTEL_RESOURCE_ATTRIBUTES",
        "",
        "What else is said of it, such as `deployment.environment.name=test`. "
        "`service.instance.id` is host and process unless it stands here.",
    ),
    ("OTEL_TRACES_SAMPLER", "parentbased_always_on", "Which traces are told; see the how-to."),
    ("OTEL_TRACES_SAMPLER_ARG", "", "The share of them for `parentbased_traceidratio`: 0 to 1."),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "2048", "Spans that wait for the collector; more are dropped."),
    ("OTEL_BSP_SCHEDULE_DELAY", "5000", "Milliseconds after which what waits is sent."),
    ("OTEL_TRACES_EXPORTER", "otlp", "`none` turns traces off."),
    ("OTEL_SDK_DISABLED", "false", "`true` does the same."),
)


def from_environ(environ: Mapping[str, str], role: str = "alone") -> tracing.Tracing:
    """Traces where a collector is named, else none. Raises errors.Invalid for a variable that cannot be used."""
    if not _is_wanted(environ):
        return tracing.OFF
    protocol = _first(environ, PROTOCOLS)
    if protocol not in ("", SPOKEN):
        log.warning("traces_over_http_only", reason=f"{protocol} is not spoken; the collector gets {SPOKEN}")
    try:
        from flowloom.engine import collector

        return collector.Collector(role)
    except ModuleNotFoundError:
        log.warning(
            "traces_off", reason="a collector is named, but 'flowloom[otel]' is not installed; install it"
        )
        return tracing.OFF
    except ValueError as fault:
        raise errors.Invalid.field("OTEL", f"Traces cannot be sent: {fault}.") from fault


def _is_wanted(environ: Mapping[str, str]) -> bool:
    is_off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    is_none = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"
    return bool(_first(environ, ENDPOINTS)) and not (is_off or is_none)


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := environ.get(name, "").strip())), "")
