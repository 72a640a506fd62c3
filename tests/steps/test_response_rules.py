"""What answers mean to a connector: the rules of its config first, then the usual ones, each failure in its class."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from tests.engine.test_tokens import CLIENT, Login, connect, sending
from tests.remote import Remote, serving
from tests.steps.test_connector import LOOPBACK, Run, answering, compiled, once

from flowloom import errors
from flowloom.domain.payload import Payload
from flowloom.engine import http
from flowloom.steps import contract

LOCKED = {"field": "error.code", "operator": "equals", "value": "LOCKED"}


def told(status: int, *rules: dict[str, Any], body: Any = None, **headers: str) -> contract.Outcome:
    """What a send makes of an answer under these rules."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = web.json_response({} if body is None else body).text
    handler = answering(status, text=text, content_type="application/json", headers=named)
    return once(handler, compiled("send", response_rules=list(rules)), Payload({"id": 7}))


@pytest.mark.parametrize(
    ("status", "fits"),
    [
        ("404", False),
        ("409", True),
        ("4xx", True),
        ("4XX", True),
        ("5xx", False),
        ("400-408", False),
        ("400-409", True),
        (["404", "409"], True),
        ([], False),
        (None, True),
    ],
)
def test_statuses(status: Any, fits: bool):
    outcome = told(409, {"status": status, "action": "continue"})
    assert isinstance(outcome, contract.Done if fits else contract.Fail)


@pytest.mark.parametrize("status", ["", "40", "4x", "600", "0xx", "200-", "300-200", "2xx-3xx", "404 409"])
def test_statuses_that_are_none_are_named(status: str):
    with pytest.raises(errors.Invalid) as caught:
        compiled("send", response_rules=[{"action": "fail"}, {"status": status, "action": "retry"}])
    assert list(caught.value.errors) == ["response_rules.1.status"]


def test_a_condition_that_is_none_is_named():
    with pytest.raises(errors.Invalid) as caught:
        compiled("send", response_rules=[{"where": {"field": "a", "operator": "is"}, "action": "fail"}])
    assert list(caught.value.errors) == ["response_rules.0.where.operator"]


def test_the_first_rule_that_fits_decides():
    locked, any_4xx = {"where": LOCKED, "action": "retry"}, {"status": "4xx", "action": "fail_run"}
    assert isinstance(told(409, locked, any_4xx, body={"error": {"code": "LOCKED"}}), contract.Retry)
    failed = told(409, locked, any_4xx, body={"error": {"code": "GONE"}})
    assert isinstance(failed, contract.Fail)
    assert failed.whole_run
    assert isinstance(told(200, locked, any_4xx, body={"error": {"code": "LOCKED"}}), contract.Retry)
    assert isinstance(told(200, locked, any_4xx), contract.Done)


def test_what_an_answer_says_is_compared_with_the_payload():
    where = {"field": "reference", "operator": "equals", "value": "[[payload.id]]"}
    rule = {"status": "409", "where": where, "action": "continue"}
    assert isinstance(told(409, rule, body={"reference": 7}), contract.Done)
    assert isinstance(told(409, rule, body={"reference": 8}), contract.Fail)


def test_a_condition_does_not_hold_for_what_is_no_json():
    rule = {"where": {"field": "a", "operator": "is_empty"}, "action": "fail"}
    step = compiled("send", response_rules=[rule])
    assert isinstance(once(answering(text="<html>"), step), contract.Done)
    assert isinstance(once(answering(text="{}"), step), contract.Fail)


def test_a_rule_says_why_in_its_own_words():
    rule = {"status": "409", "action": "fail", "message": "The order is closed."}
    assert told(409, rule) == contract.Fail("The order is closed.", "rejected")
    assert told(409, {**rule, "action": "fail_run"}) == contract.Fail(
        "The order is closed.", "rejected", whole_run=True
    )
    assert told(409, {**rule, "action": "retry"}, retry_after="9") == contract.Retry(
        "The order is closed.", 9.0
    )
    assert "answered 409 Conflict" in told(409, {"action": "fail"}).why


@pytest.mark.parametrize(
    ("status", "kind", "error_class"),
    [
        (401, contract.Fail, "authentication"),
        (403, contract.Fail, "authentication"),
        (404, contract.Fail, "rejected"),
        (422, contract.Fail, "rejected"),
        (429, contract.Retry, "unavailable"),
        (503, contract.Retry, "unavailable"),
        (501, contract.Fail, "unavailable"),
    ],
)
def test_each_failure_has_its_class(status: int, kind: type, error_class: str):
    outcome = told(status)
    assert (type(outcome), outcome.error_class) == (kind, error_class)


def failing(url: str, allow: list[str], **config: Any) -> contract.Outcome:
    async def call() -> contract.Outcome:
        client = http.Client(allow)
        try:
            return await compiled("send", url, **config).run(Run(client, ""), Payload())
        finally:
            await client.close()

    return asyncio.run(call())


def test_no_answer_has_its_class_too():
    refused = failing("http://10.0.0.1/", [])
    assert (type(refused), refused.error_class) == (contract.Fail, "refused")
    nobody = failing(f"http://{LOOPBACK}:1/", [LOOPBACK])
    assert (type(nobody), nobody.error_class) == (contract.Retry, "unavailable")


async def test_a_timeout_has_its_class():
    async with serving() as remote:
        gate = asyncio.Event()

        async def slow(seen):
            await gate.wait()
            return web.Response()

        remote.answer = slow
        client = http.Client([LOOPBACK])
        with pytest.raises(contract.RequestFailed) as caught:
            await client.send(contract.Request("GET", remote.url(), timeout_seconds=0.05))
        gate.set()
        await client.close()
        assert (caught.value.passing, caught.value.error_class) == (True, "timeout")


@pytest.fixture
async def remote():
    async with serving() as opened:
        yield opened


EXPIRED = {
    "where": {"field": "fault", "operator": "equals", "value": "expired"},
    "action": "reauthenticate",
}


@pytest.mark.parametrize(("last_good", "status"), [(2, 2), (99, 3)])
async def test_reauthenticating_gets_a_new_token_and_tries_once_more(
    sqlite_server, remote: Remote, last_good: int, status: int
):
    login = Login(remote)
    accepted = {"access-token-1"}

    async def answer(seen):
        sent = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if seen.path != "/token" and sent not in accepted:
            return web.json_response({"fault": "expired"})
        return await login.answer(seen)

    remote.answer = answer
    id = await connect(sqlite_server, remote, CLIENT)
    flow = await sending(sqlite_server, id, response_rules=[EXPIRED])
    assert (await flow.run({}))["status"] == 2
    accepted = {f"access-token-{last_good}"}
    assert (await flow.run({}))["status"] == status
    assert login.used == ["access-token-1", "access-token-1", "access-token-2"]
    assert len(login.asked) == 2


def test_reauthenticating_in_vain_is_a_failure_of_authentication():
    outcome = told(200, EXPIRED, body={"fault": "expired"})
    assert (type(outcome), outcome.error_class) == (contract.Fail, "authentication")
