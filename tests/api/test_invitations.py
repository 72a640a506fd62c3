"""Invitations: somebody chooses a password with a link, once, in time, and nobody else does."""

from __future__ import annotations

from typing import Any

import pytest
from tests.asgi import Answer
from tests.world import World

JO = {"email": "jo@example.com", "name": "Jo", "role": "manager"}
CHOSEN, OTHER = "correct-horse-9", "battery-staple-9"


async def invited(server: World, **fields: Any) -> tuple[int, str]:
    """A new user, and the token of a link."""
    key = await server.token("administrator")
    user: int = (await server.post("/users", json={**JO, **fields}, key=key)).data["id"]
    return user, await another(server, user)


async def another(server: World, user: int) -> str:
    answer = await server.post(f"/users/{user}/invitation", key=await server.token("administrator"))
    token: str = answer.data["token"]
    return token


async def accept(server: World, token: str, password: str = CHOSEN) -> Answer:
    return await server.post("/invitations/accept", json={"token": token, "password": password}, key=None)


async def login(server: World, password: str) -> int:
    return (await server.post("/login", json={"email": JO["email"], "password": password}, key=None)).status


async def test_a_user_chooses_a_password_once_and_is_signed_in(server: World) -> None:
    _, token = await invited(server)
    assert await login(server, CHOSEN) == 401
    answer = await accept(server, token)
    assert "flowloom_session=" in answer.headers["set-cookie"]
    me = await server.get("/me", key=f"Bearer {answer.json()['token']}")
    assert (me.data["email"], me.data["role"]) == (JO["email"], "manager")
    assert await login(server, CHOSEN) == 200
    assert (await accept(server, token, OTHER)).status == 422
    assert (await login(server, CHOSEN), await login(server, OTHER)) == (200, 401)


async def test_a_link_ends_after_seven_days(server: World) -> None:
    _, token = await invited(server)
    server.clock.advance(seconds=7 * 86_400 - 1)
    assert (await accept(server, token, "short")).status == 422
    server.clock.advance(seconds=1)
    answer = await accept(server, token)
    assert (answer.status, list(answer.json()["errors"])) == (422, ["token"])


async def test_a_link_for_a_user_who_has_a_password_takes_its_place_and_ends_all_others(
    server: World,
) -> None:
    user, _ = await invited(server, password=OTHER)
    first, second = await another(server, user), await another(server, user)
    old = (await server.post("/login", json={"email": JO["email"], "password": OTHER}, key=None)).json()
    assert (await accept(server, second)).status == 200
    assert (await server.get("/me", key=f"Bearer {old['token']}")).status == 401
    assert (await accept(server, first)).status == 422


async def test_a_link_ends_with_its_user(server: World) -> None:
    user, token = await invited(server)
    await server.delete(f"/users/{user}", key=await server.token("administrator"))
    assert (await accept(server, token)).status == 422


@pytest.mark.parametrize("change", ["id", "expires", "signature", "empty", "word", "sign"])
async def test_a_link_that_was_changed_is_none(sqlite_server: World, change: str) -> None:
    user, token = await invited(sqlite_server)
    id, expires, signature = token.split(".")
    forged = {
        "id": f"1.{expires}.{signature}",
        "expires": f"{id}.{int(expires) + 9}.{signature}",
        "signature": f"{id}.{expires}.{signature[::-1]}",
        "empty": "",
        "word": "a.b.c",
        "sign": f"{id}.{expires}.ä",
    }[change]
    assert (await accept(sqlite_server, forged)).status == 422
    assert (await accept(sqlite_server, token)).status == 200
    assert user


async def test_only_administrators_of_the_company_invite(server: World) -> None:
    user, _ = await invited(server)
    assert (await server.post(f"/users/{user}/invitation")).status == 403
    assert (await server.post("/users/999/invitation", key=await server.token("administrator"))).status == 404
