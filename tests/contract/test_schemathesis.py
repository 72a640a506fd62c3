"""Generated requests against every operation of both documents: no 5xx, and no answer that breaks its schema."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.python import asgi
from schemathesis.specs.openapi import checks
from tests import world
from tests.contract import contract

EXAMPLES = 3
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
OF_THE_CONTRACT = [not_a_server_error, checks.response_schema_conformance, checks.content_type_conformance]
OF_OURS = [
    *OF_THE_CONTRACT,
    checks.status_code_conformance,
    checks.response_headers_conformance,
    checks.unsupported_method,
]
# Never ends while the run goes on, and is tested where runs are.
LEFT_OUT = {"follow_run"}


class Running:
    """A server with one record of each kind, and a client that speaks to it in this process."""

    def __init__(self, client: asgi.ASGIClient) -> None:
        self.client = client
        self.ids = self._populate()

    def post(self, path: str, body: Any) -> Any:
        answer = self.client.post(f"/api/v1{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _populate(self) -> dict[str, Any]:
        flow = self.post("/flows", {"name": "Orders", "is_enabled": True})["data"]["id"]
        path = f"/flows/{flow}/versions"
        version = self.client.get(f"/api/v1{path}").json()["data"][0]["id"]
        self.client.put(f"/api/v1{path}/{version}", json={"deployed_at": "2026-03-02T09:00:00Z"})
        draft = self.post(f"{path}/{version}/copy", {})["data"]["id"]
        graph = f"/flow-versions/{draft}/graph"
        trigger = self.client.get(f"/api/v1{graph}").json()["data"]["steps"][0]["id"]
        config = {"mode": "all", "routes": [{"name": "a"}]}
        step = self.post(f"{graph}/steps", {"microservice": "route", "parent_id": trigger, "config": config})
        routes = self.client.get(f"/api/v1{graph}/steps/{step['data']['id']}/routes").json()["data"]
        schedule = self.post(f"/flow-versions/{draft}/schedules", {"cron_string": "0 1 * * *"})["data"]["id"]
        return {
            "flow": flow,
            "version": draft,
            "flow_version": draft,
            "step": step["data"]["id"],
            "route": routes[0]["id"],
            "schedule": schedule,
            "flow_run": self.post(f"/flows/{flow}/start", {"payload": "[]"})["flow_run_id"],
            "payload_metadata": 1,
            "webhook": self.post(f"/flows/{flow}/webhooks", {})["data"]["id"],
            "connection": self.post("/connections", CONNECTION)["data"]["id"],
        }


CONNECTION = {"name": "Shop", "base_url": "http://127.0.0.1:1", "auth": {"type": "bearer", "token": "secret"}}


@pytest.fixture
def running(sqlite_template: Path, tmp_path: Path) -> Iterator[Running]:
    shutil.copy(sqlite_template, tmp_path / "flowloom.db")
    made = world.make_world(f"sqlite+pysqlite:///{tmp_path / 'flowloom.db'}", tmp_path)
    with asgi.get_client(made.server.app) as client:
        client.headers["authorization"] = made.bearer("administrator")
        yield Running(client)
    asgi.shutdown_lifespans()


def explore(document: dict[str, Any], running: Running, wanted: Sequence[Any], turn: int, turns: int) -> None:
    """Call every operation with good and bad input, on records that are there and on any others."""
    schema = schemathesis.openapi.from_dict(document)
    schema.app = running.client.app
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations[turn::turns]:
        if operation.definition.raw.get("operationId") in LEFT_OUT:
            continue
        known = {name: running.ids.get(name, 1) for name in (p.name for p in operation.path_parameters)}
        for mode in MODES:
            for ids in (known, None) if known else (None,):
                cases = operation.as_strategy(generation_mode=mode, path_parameters=ids)
                # An operation that takes any input has no bad one.
                with contextlib.suppress(Unsatisfiable):
                    try_cases(cases, running, wanted)


def try_cases(cases: Any, running: Running, wanted: Sequence[Any]) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def try_one(case: Any) -> None:
        answer = case.call(session=running.client)
        case.validate_response(answer, checks=list(wanted), transport_kwargs={"session": running.client})

    try_one()


@pytest.mark.parametrize("turn", range(4))
def test_the_published_contract(running: Running, turn: int) -> None:
    explore(contract.DOCUMENT, running, OF_THE_CONTRACT, turn, 4)


@pytest.mark.parametrize("turn", range(4))
def test_our_own_document(running: Running, turn: int) -> None:
    document = running.client.get("/openapi.json").json()
    explore(document, running, OF_OURS, turn, 4)
