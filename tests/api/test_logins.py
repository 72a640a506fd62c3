"""Logging in: one answer for every wrong guess, and only so many guesses."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.asgi import Answer
from tests.world import World

PASSWORD = "correct horse battery"
JO = {"email": "jo@example.com", "name": "Jo", "password": PASSWORD, "role": "manager"}


@pytest.fixture
async def account(server: World) -> dict[str, Any]:
    made: dict[str, Any] = (
        await server.post("/users", json=JO, key=await server.token("administrator"))
    ).data
    return made


async def login(server: World, path: str = "/fabric/api/login", **body: Any) -> Answer:
    return await server.post(path, json={"email": "jo@example.com", "password": PASSWORD} | body, key=None)


@pytest.mark.usefixtures("account")
async def test_a_token_works_for_24_hours(server: World) -> None:
    answer = await login(server)
    content = answer.json()
    assert (content["message"], content["expires_in"]) == ("Logged in.", 86_400)
    bearer = f"Bearer {content['token']}"
    assert (await server.get("/me", key=bearer)).data["email"] == "jo@example.com"
    server.clock.advance(seconds=86_399)
    assert (await server.get("/me", key=bearer)).status == 200
    server.clock.advance(seconds=2)
    assert (await server.get("/me", key=bearer)).status == 401


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("path", ["/fabric/api/login", "/api/v1/login"])
@pytest.mark.parametrize("name", ["email", "username"])
async def test_both_paths_and_both_names(server: World, path: str, name: str) -> None:
    body = {name: " JO@example.com ", "password": PASSWORD}
    assert (await server.post(path, json=body, key=None)).status == 200


@pytest.mark.usefixtures("account")
async def test_the_cookie_logs_a_browser_in_and_out(server: World) -> None:
    cookie = (await login(server)).headers["set-cookie"]
    value, *flags = cookie.split("; ")
    assert {flag.lower() for flag in flags} == {"httponly", "max-age=86400", "path=/", "samesite=strict"}
    sent = {"cookie": value}
    assert (await server.get("/me", key=None, headers=sent)).status == 200
    gone = await server.post("/logout", key=None, headers=sent)
    assert gone.json() == {"message": "Logged out."}
    assert "max-age=0" in gone.headers["set-cookie"].lower()
    assert (await server.post("/logout", key=None)).status == 401


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("path", ["/fabric/api/login", "/api/v1/login"])
async def test_a_page_of_another_origin_begins_no_session(server: World, path: str) -> None:
    body = {"email": "jo@example.com", "password": PASSWORD}
    for sent in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://flowloom.test:81"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://flowloom.test", "sec-fetch-site": "cross-site"},
    ):
        refused = await server.post(path, json=body, key=None, headers=sent)
        assert (refused.status, "set-cookie" in refused.headers) == (403, False)
    own = {"origin": "http://flowloom.test", "sec-fetch-site": "same-origin"}
    assert "set-cookie" in (await server.post(path, json=body, key=None, headers=own)).headers


@pytest.mark.usefixtures("account")
async def test_wrong_password_and_unknown_account_get_the_same_answer(server: World) -> None:
    answers = [await login(server, password="wrong"), await login(server, email="nobody@example.com")]
    assert [answer.status for answer in answers] == [401, 401]
    assert answers[0].body == answers[1].body
    assert "set-cookie" not in answers[0].headers


async def test_missing_fields_are_named(server: World) -> None:
    for body, field in (
        ({"email": "jo@example.com"}, "password"),
        ({"password": "x"}, "email"),
        ({"email": " ", "password": "x"}, "email"),
        ({"email": 5, "password": "x"}, "email"),
    ):
        answer = await server.post("/fabric/api/login", json=body, key=None)
        assert (answer.status, list(answer.json()["errors"])) == (422, [field])


@pytest.mark.usefixtures("account")
async def test_failures_are_throttled_per_account(server: World) -> None:
    for _ in range(5):
        assert (await login(server, email="JO@example.com", password="wrong")).status == 401
    refused = await login(server)
    assert refused.status == 429
    assert refused.headers["retry-after"] == "60"
    server.clock.advance(seconds=61)
    assert (await login(server)).status == 200


@pytest.mark.usefixtures("account")
async def test_guesses_sent_all_at_once_learn_no_more(server: World) -> None:
    guesses = [login(server, password=f"wrong {number}") for number in range(8)]
    answers = await asyncio.gather(*guesses, login(server))
    assert [answer.status for answer in answers].count(401) == 5
    assert {answer.status for answer in answers} == {401, 429}


async def test_a_new_password_and_a_deletion_end_the_logins(server: World, account: dict[str, Any]) -> None:
    admin, path = await server.token("administrator"), f"/users/{account['id']}"
    old = f"Bearer {(await login(server)).json()['token']}"
    assert (await server.get("/me", key=old)).status == 200
    await server.put(path, json={"password": "another password"}, key=admin)
    assert (await server.get("/me", key=old)).status == 401
    new = f"Bearer {(await login(server, password='another password')).json()['token']}"
    assert (await server.get("/me", key=new)).status == 200
    await server.delete(path, key=admin)
    assert (await server.get("/me", key=new)).status == 401
