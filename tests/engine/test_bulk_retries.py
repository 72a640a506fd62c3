"""Many runs retried and many dead letters driven again at once: each once, whoever asks how often, and all of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from tests.engine.test_catch import caught_flow, refuses
from tests.engine.test_retry import retry
from tests.remote import Remote
from tests.world import Flow, World

from flowloom.services import retries

REDRIVE, RETRY = "/dead-letters/re-drive", "/flow-runs/retry"


async def failed(server: World, remote: Remote, count: int) -> Flow:
    """A flow of which so many runs failed, each with a payload of its own; now it would not fail."""
    remote.answers(400)
    flow = await server.flow(remote.send("/shop", retries=0))
    for n in range(count):
        await flow.start([n])
    await server.work()
    remote.answers(200)
    remote.seen.clear()
    return flow


async def many(server: World, path: str, flow: Flow, key: str | None = None, **sent: Any) -> Any:
    headers = {"idempotency-key": key} if key else {}
    return await server.post(path, query={"filter[flow_id]": flow.id}, headers=headers, **sent)


@pytest.mark.parametrize("paths", [[REDRIVE] * 4, [RETRY] * 4, [REDRIVE, RETRY] * 2])
async def test_what_several_ask_for_at_once_is_done_once(server: World, remote: Remote, paths: list[str]):
    flow = await failed(server, remote, 12)
    answers = await asyncio.gather(*(many(server, path, flow) for path in paths))
    assert [answer.status for answer in answers] == [200] * 4
    assert [answer.data["skipped"] for answer in answers] == [[]] * 4
    await server.work()
    assert Counter(remote.seen[at].body[0] for at in range(len(remote.seen))) == Counter(range(12))
    started = [id for answer in answers for id in answer.data["flow_run_ids"]]
    runs = (await server.get("/flow-runs", query={"filter[trigger]": "Retry", "per_page": 100})).data
    assert sorted(started) == sorted(run["id"] for run in runs)
    if len({*paths}) == 1:
        assert len(started) == 12


async def test_a_single_retry_and_many_at_once_start_a_run_once(server: World, remote: Remote):
    flow = await failed(server, remote, 1)
    [run] = (await server.get("/flow-runs")).data
    one, *more = await asyncio.gather(
        server.post(f"/flow-runs/{run['id']}/retry"), *(many(server, RETRY, flow) for _ in range(3))
    )
    ids = [id for answer in more for id in answer.data["flow_run_ids"]]
    # Asked for by name, a run is retried however often it was; in bulk it is once.
    assert (one.status, len(ids) < 2) == (200, True)


async def test_bulk_retries_go_on_behind_those_that_were_retried(
    server: World, remote: Remote, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retries, "MAX_AT_ONCE", 2)
    flow = await failed(server, remote, 5)
    made = [(await many(server, RETRY, flow)).data for _ in range(4)]
    assert [(len(one["flow_run_ids"]), one["skipped"]) for one in made] == [
        (2, []),
        (2, []),
        (1, []),
        (0, []),
    ]


async def test_what_cannot_be_done_leaves_the_others_alone(server: World, remote: Remote):
    flow = await failed(server, remote, 2)
    other = await failed(server, remote, 1)
    await server.put(other.path, json={"deployed_at": None})
    await server.delete(f"/flows/{other.id}")
    asked = {"filter[flow_id]": f"{other.id},{flow.id}"}
    [letter] = (await server.get("/dead-letters", query={"filter[flow_id]": other.id})).data
    for path, id in ((REDRIVE, letter["id"]), (RETRY, letter["flow_run_id"])):
        made = (await server.post(path, query=asked)).data
        assert made["skipped"] == [{"id": id, "reason": f"Flow {other.id} was not found."}]
    letters = (await server.get("/dead-letters", query={"sort": "id"})).data
    assert [letter["state"] for letter in letters] == ["re-driven", "re-driven", "open"]


@pytest.mark.parametrize("path", [REDRIVE, RETRY])
async def test_the_same_key_answers_the_same_again(server: World, remote: Remote, path: str):
    flow = await failed(server, remote, 3)
    first = await many(server, path, flow, "a key")
    await server.work()
    again = await many(server, path, flow, "a key")
    assert (again.status, again.data, len(first.data["flow_run_ids"])) == (200, first.data, 3)
    other = await many(server, path, flow, "a key", json={"other": 1})
    assert (other.status, list(other.json()["errors"])) == (422, ["Idempotency-Key"])
    assert (await many(server, path, flow, "another key")).data["flow_run_ids"] == []
    elsewhere = await server.post(
        f"/flows/{flow.id}/start", json={"payload": "1"}, headers={"idempotency-key": "a key"}
    )
    assert elsewhere.status == 422


@pytest.mark.parametrize("path", [REDRIVE, RETRY])
async def test_the_same_key_at_once_starts_once(server: World, remote: Remote, path: str):
    flow = await failed(server, remote, 3)
    answers = await asyncio.gather(*(many(server, path, flow, "a key") for _ in range(3)))
    assert [answer.data for answer in answers] == [answers[0].data] * 3
    await server.work()
    assert len(remote.seen) == 3


async def test_a_letter_is_driven_again_once_for_a_key(server: World, remote: Remote):
    await failed(server, remote, 1)
    key = {"idempotency-key": "a key"}
    answers = await asyncio.gather(*(server.post("/dead-letters/1/re-drive", headers=key) for _ in range(3)))
    await server.work()
    answers.append(await server.post("/dead-letters/1/re-drive", headers=key))
    assert [(answer.status, answer.json()) for answer in answers] == [(200, answers[0].json())] * 4
    assert (await server.post("/dead-letters/1/re-drive", json={"payload": "1"}, headers=key)).status == 422
    assert ((await server.post("/dead-letters/1/re-drive")).status, len(remote.seen)) == (409, 1)


async def test_driving_one_again_and_discarding_it_at_once_does_one_of_both(server: World, remote: Remote):
    await failed(server, remote, 1)
    path = "/dead-letters/1"
    answers = await asyncio.gather(*(server.post(f"{path}/{how}") for how in ["re-drive", "discard"] * 2))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    state = (await server.get(path)).data["state"]
    refused = next(answer for answer in answers if answer.status == 409)
    assert refused.json()["message"] == f"Dead letter 1 is {state} already; it is resolved once."
    await server.work()
    assert len(remote.seen) == (state == "re-driven")


async def test_a_plain_retry_may_be_asked_for_again(server: World, remote: Remote):
    remote.answer = refuses(2)
    flow = await caught_flow(server, remote)
    id = (await flow.run([1, 2]))["id"]
    remote.answers(200)
    await retry(server, id)
    await retry(server, id)
    assert (remote.bodies("/shop"), len({*remote.keys("/shop")})) == ([[1], [2], [2], [2]], 2)
