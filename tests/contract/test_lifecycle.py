"""The life cycle of versions: long random walks held against a plain model, and many changes at once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.contract.states import content_of
from tests.world import Flow, World

NOW = "2026-03-02T10:00:00Z"
FILTER = {"where": {"field": "a", "operator": "equals", "value": 1}}


@dataclass
class Model:
    """What a flow's versions must be: their states by iteration, and the content of the locked ones."""

    status: dict[int, str] = field(default_factory=lambda: {1: "Draft"})
    last_iteration: int = 1
    locked: dict[int, Any] = field(default_factory=dict)

    def at(self, status: str) -> int | None:
        return next((iteration for iteration, now in self.status.items() if now == status), None)

    def create(self) -> int:
        if self.at("Draft"):
            return 422
        return self._draft()

    def _draft(self) -> int:
        self.last_iteration += 1
        self.status[self.last_iteration] = "Draft"
        return 200

    def deploy(self, iteration: int) -> int:
        deployed = self.at("Deployed")
        if deployed:
            self.status[deployed] = "Inactive"
        self.status[iteration] = "Deployed"
        return 200

    def undeploy(self, iteration: int) -> int:
        if self.status[iteration] == "Deployed":
            self.status[iteration] = "Inactive"
        return 200

    def copy(self, iteration: int) -> int:
        if self.status[iteration] == "Draft":
            return 422
        draft = self.at("Draft")
        if draft:
            del self.status[draft]
        return self._draft()

    def delete(self, iteration: int) -> int:
        if self.status[iteration] == "Deployed":
            return 403
        del self.status[iteration]
        self.locked.pop(iteration, None)
        return 200


class Walk:
    """One flow, changed at random through the API and in the model alike."""

    def __init__(self, server: World, flow_id: int, seed: int) -> None:
        self.server, self.path, self.random = server, f"/flows/{flow_id}/versions", random.Random(seed)
        self.model = Model()
        self.ids: dict[int, int] = {}

    async def step(self) -> None:
        if not self.model.status:
            await self.expect("POST", self.path, None, self.model.create())
            return
        iteration = self.random.choice(list(self.model.status))
        one = f"{self.path}/{self.ids[iteration]}"
        match self.random.randrange(8):
            case 0:
                await self.expect("POST", self.path, None, self.model.create())
            case 1:
                await self.expect("PUT", one, {"deployed_at": NOW}, self.model.deploy(iteration))
            case 2:
                await self.expect("PUT", one, {"deployed_at": None}, self.model.undeploy(iteration))
            case 3:
                await self.expect("POST", f"{one}/copy", None, self.model.copy(iteration))
            case 4:
                await self.expect("DELETE", one, None, self.model.delete(iteration))
            case _:
                await self.edit(iteration)

    async def expect(self, method: str, path: str, body: Any, status: int) -> Any:
        answer = await self.server.request(method, path, json=body)
        assert answer.status == status, (method, path, body, answer.body)
        return answer

    async def edit(self, iteration: int) -> None:
        """Change something of a version: only of a Draft does it work, and only a real change gives a new hash."""
        version, is_draft = self.ids[iteration], self.model.status[iteration] == "Draft"
        graph = f"/flow-versions/{version}/graph"
        steps = (await self.server.get(graph)).data["steps"]
        step = self.random.choice(steps)
        before = (await self.server.get(f"{self.path}/{version}")).data
        method, path, body, changes = self._edits(version, graph, step)
        refused = 422 if method == "PATCH" else 403
        if method == "DELETE" and step["microservice"] == "trigger":
            is_draft, refused = False, 422
        await self.expect(method, path, body, 200 if is_draft else refused)
        after = (await self.server.get(f"{self.path}/{version}")).data
        assert (after["content_hash"] != before["content_hash"]) == (is_draft and changes), (
            method,
            path,
            body,
        )

    def _edits(self, version: int, graph: str, step: dict[str, Any]) -> tuple[str, str, Any, bool]:
        """An edit, and whether it changes the definition."""
        where, word = f"{graph}/steps/{step['id']}", f"w{self.random.randrange(10**9)}"
        new = {"microservice": "filter", "config": FILTER, "parent_id": step["id"]}
        ways = {
            "microservice": "route",
            "config": {"mode": "all", "routes": [{"name": word}]},
            "parent_id": step["id"],
        }
        edits = [
            ("POST", f"{graph}/steps", new, True),
            ("POST", f"{graph}/steps", ways, True),
            ("PATCH", where, {"name": word}, True),
            ("PATCH", where, step, False),
            ("PATCH", where, {}, False),
            ("DELETE", where, None, True),
            ("PUT", f"/flow-versions/{version}/variables", {"variables": {word: 1}}, True),
            ("POST", f"/flow-versions/{version}/schedules", {"cron_string": "0 4 * * *"}, False),
        ]
        if step["microservice"] == "route":
            return self.random.choice([*edits, ("POST", f"{where}/routes", {"name": word}, True)])
        return self.random.choice(edits)

    async def check(self) -> None:
        """The server's versions are the model's, and what is locked has its content still."""
        found = (await self.server.get(self.path, query={"per_page": 100})).data
        assert {version["iteration"]: version["status"] for version in found} == self.model.status
        assert list(self.model.status.values()).count("Draft") <= 1
        assert list(self.model.status.values()).count("Deployed") <= 1
        self.ids = {version["iteration"]: version["id"] for version in found}
        for version in found:
            if version["status"] != "Draft":
                content = (
                    version["content_hash"],
                    version["steps_count"],
                    await content_of(self.server, version["id"]),
                )
                assert self.model.locked.setdefault(version["iteration"], content) == content


