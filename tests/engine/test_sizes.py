"""Small flows that make huge or bottomless payloads: they fail where they do, naming the step and the way out."""

from __future__ import annotations

import json

import psutil
import pytest
from aiohttp import web
from tests.engine.test_effects import FAILURE
from tests.remote import Remote, Seen
from tests.world import World

from flowloom.steps import sizes

COPIES = {"rules": [{"target": f"k{n}", "source": "."} for n in range(100)]}
TWICE = {"body": {"a": "[[payload]]", "b": "[[payload]]"}}
LISTS = {"variables": {"v": ["{{v}}"] * 100}}
TEXTS = {"meta": {"m": "[[meta.m]] and some" * 100}}


@pytest.mark.parametrize(
    ("microservice", "config", "times", "what"),
    [
        ("map", COPIES, 4, "The payload that this step makes"),
        ("manual-payload", TWICE, 30, "The payload that this step makes"),
        ("set-variables", LISTS, 5, "The variables"),
        ("set-variables", TEXTS, 5, "The meta"),
    ],
)
async def test_a_small_flow_makes_no_huge_payload(
    sqlite_server: World, remote: Remote, microservice: str, config: dict, times: int, what: str
):
    steps = [{"microservice": microservice, "config": config} for _ in range(times)]
    flow = await sqlite_server.flow(*steps, remote.send(), deploy=False)
    variables = f"/flow-versions/{flow.version_id}/variables"
    await sqlite_server.put(variables, json={"variables": {"v": "some text"}})
    await flow.deploy()
    before = psutil.Process().memory_info().rss
    run = await flow.run({"a": "some text"})
    assert run["status"] == FAILURE
    message = run["summary"]["error"]["message"]
    assert message == f"{what} would be larger than 64 MB; copy less into it, or split what it is made of."
    assert psutil.Process().memory_info().rss - before < 300 * 2**20


async def test_what_a_map_makes_large_is_worked_on_as_such(sqlite_server: World, remote: Remote):
    flow = await sqlite_server.flow({"microservice": "map", "config": COPIES}, remote.send())
    run = await flow.run({"text": "x" * 1000})
    assert run["summary"]["steps"][1]["bytes_out"] > 100_000


async def test_json_that_is_nested_too_deep_fails_its_step(sqlite_server: World, remote: Remote):
    async def answer(seen: Seen) -> web.Response:
        return web.Response(body=b"[" * 65 + b"]" * 65, headers={"content-type": "application/json"})

    remote.answer = answer
    run = await (await sqlite_server.flow(remote.receive("/deep"))).run()
    assert "nested deeper than 64 levels" in run["summary"]["error"]["message"]
    read = {"target": "a", "source": "text", "transforms": [{"name": "from_json"}]}
    flow = await sqlite_server.flow({"microservice": "map", "config": {"rules": [read]}})
    run = await flow.run({"text": "[" * 65 + "]" * 65})
    assert "expects JSON of at most 64 levels" in run["summary"]["error"]["message"]


async def test_a_value_that_grows_deeper_step_by_step(sqlite_server: World, remote: Remote):
    target = ".".join(["a"] * 50)
    rules = {"rules": [{"target": target, "source": "."}]}
    flow = await sqlite_server.flow(
        *[{"microservice": "map", "name": "Deeper", "config": rules} for _ in range(40)], remote.send()
    )
    run = await flow.run({})
    assert run["summary"]["error"]["message"].startswith("Deeper works on a payload that is nested too deep")
    assert remote.seen == []


@pytest.mark.parametrize(
    "value", [None, 7, "text", ["a" * 100] * 5000, {"a": [{"b": "c" * 50}] * 20}, [[1, 2], {"k": "v"}] * 300]
)
def test_a_size_is_about_that_of_its_json(value: object):
    exact = len(json.dumps(value))
    assert exact / 4 - 8 <= sizes.of(value) <= exact * 4 + 8
