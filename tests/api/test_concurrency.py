"""How many runs go at a time, over HTTP: a company's and a flow's limit, keys, and what a queued run waits for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world import World

from flowloom.store import claims

KEY = "[[payload.customer]]"


async def queue_of(server: World) -> list[tuple[int, str]]:
    return [(run["id"], run["waits_for"]) for run in (await server.get("/scheduled-flows")).data]


async def claimed(server: World) -> list[int]:
    """Claim what may go, without working on it."""
    found = await server.platform.database.write(claims.claim, 10, server.clock.now)
    return [one.row.id for one in found]


async def test_a_company_shows_and_takes_its_limit(server: World) -> None:
    administrator = server.bearer("administrator")
    before = (await server.get("/company", key=server.bearer("read-only"))).data
    assert (before["id"], before["name"], before["concurrency"]) == (1, "First", 0)
    changed = await server.put("/company", json={"concurrency": 7}, key=administrator)
    assert (changed.data["name"], changed.data["concurrency"]) == ("First", 7)
    named = await server.put("/company", json={"name": " Acme "}, key=administrator)
    assert (named.data["name"], named.data["concurrency"]) == ("Acme", 7)
    assert (await server.put("/company", json={"concurrency": 1})).status == 403
    assert (await server.get("/company", key=server.other_key)).data["name"] == "Other"


@pytest.mark.parametrize(
    "sent", [{"concurrency": -1}, {"concurrency": 10_001}, {"name": " "}, {"name": "a" * 201}]
)
async def test_a_company_refuses_what_makes_no_sense(sqlite_server: World, sent: dict[str, Any]) -> None:
    answer = await sqlite_server.put("/company", json=sent, key=sqlite_server.bearer("administrator"))
    assert (answer.status, [*answer.json()["errors"]]) == (422, [*sent])


async def test_a_flow_keeps_its_limits(server: World) -> None:
    limits = {"concurrency": 3, "concurrency_key": KEY, "run_timeout_seconds": 60}
    made = (await server.post("/flows", json={"name": "A", **limits})).data
    assert {name: made[name] for name in limits} == limits
    kept = (await server.put(f"/flows/{made['id']}", json={"name": "B", "concurrency": None})).data
    assert {name: kept[name] for name in limits} == limits
    cleared = dict.fromkeys(limits)
    gone = (await server.put(f"/flows/{made['id']}", json={**cleared, "concurrency": 0})).data
    assert gone["concurrency"] == 0
    assert not {"concurrency_key", "run_timeout_seconds"} & gone.keys()
    assert (await server.post("/flows", json={"name": "C"})).data["concurrency"] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("concurrency", -1),
        ("concurrency", 1001),
        ("concurrency_key", "[[customer]]"),
        ("concurrency_key", "{{a b}}"),
        ("concurrency_key", ""),
        ("concurrency_key", "x" * 501),
        ("run_timeout_seconds", 0),
        ("run_timeout_seconds", 604_801),
    ],
)
async def test_a_limit_that_makes_no_sense_is_refused(sqlite_server: World, field: str, value: Any) -> None:
    flow = await sqlite_server.flow(deploy=False)
    for answer in (
        await sqlite_server.post("/flows", json={"name": "A", field: value}),
        await sqlite_server.put(f"/flows/{flow.id}", json={field: value}),
    ):
        assert (answer.status, [*answer.json()["errors"]]) == (422, [field])


async def test_runs_of_one_key_run_one_after_another(server: World) -> None:
    flow = await server.flow(concurrency_key=KEY)
    ids = [await flow.start({"customer": customer}) for customer in (1, 1, 2)]
    assert await queue_of(server) == [(ids[0], "turn"), (ids[1], "key"), (ids[2], "turn")]
    assert await server.server.duty.dispatcher.tick(server.clock.now) == 2
    await server.settle()
    assert await queue_of(server) == [(ids[1], "turn")]
    assert await server.work() == 1


async def test_a_large_body_has_its_key_too(server: World) -> None:
    flow = await server.flow(concurrency_key=KEY)
    body = {
        "customer": 1,
        "lines": [{"sku": f"{number * 7919 % 100_003:x}{number}"} for number in range(30_000)],
    }
    ids = [await flow.start(body), await flow.start({"customer": 1})]
    assert await queue_of(server) == [(ids[0], "turn"), (ids[1], "key")]


async def test_stopping_the_first_of_a_key_lets_the_next_go(server: World) -> None:
    flow = await server.flow(concurrency_key=KEY)
    ids = [await flow.start({"customer": 1}) for _ in range(3)]
    administrator = server.bearer("administrator")
    await server.put(f"/flows/{flow.id}", json={"concurrency": 1})
    assert [waits for _, waits in await queue_of(server)] == ["turn", "key", "key"]
    await server.post(f"/flow-runs/{ids[0]}/stop", key=administrator)
    assert await queue_of(server) == [(ids[1], "turn"), (ids[2], "key")]
    assert await server.work() == 2


async def test_the_limit_of_a_company_holds_at_once(server: World) -> None:
    await server.put("/company", json={"concurrency": 2}, key=server.bearer("administrator"))
    flow = await server.flow()
    ids = [await flow.start({}) for _ in range(3)]
    assert await claimed(server) == ids[:2]
    assert await queue_of(server) == [(ids[2], "company_concurrency")]


async def test_raising_the_limit_of_a_flow_and_deleting_it_lets_runs_go(server: World) -> None:
    flow = await server.flow(concurrency=1)
    ids = [await flow.start({}) for _ in range(4)]
    assert await claimed(server) == ids[:1]
    assert await queue_of(server) == [(id, "flow_concurrency") for id in ids[1:]]
    await server.put(f"/flows/{flow.id}", json={"concurrency": 2})
    assert await claimed(server) == ids[1:2]
    await server.put(flow.path, json={"deployed_at": None})
    assert (await server.delete(f"/flows/{flow.id}")).status == 200
    assert await claimed(server) == ids[2:]