@pytest.mark.parametrize("seed", range(3))
async def test_random_walks(server: World, seed: int) -> None:
    flow = await server.flow(deploy=False)
    walk = Walk(server, flow.id, seed)
    await walk.check()
    for _ in range(120):
        await walk.step()
        await walk.check()


async def storm(flow: Flow, seed: int) -> list[int]:
    """Many changes of a flow's versions at once; their statuses."""
    server, draw = flow.world, random.Random(seed)
    path = f"/flows/{flow.id}/versions"
    ids = [version["id"] for version in (await server.get(path, query={"per_page": 100})).data]

    def one() -> Any:
        where = f"{path}/{draw.choice(ids)}"
        return draw.choice(
            [
                lambda: server.put(where, json={"deployed_at": NOW}),
                lambda: server.put(where, json={"deployed_at": NOW}),
                lambda: server.put(where, json={"deployed_at": None}),
                lambda: server.post(f"{where}/copy"),
                lambda: server.post(path),
                lambda: server.delete(where),
            ]
        )()

    return [answer.status for answer in await asyncio.gather(*(one() for _ in range(40)))]


async def test_a_storm_of_changes(server: World) -> None:
    flow = await server.flow({"microservice": "filter", "config": FILTER})
    known = (await server.get(flow.path)).data["content_hash"]
    await server.post(f"{flow.path}/copy")
    highest = 2
    for seed in range(6):
        assert set(await storm(flow, seed)) <= {200, 403, 404, 422}
        found = (await server.get(f"/flows/{flow.id}/versions", query={"per_page": 100})).data
        statuses = [version["status"] for version in found]
        assert statuses.count("Draft") <= 1
        assert statuses.count("Deployed") <= 1
        iterations = [version["iteration"] for version in found]
        assert len(set(iterations)) == len(iterations)
        for version in found:
            graph = (await server.get(f"/flow-versions/{version['id']}/graph")).data
            assert len(graph["steps"]) == version["steps_count"]
            assert (version["content_hash"] == known) == (version["steps_count"] == 2)
        if not found:
            await server.post(f"/flows/{flow.id}/versions")
        highest = max([highest, *iterations])
    await server.delete(f"/flows/{flow.id}/versions/{found[-1]['id']}")


async def test_two_deploys_at_once(server: World) -> None:
    """One after the other: never two Deployed, and never none."""
    flow = await server.flow({"microservice": "filter", "config": FILTER})
    draft = (await server.post(f"{flow.path}/copy")).data["id"]
    paths = [flow.path, f"/flows/{flow.id}/versions/{draft}"]
    for _ in range(5):
        answers = await asyncio.gather(*(server.put(path, json={"deployed_at": NOW}) for path in paths * 4))
        assert {answer.status for answer in answers} == {200}
        assert all(answer.data["status"] == "Deployed" for answer in answers)
        found = (await server.get(f"/flows/{flow.id}/versions")).data
        assert sorted(version["status"] for version in found) == ["Deployed", "Inactive"]


async def test_edits_race_with_deploying(server: World) -> None:
    """A step is changed before the version is locked, or it is refused; what is Deployed is what was kept."""
    flow = await server.flow({"microservice": "filter", "config": FILTER}, deploy=False)
    steps = f"{flow.graph}/steps"
    edits = [server.patch(f"{steps}/{flow.last_step_id}", json={"name": f"Name {n}"}) for n in range(8)]
    adds = [
        server.post(
            steps, json={"microservice": "batch", "config": {"size": 2}, "parent_id": flow.last_step_id}
        )
        for _ in range(8)
    ]
    answers = await asyncio.gather(
        *edits[:4], *adds[:4], server.put(flow.path, json={"deployed_at": NOW}), *edits[4:], *adds[4:]
    )
    assert {answer.status for answer in answers} <= {200, 403, 422}
    version, graph = (await server.get(flow.path)).data, (await server.get(flow.graph)).data
    assert version["status"] == "Deployed"
    assert version["steps_count"] == len(graph["steps"])
    added = [
        answer for answer in answers if answer.status == 200 and answer.data.get("microservice") == "batch"
    ]
    assert len(graph["steps"]) == 2 + len(added)
    assert (await flow.run([{"a": 1}]))["status"] == 2
