"""The product under measurement: a real server with a data directory of its own, driven by its API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import process

Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Home:
    """A migrated database with its company and an API key; `url` None is SQLite in the directory."""

    directory: Path
    key: str
    url: str | None

    @property
    def database(self) -> Path:
        return self.directory / "flowloom.db"

    @contextmanager
    def serve(self, **settings: str) -> Iterator[Server]:
        """`python -m flowloom serve` until the block ends."""
        with self.run("serve", **settings) as running:
            yield Server(running, self.key)

    def run(self, role: str, **settings: str) -> AbstractContextManager[process.Running]:
        """A process of a role, with settings besides those of `environ`."""
        given = {**environ(self.directory, self.url), **settings}
        return process.serve("flowloom", role, ready="/readyz", environ=given)


def environ(directory: Path, url: str | None) -> dict[str, str]:
    """The settings of a server here; it may reach loopback, where the other side of the measurement is."""
    settings = {
        **os.environ,
        "FLOWLOOM_DATA_DIR": str(directory),
        "FLOWLOOM_OUTBOUND_ALLOW": "127.0.0.1",
        "FLOWLOOM_ADMIN_EMAIL": "bench@example.org",
        "FLOWLOOM_ADMIN_PASSWORD": "a password for the bench",
    }
    return {**settings, **({"FLOWLOOM_DATABASE_URL": url} if url else {})}


def settle(directory: Path, url: str | None = None) -> Home:
    """Start once, so that the database is migrated and has its company, and make a key."""
    with process.serve("flowloom", "serve", ready="/readyz", environ=environ(directory, url)):
        pass
    command = [sys.executable, "-m", "flowloom", "keys", "create", "bench", "--json"]
    made = subprocess.run(command, env=environ(directory, url), check=True, capture_output=True)
    return Home(directory, json.loads(made.stdout)["key"], url)


@dataclass(frozen=True, slots=True)
class Server:
    """A product that runs."""

    running: process.Running
    key: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """An API call that must work; its answer's data."""
        status, content = process.call(self.running.port, method, f"/api/v1{path}", body, self.key)
        if status != 200:
            raise RuntimeError(f"{method} {path}: {status} {content[:500]!r}")
        answer = json.loads(content)
        return answer.get("data", answer)

    def flow(self, name: str, steps: Sequence[Step]) -> int:
        """A flow with these steps in a row, deployed and enabled; its id."""
        flow = self.call("POST", "/flows", {"name": name, "is_enabled": True})["id"]
        version = self.call("GET", f"/flows/{flow}/versions")[0]["id"]
        parent = self.call("GET", f"/flow-versions/{version}/graph")["steps"][0]["id"]
        for step in steps:
            added = self.call("POST", f"/flow-versions/{version}/graph/steps", {**step, "parent_id": parent})
            parent = added["id"]
        now = datetime.now(UTC).isoformat()
        self.call("PUT", f"/flows/{flow}/versions/{version}", {"deployed_at": now})
        return int(flow)

    def start(self, flow: int) -> int:
        """Start the flow; the run's id."""
        status, content = process.call(self.running.port, "POST", f"/api/v1/flows/{flow}/start", key=self.key)
        if status != 200:
            raise RuntimeError(f"start: {status} {content[:500]!r}")
        return int(json.loads(content)["flow_run_id"])

    def webhook(self, flow: int) -> str:
        """The path, with its signature, that starts a flow."""
        url: str = self.call("POST", f"/flows/{flow}/webhooks", {"name": "bench"})["url"]
        return url[url.index("/webhooks/") :]


FILTER: Step = {
    "microservice": "filter",
    "config": {"where": {"field": "status", "operator": "equals", "value": "paid"}},
}
MAP: Step = {
    "microservice": "map",
    "config": {
        "rules": [
            {"target": "reference", "source": "id"},
            {"target": "ship_to.name", "source": "customer.name"},
            {"target": "ship_to.city", "source": "customer.city", "transforms": [{"name": "upper"}]},
            {"target": "lines", "source": "lines"},
            {"target": "channel", "value": "webshop"},
        ]
    },
}


def send(url: str) -> Step:
    return {"microservice": "connector", "config": {"direction": "send", "method": "POST", "url": url}}
