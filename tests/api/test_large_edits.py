"""Large edits are judged before the write transaction: on SQLite every other write would wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.world import World

from flowloom.domain import conditions
from flowloom.steps import registry

WRITER = "flowloom-writer"
WHERE = {"field": "a", "operator": "equals", "value": 1}
WIDE = {f"key{number}": number for number in range(registry.MAX_KEYS + 1)}


@pytest.fixture
def judged_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads in which configs and conditions were judged."""
    found: list[str] = []

    def recording(work: Callable[..., Any]) -> Callable[..., Any]:
        def record(*args: Any) -> Any:
            found.append(threading.current_thread().name)
            return work(*args)

        return record

    monkeypatch.setattr(registry, "check", recording(registry.check))
    monkeypatch.setattr(conditions, "compile", recording(conditions.compile))
    return found


async def test_nothing_is_judged_in_the_write(sqlite_server: World, judged_in: list[str]) -> None:
    flow = await sqlite_server.flow({"microservice": "batch", "config": {"size": 1}}, deploy=False)
    step = f"{flow.graph}/steps/{flow.last_step_id}"
    assert (await sqlite_server.patch(step, json={"config": {"size": 2}})).status == 200
    assert (await sqlite_server.patch(step, json={"name": "Two"})).status == 200
    legs = {"routes": [{"name": "Home", "where": WHERE}]}
    branch = await flow.add("route", config=legs)
    routes = f"{flow.graph}/steps/{branch['id']}/routes"
    made = await sqlite_server.post(routes, json={"name": "Abroad", "where": WHERE})
    assert made.status == 200
    assert (await sqlite_server.put(f"{routes}/{made.data['id']}", json={"where": WHERE})).status == 200
    assert judged_in
    assert WRITER not in judged_in


async def test_too_many_keys_name_their_field(sqlite_server: World) -> None:
    flow = await sqlite_server.flow({"microservice": "batch", "config": {"size": 1}}, deploy=False)
    step = f"{flow.graph}/steps/{flow.last_step_id}"
    new = {"microservice": "batch", "parent_id": flow.last_step_id}
    bodies: list[tuple[str, str, Any, str]] = [
        ("POST", f"{flow.graph}/steps", {**new, "config": WIDE}, "config"),
        ("POST", f"{flow.graph}/steps", {**new, "variables": {"a": WIDE}}, "variables.a"),
        ("PATCH", step, {"config": {"path": WIDE}}, "config.path"),
        ("PATCH", step, {"variables": WIDE}, "variables"),
        ("PUT", f"/flow-versions/{flow.version_id}/variables", {"variables": WIDE}, "variables"),
    ]
    for method, path, body, field in bodies:
        answer = await sqlite_server.request(method, path, json=body)
        assert (answer.status, list(answer.json()["errors"])) == (422, [field]), (method, path)
        assert "at most 1,000 keys" in answer.json()["message"]
    assert (await sqlite_server.get(flow.graph)).data["steps"][1]["config"] == {"size": 1}


async def test_many_unknown_keys_are_told_in_short(sqlite_server: World) -> None:
    flow = await sqlite_server.flow({"microservice": "batch", "config": {"size": 1}}, deploy=False)
    config = {f"key{number}": 1 for number in range(registry.MAX_KEYS - 1)} | {"size": 1}
    answer = await sqlite_server.patch(f"{flow.graph}/steps/{flow.last_step_id}", json={"config": config})
    assert answer.status == 422
    assert len(answer.json()["errors"]) == registry.MAX_MESSAGES


async def test_a_foreign_version_is_missing_before_its_body_is_judged(sqlite_server: World) -> None:
    flow = await sqlite_server.flow({"microservice": "batch", "config": {"size": 1}}, deploy=False)
    step = f"{flow.graph}/steps/{flow.last_step_id}"
    for path, key in ((step, sqlite_server.other_key), (f"{flow.graph}/steps/99999", sqlite_server.key)):
        assert (await sqlite_server.patch(path, json={"config": WIDE}, key=key)).status == 404
