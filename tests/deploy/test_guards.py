"""What deploy/ starts may do little: no root, no writing outside of its directory, nothing open that need not be."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from deploy.lint import chart, units
from tests.deploy import files

UID = 10001

each_variant = pytest.mark.parametrize("variant", chart.variants())


def test_the_image_runs_as_a_number_that_is_not_root() -> None:
    *_, last = files.instructions("USER")
    assert last == f"{UID}:{UID}"
    assert f"useradd --uid {UID} " in files.DOCKERFILE.read_text()


def test_containers_of_compose_may_not_write_nor_rise() -> None:
    for name, service in files.compose()["services"].items():
        assert "no-new-privileges:true" in service["security_opt"], name
        if name != "postgres":
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
        assert "privileged" not in service
        assert name == "migrate" or service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}


def test_only_the_api_is_reached_from_outside_of_compose() -> None:
    services = files.compose()["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["api"]
    assert all(services[name]["networks"] == ["inside"] for name in ("postgres", "nats"))


def test_every_service_of_compose_waits_until_what_it_needs_is_there() -> None:
    services = files.compose()["services"]
    for name in ("api", "worker", "scheduler"):
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "postgres": {"condition": "service_healthy"},
            "nats": {"condition": "service_healthy"},
        }
    assert all("healthcheck" in services[name] for name in ("postgres", "nats"))


@each_variant
def test_pods_may_not_write_nor_rise(variant: str) -> None:
    found = files.pods(chart.variants()[variant])
    assert found
    for pod in found:
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == UID
        [container] = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "limits" in container["resources"]


@each_variant
def test_no_secret_stands_in_a_manifest(variant: str) -> None:
    found = chart.documents(chart.variants()[variant])
    assert not [one for one in found if one["kind"] == "Secret"]


def test_units_may_do_little() -> None:
    for path in units.FOLDER.glob("*.service"):
        unit = units.read(path)
        assert unit["NoNewPrivileges"] == ["yes"]
        assert unit["ProtectSystem"] == ["strict"]
        assert unit["CapabilityBoundingSet"] == [""]
        assert unit["StateDirectory"] == ["flowloom"]


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server that answers /healthz with a status, and all else with 404."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *words: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


@pytest.mark.parametrize(("status", "is_healthy"), [(200, True), (503, False)])
def test_the_image_tells_whether_it_works(status: int, is_healthy: bool) -> None:
    program, *words = files.healthcheck()
    assert program == "python"
    with answering(status) as port:
        environment = {**os.environ, "FLOWLOOM_PORT": str(port)}
        ended = subprocess.run([sys.executable, *words], env=environment, capture_output=True, check=False)
    assert (ended.returncode == 0) is is_healthy
