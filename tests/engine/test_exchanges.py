"""Evidence of requests and answers: complete, short, and without a secret in any form."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert
from tests.remote import Remote, Seen
from tests.world import NOW, World

from flowloom.engine import exchanges
from flowloom.steps import contract
from flowloom.store import secrets, tables

SECRET = "s3cret/Token+value"
CUT = exchanges.EXCERPT_BYTES


def made(request: contract.Request, response: contract.Response | None = None, **fields: Any):
    values = {"error": None, "duration_ms": 12, "at": NOW, "run_id": 1, "step_key": "s", "position": "0"}
    return exchanges.row(request=request, response=response, **{**values, **fields})


def answer(body: bytes = b"", **headers: str) -> contract.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return contract.Response(200, named, body, "https://shop.test/orders")


def test_a_row_holds_both_sides():
    request = contract.Request(
        "POST", "https://shop.test/orders?a=1", {"X-Trace": "t"}, (("since", "a b"),), b'{"id": 7}'
    )
    row = made(request, answer(b"ok", content_type="text/plain"))
    assert row["request"] == {
        "method": "POST",
        "url": "https://shop.test/orders?a=1&since=a+b",
        "headers": {"X-Trace": "t"},
        "body_bytes": 9,
        "body": '{"id": 7}',
    }
    assert row["response"] == {
        "status": 200,
        "url": "https://shop.test/orders",
        "headers": {"content-type": "text/plain"},
        "body_bytes": 2,
        "body": "ok",
    }
    assert (row["duration_ms"], row["created_at"], row["error"]) == (12, NOW, None)


def test_no_answer_leaves_the_error():
    row = made(contract.Request("GET", "https://jo:pw@shop.test/"), error=f"no {SECRET}", hidden={SECRET})
    assert (row["response"], row["error"]) == (None, "no [redacted]")
    assert row["request"] == {"method": "GET", "url": "https://[redacted]@shop.test/", "headers": {}}


def test_headers_that_authenticate_are_never_kept():
    headers = {"Authorization": "x", "cookie": "y", "X-Own": "z", "X-Other": "o"}
    row = made(contract.Request("GET", "https://a.test", headers), secret_headers={"x-own"})
    hidden = secrets.REDACTED
    assert row["request"]["headers"] == {
        "Authorization": hidden,
        "cookie": hidden,
        "X-Own": hidden,
        "X-Other": "o",
    }
    assert made(contract.Request("GET", "/"), answer(set_cookie="a=b"))["response"]["headers"] == {
        "set-cookie": hidden
    }


FORMS = {
    "plain": SECRET,
    "base64": base64.b64encode(f"jo:{SECRET}!".encode()).decode(),
    "url": quote(SECRET, safe=""),
    "json": json.dumps(SECRET).replace("/", "\\/"),
    "hex": SECRET.encode().hex(),
    "HEX": SECRET.encode().hex().upper(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_no_form_of_a_secret_is_kept(form: str):
    request = contract.Request(
        "POST",
        f"https://a.test/{form}",
        {f"X-{quote(form, safe='')}": form},
        (("q", form),),
        f"<{form}>".encode(),
    )
    row = made(request, answer(form.encode(), x_echo=form), error=form, hidden={SECRET})
    kept = repr(row)
    for known in (SECRET, *FORMS.values()):
        core = known if known != FORMS["base64"] else known[5:20]
        assert core not in kept


def test_bodies_are_cut_and_what_is_no_text_is_measured():
    long = made(contract.Request("GET", "/"), answer(b"x" * 10_000))["response"]
    assert (len(long["body"]), long["body_bytes"]) == (CUT, 10_000)
    picture = made(contract.Request("GET", "/"), answer(b"\x89PNG\xff\x00", content_type="image/png"))
    assert picture["response"]["body_type"] == "image/png"
    assert "body" not in picture["response"]
    nul = made(contract.Request("GET", "/"), answer(b"a\0b"))["response"]
    assert nul["body_type"] == "application/octet-stream"


@pytest.mark.parametrize("before", range(4))
def test_a_character_at_the_cut_does_not_make_it_binary(before: int):
    text = "x" * (CUT - before) + "€" * 10
    shown = made(contract.Request("GET", "/"), answer(text.encode()))["response"]["body"]
    assert text.startswith(shown)
    assert len(shown) >= CUT - 3


def test_a_header_with_a_line_break_stays_one():
    request = contract.Request("GET", "/", {"X-A": f"a\n{SECRET}", "X-B": "b"})
    row = made(request, error="refused", hidden={SECRET})
    assert row["request"]["headers"] == {"X-A": "a [redacted]", "X-B": "b"}


def test_text_that_a_database_does_not_take_is_replaced():
    row = made(contract.Request("GET", "/"), answer(x_odd="a\udcffb\0"))
    assert row["response"]["headers"] == {"x-odd": "a?b\ufffd"}
    json.dumps(row["response"], ensure_ascii=False).encode()


@given(
    st.integers(CUT - 300, CUT + 300),
    st.sampled_from([SECRET, SECRET.encode().hex(), quote(SECRET, safe="")]),
    st.integers(0, 400),
)
def test_a_secret_at_the_cut_does_not_show_its_beginning(at: int, form: str, after: int):
    body = ("." * at + form + "." * after).encode()
    shown = made(contract.Request("GET", "/"), answer(body), hidden={SECRET})["response"]["body"]
    assert not set(shown) & (set(form) - set(secrets.REDACTED))


@pytest.mark.parametrize("offset", range(0, 40, 3))
def test_many_secrets_do_not_move_a_cut_one_into_sight(offset: int):
    form = SECRET.encode().hex()
    body = ("." * offset + f"{form}." * 400).encode()
    shown = made(contract.Request("GET", "/"), answer(body), hidden={SECRET})["response"]["body"]
    assert secrets.REDACTED in shown
    assert not set(shown) & (set(form) - set(secrets.REDACTED))


def test_without_secrets_nothing_is_searched_for(monkeypatch):
    def search(*args: Any) -> str:
        raise AssertionError

    monkeypatch.setattr(secrets, "redact", search)
    assert made(contract.Request("GET", "/", {"a": "b"}), answer(b"c"))["response"]["body"] == "c"


async def exchanges_of(world: World, run: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.get(f"/flow-runs/{run['id']}/exchanges")).data
    return found


async def test_a_run_leaves_its_exchanges(server: World, remote: Remote):
    async def echo(seen: Seen) -> web.Response:
        sent = seen.headers["authorization"]
        inner = base64.b64decode(sent.removeprefix("Basic ")).decode()
        return web.Response(text=f"{sent} {inner} short", headers={"X-Echo": sent})

    remote.answer = echo
    auth = {"type": "basic", "username": "jo", "password": "hunter-2-pass"}
    sent = {"name": "Shop", "base_url": remote.url(), "auth": auth}
    id = (await server.post("/connections", json=sent)).data["id"]
    step = {"direction": "send", "url": "/a?token=hunter-2-pass", "connection_id": id}
    flow = await server.flow({"microservice": "connector", "config": step})
    [row] = await exchanges_of(server, await flow.run({"n": 1}))
    assert (row["position"], row["request"]["method"], row["response"]["status"]) == ("0", "POST", 200)
    assert row["request"]["url"] == remote.url("/a?token=[redacted]")
    assert row["request"]["headers"]["Authorization"] == "[redacted]"
    assert row["request"]["body"] == '{"n":1}'
    assert row["response"]["body"] == "Basic [redacted] jo:[redacted] short"
    pair = base64.b64encode(b"jo:hunter-2-pass").decode()
    assert "hunter" not in str(row)
    assert pair not in str(row)


async def test_each_attempt_is_an_exchange(server: World, remote: Remote):
    remote.answers(503, 200)
    run = await (await server.flow(remote.send())).run({})
    assert [row["response"]["status"] for row in await exchanges_of(server, run)] == [503, 200]


async def test_a_request_that_is_refused_leaves_its_error(server: World):
    step = {"direction": "send", "url": "http://10.1.2.3/x"}
    flow = await server.flow({"microservice": "connector", "config": step})
    [row] = await exchanges_of(server, await flow.run({}))
    assert "response" not in row
    assert "10.1.2.3 is a private address" in row["error"]


async def test_exchanges_are_listed_by_run_and_step(server: World):
    flow = await server.flow({"microservice": "manual-payload", "config": {"body": {}}})
    id = (await flow.run({}))["id"]
    rows = [
        made(contract.Request("GET", "/a"), answer(b"x"), run_id=id, step_key="one"),
        made(contract.Request("GET", "/b"), error="no answer", run_id=id, step_key="two"),
        made(contract.Request("GET", "/c"), run_id=id + 1),
    ]
    await server.platform.database.write(lambda db: db.execute(insert(tables.exchanges), rows))
    path, reader = f"/flow-runs/{id}/exchanges", await server.token("read-only")
    first, second = (await server.get(path, key=reader)).data
    assert first == {
        "id": 1,
        "flow_run_id": id,
        "step_key": "one",
        "position": "0",
        "request": {"method": "GET", "url": "/a", "headers": {}},
        "response": {
            "status": 200,
            "url": "https://shop.test/orders",
            "headers": {},
            "body_bytes": 1,
            "body": "x",
        },
        "duration_ms": 12,
        "created_at": "2026-03-02T10:00:00.000000Z",
    }
    assert second["error"] == "no answer"
    assert "response" not in second
    filtered = await server.get(path, query={"filter[step_key]": "two"})
    assert [row["id"] for row in filtered.data] == [2]
    assert (await server.get(path, key=server.other_key)).status == 404
    assert (await server.get("/flow-runs/999/exchanges")).status == 404
