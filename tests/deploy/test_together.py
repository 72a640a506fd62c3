"""What compose.yaml starts works together: its commands with its settings and secrets, without containers."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import psycopg
import pytest
from tests import mariadb, terminal
from tests.cluster import nats_servers
from tests.deploy import files

PATIENCE_SECONDS = 90.0
LOOPBACK = "http://127.0.0.1"


@dataclass(frozen=True)
class Started:
    name: str
    port: int
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def get(self, path: str) -> str:
        with urlopen(f"{LOOPBACK}:{self.port}{path}", timeout=5) as answer:
            return str(answer.read().decode())


def until(found: Callable[[], Any]) -> Any:
    """What is found once it is there; a server that does not listen yet has nothing."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            if answer := found():
                return answer
        except URLError:
            pass
        time.sleep(0.05)
    raise AssertionError("It does not come.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where Compose would put secrets and configurations, with secrets of its own."""
    made = tmp_path / "root"
    shutil.copytree(files.COMPOSE.parent, made / "compose", ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([made / "compose/make-secrets.sh"], check=True, capture_output=True)
    (made / "run").mkdir()
    # The image has it.
    (made / "data/blobs").mkdir(parents=True)
    shutil.copytree(made / "compose/secrets", made / "run/secrets")
    (made / "etc/nats").mkdir(parents=True)
    config = (made / "compose/nats.conf").read_text()
    (made / "etc/nats/nats.conf").write_text(config.replace("/data", f"{made}/data/nats"))
    return made


@pytest.fixture
def database(folder: Path, postgres_server: str) -> None:
    """An empty database where the secret says."""
    name = f"compose_{uuid.uuid4().hex}"
    with psycopg.connect(_plain(postgres_server.format(database="postgres")), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    (folder / "run/secrets/database_url").write_text(_plain(postgres_server.format(database=name)))


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg:", "postgresql:")


@pytest.fixture
def nats(folder: Path) -> Iterator[None]:
    """NATS with its file of the compose folder, where the secret says."""
    port, monitoring = mariadb.free_port(), mariadb.free_port()
    url = folder / "run/secrets/nats_url"
    url.write_text(url.read_text().replace("@nats:4222", f"@127.0.0.1:{port}"))
    places = ["-a", "127.0.0.1", "-p", str(port), "-m", str(monitoring)]
    config = folder / "etc/nats/nats.conf"
    with running([nats_servers.PROGRAM, "-c", config, *places], terminal.environment()):
        until(lambda: urlopen(f"{LOOPBACK}:{monitoring}/healthz", timeout=5).status == 200)
        yield


@contextmanager
def running(command: list[Any], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.fixture
def services(folder: Path, database: None, nats: None) -> Iterator[list[Started]]:
    """Every service, once each is ready."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(_started(process, folder))
            for process in files.composed()
            for _ in range(_replicas(process))
            if process.role != "db" or _migrate(process, folder)
        ]
        for one in started:
            until(lambda one=one: one.get("/readyz"))
        yield started


def _replicas(process: files.Process) -> int:
    service = files.compose()["services"][process.name.removeprefix("compose ")]
    return int(service.get("deploy", {}).get("replicas", 1))


def _migrate(process: files.Process, folder: Path) -> bool:
    """Run a service that ends by itself; false, for it is not to be waited for."""
    done = terminal.run(*process.command, **_environment(process, folder, 0))
    assert done.returncode == 0, done.stderr
    return False


@contextmanager
def _started(process: files.Process, folder: Path) -> Iterator[Started]:
    port = mariadb.free_port()
    environment = terminal.environment(**_environment(process, folder, port))
    with running([*terminal.COMMAND, *process.command], environment) as child:
        yield Started(process.name, port, child, environment)


def _environment(process: files.Process, folder: Path, port: int) -> dict[str, str]:
    """Its settings, with the root of a container in a folder."""
    given = {name: value for name, value in process.environment.items() if name.startswith("FLOWLOOM_")}
    placed = {name: value.replace("/run/secrets", f"{folder}/run/secrets") for name, value in given.items()}
    for name in ("FLOWLOOM_DATA_DIR", "FLOWLOOM_BLOB_URL"):
        placed[name] = placed[name].replace("/data", f"{folder}/data")
    return {**placed, "FLOWLOOM_HOST": "127.0.0.1", "FLOWLOOM_PORT": str(port)}


@pytest.mark.slow
def test_all_work_together(services: list[Started]) -> None:
    _each_is_healthy_as_the_image_asks_it(services)
    _a_run_that_the_api_starts_ends_on_a_worker(services)
    _one_of_them_leads(services)
    _each_ends_when_it_is_told_to(services)


def _each_is_healthy_as_the_image_asks_it(services: list[Started]) -> None:
    assert sorted(one.name for one in services) == [
        "compose api",
        "compose scheduler",
        "compose worker",
        "compose worker",
    ]
    for one in services:
        subprocess.run([sys.executable, *files.healthcheck()[1:]], env=one.environment, check=True)


def _a_run_that_the_api_starts_ends_on_a_worker(services: list[Started]) -> None:
    [api] = [one for one in services if one.name == "compose api"]
    token = _ask(api, "/fabric/api/login", _sign_in(api))["token"]
    flow = _ask(api, "/api/v1/flows", {"name": "Nothing"}, token)["data"]["id"]
    [version] = _ask(api, f"/api/v1/flows/{flow}/versions", None, token)["data"]
    deploy = {"deployed_at": "2026-01-01T00:00:00Z"}
    _ask(api, f"/api/v1/flows/{flow}/versions/{version['id']}", deploy, token, "PUT")
    run = _ask(api, f"/api/v1/flows/{flow}/start", {}, token)["flow_run_id"]
    until(lambda: _ask(api, f"/api/v1/flow-runs/{run}", None, token)["data"]["status"] == 2)
    ended = 'flowloom_runs_ended_total{status="success"} 1.0'
    assert [one.name for one in services if ended in one.get("/metrics")] == ["compose worker"]


def _sign_in(api: Started) -> dict[str, str]:
    password = Path(api.environment["FLOWLOOM_ADMIN_PASSWORD_FILE"]).read_text()
    return {"email": "admin@example.com", "password": password}


def _ask(api: Started, path: str, body: Any, token: str = "", method: str | None = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = Request(f"{LOOPBACK}:{api.port}{path}", content, headers, method=method)
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)


def _one_of_them_leads(services: list[Started]) -> None:
    leading = [one for one in services if "flowloom_is_leader 1.0" in one.get("/metrics")]
    assert len(leading) == 1
    assert leading[0].name in ("compose api", "compose scheduler")


def _each_ends_when_it_is_told_to(services: list[Started]) -> None:
    for one in services:
        one.process.send_signal(signal.SIGTERM)
    for one in services:
        assert one.process.wait(PATIENCE_SECONDS) in (0, -signal.SIGTERM), one.name
