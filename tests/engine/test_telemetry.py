"""Whether runs are traced is said by the environment; where they are not, nothing of OpenTelemetry is there."""

from __future__ import annotations

import subprocess
import sys

import pytest
from structlog.testing import capture_logs

from flowloom import errors
from flowloom.engine import telemetry, tracing

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        {"OTEL_SERVICE_NAME": "orders"},
        {**ENDPOINT, "OTEL_SDK_DISABLED": "TRUE"},
        {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_without_a_collector_there_are_no_traces(environ: dict[str, str]) -> None:
    assert telemetry.from_environ(environ) is tracing.OFF


def test_a_server_without_a_collector_loads_nothing_of_it() -> None:
    script = (
        "import sys; from flowloom import serving; from flowloom.engine import telemetry, executor, http;"
    )
    script += "assert telemetry.from_environ({}) is not None; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    loaded = {name.partition(".")[0] for name in said.split()}
    assert loaded & {"opentelemetry", "requests", "urllib3"} == set()
    assert "google.protobuf" not in said


def test_a_collector_without_the_extra_is_told_of_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "flowloom.engine.collector", raising=False)
    monkeypatch.delattr("flowloom.engine.collector", raising=False)
    for name in [one for one in sys.modules if one.split(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with capture_logs() as said:
        assert telemetry.from_environ(ENDPOINT) is tracing.OFF
    assert "'flowloom[otel]' is not installed" in said[0]["reason"]


def test_what_cannot_be_used_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    with pytest.raises(errors.Invalid) as refused:
        telemetry.from_environ(ENDPOINT)
    assert "Traces cannot be sent" in refused.value.message
