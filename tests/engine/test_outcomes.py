"""What the executor makes of each answer of a step, and how runs end."""

from __future__ import annotations

from typing import Any

import pytest
from tests.remote import Remote
from tests.world import World

from flowloom.domain.payload import Payload
from flowloom.steps import contract, registry

SUCCESS, FAILURE, STOPPED = 2, 3, 4
OUTCOMES: dict[str, Any] = {
    "done": lambda payload: contract.Done([payload]),
    "nothing": lambda payload: contract.Done([]),
    "two": lambda payload: contract.Done([Payload(n, position=f"{payload.position}.{n}") for n in (0, 1)]),
    "retry": lambda payload: contract.Retry("Not yet."),
    "fail": lambda payload: contract.Fail("It is broken."),
    "stop": lambda payload: contract.Stop("Enough."),
    "routed": lambda payload: contract.Routed({"x": payload}),
    "bug": lambda payload: 1 / 0,
}


class Probe(contract.Config):
    answer: str
    effect: bool = False


def probe(config: Probe, legs: Any) -> contract.Compiled:
    return contract.Compiled(
        lambda context, payload: OUTCOMES[config.answer](payload), effect=config.effect, retries=2
    )


@pytest.fixture(autouse=True)
def probes(monkeypatch):
    kind = contract.StepType("probe", "Probe", "For tests.", "As asked.", Probe, probe)
    monkeypatch.setitem(registry.TYPES, "probe", kind)


@pytest.mark.parametrize("effect", [False, True])
@pytest.mark.parametrize(
    ("answer", "status", "message", "sent"),
    [
        ("done", SUCCESS, None, 1),
        ("two", SUCCESS, None, 2),
        ("nothing", SUCCESS, None, 0),
        ("retry", FAILURE, "Not yet.", 0),
        ("fail", FAILURE, "It is broken.", 0),
        ("stop", STOPPED, "Enough.", 0),
        ("routed", FAILURE, "Internal error", 0),
        ("bug", FAILURE, "Internal error (ZeroDivisionError).", 0),
    ],
)
async def test_every_answer_of_a_step(server: World, remote: Remote, answer, status, message, sent, effect):
    flow = await server.flow(
        {"microservice": "probe", "config": {"answer": answer, "effect": effect}}, remote.send()
    )
    run = await flow.run({"a": 1})
    assert run["status"] == status, run
    assert len(remote.seen) == sent
    assert (message is None) is ("error" not in run["summary"])
    if message:
        assert run["summary"]["error"]["message"].startswith(message)
        lines = (await server.get(f"/flow-runs/{run['id']}/flow-run-logs")).data
        assert answer == "stop" or any(line["message"].startswith(message.split(" (")[0]) for line in lines)


async def test_a_failure_names_its_step(server: World):
    flow = await server.flow({"microservice": "probe", "name": "Look", "config": {"answer": "fail"}})
    error = (await flow.run())["summary"]["error"]
    assert (error["name"], error["message"]) == ("Look", "It is broken.")


async def test_a_summary_tells_what_each_step_did(server: World, remote: Remote):
    flow = await server.flow(
        {"microservice": "batch", "config": {"size": 2}},
        remote.send(),
    )
    steps = (await flow.run([1, 2, 3]))["summary"]["steps"]
    assert [(s["payloads_in"], s["payloads_out"], s["attempts"]) for s in steps] == [
        (1, 1, 1),
        (1, 2, 1),
        (2, 2, 2),
    ]


async def test_a_failed_step_tells_how_long_it_took(server: World, remote: Remote):
    remote.answers(404)
    *_, failed = (await (await server.flow(remote.send())).run())["summary"]["steps"]
    assert (failed["payloads_in"], failed["payloads_out"], failed["attempts"]) == (1, 0, 1)
    assert failed["duration_ms"] > 0


async def test_a_bucket_emptied_by_a_filter_ends_in_success(server: World, remote: Remote):
    where = {"field": "status", "operator": "equals", "value": "paid"}
    flow = await server.flow({"microservice": "filter", "config": {"where": where}}, remote.send())
    run = await flow.run({"status": "open"})
    assert (run["status"], remote.seen) == (SUCCESS, [])


async def test_a_disabled_step_is_passed_by(server: World, remote: Remote):
    flow = await server.flow(
        {"microservice": "probe", "config": {"answer": "fail"}}, remote.send(), deploy=False
    )
    steps = (await server.get(flow.graph)).data["steps"]
    await server.patch(f"{flow.graph}/steps/{steps[1]['id']}", json={"is_enabled": False})
    await flow.deploy()
    run = await flow.run({"a": 1})
    assert (run["status"], remote.bodies()) == (SUCCESS, [{"a": 1}])


async def test_a_disabled_step_with_routes_ends_its_payloads(server: World, remote: Remote):
    flow = await server.flow({"microservice": "try-catch"}, deploy=False)
    guard = f"{flow.graph}/steps/{flow.last_step_id}"
    route = (await server.get(f"{guard}/routes")).data[0]["id"]
    await flow.add(**remote.send(), flow_step_route_id=route)
    await server.patch(guard, json={"is_enabled": False})
    await flow.deploy()
    run = await flow.run({"a": 1})
    assert (run["status"], remote.seen) == (SUCCESS, [])
    types = {one["microservice"]: one["help"] for one in (await server.get("/step-types")).data}
    assert "its payloads end there, and no route gets them" in types["try-catch"]


async def test_now_is_when_the_run_was_queued_on_every_attempt(server: World, remote: Remote):
    flow = await server.flow(
        remote.send(),
        {
            "microservice": "filter",
            "config": {"where": {"field": "at", "operator": "before", "value": "now"}},
        },
        remote.send("/kept"),
    )
    remote.answers(503, 200)
    await flow.start({"at": (server.clock.now).isoformat()})
    await server.work()
    assert remote.bodies("/kept") == []


async def test_what_the_database_refuses_fails_the_run_and_not_the_server(server: World, remote: Remote):
    OUTCOMES["strange"] = lambda payload: contract.Done([Payload("\ud800", "text/plain")])
    strange = {"microservice": "probe", "config": {"answer": "strange", "effect": True}}
    flow = await server.flow(strange, remote.send())
    assert (await flow.run({"a": 1}))["status"] == FAILURE
    assert (await (await server.flow(remote.send())).run({"a": 1}))["status"] == SUCCESS
