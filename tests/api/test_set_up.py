"""Setting up: once, by the first administrator, and only where his password was generated."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from tests.world import World

from flowloom.services import first_start

WANTED = {"name": "Jo", "email": "Jo@example.com", "password": "correct-horse-9", "company_name": "Lamps"}


@pytest.fixture
async def fresh(server: World) -> World:
    """A server whose first start has just been."""
    for table in ("api_keys", "users", "companies"):
        await server.platform.database.write(
            lambda db, table=table: db.exec_driver_sql(f"DELETE FROM {table}")
        )
    return server


def start(server: World, password: str | None = None) -> str:
    settings = server.platform.settings.model_copy(update={"admin_password": password})
    welcome = first_start.prepare(dataclasses.replace(server.platform, settings=settings))
    assert welcome is not None
    return welcome.generated_password or password or ""


async def login(server: World, password: str, email: str) -> str:
    answer = await server.post("/login", json={"email": email, "password": password}, key=None)
    return f"Bearer {answer.json().get('token', '')}"


async def first(server: World, password: str) -> str:
    return await login(server, password, server.platform.settings.admin_email)


async def test_the_first_administrator_says_who_he_is_once(fresh: World) -> None:
    token = await first(fresh, start(fresh))
    assert (await fresh.get("/me", key=token)).data["must_set_up"]
    done = await fresh.post("/set-up", json=WANTED, key=token)
    assert done.status == 200
    assert "flowloom_session=" in done.headers["set-cookie"]
    assert (await fresh.get("/me", key=token)).status == 401
    me = (await fresh.get("/me", key=f"Bearer {done.json()['token']}")).data
    assert {name: me[name] for name in ("name", "email", "company_name", "must_set_up")} == {
        "name": "Jo",
        "email": "jo@example.com",
        "company_name": "Lamps",
        "must_set_up": False,
    }
    again = await login(fresh, WANTED["password"], "jo@example.com")
    assert (await fresh.post("/set-up", json=WANTED, key=again)).status == 409


async def test_a_chosen_password_needs_no_set_up(fresh: World) -> None:
    token = await first(fresh, start(fresh, "chosen-by-me"))
    assert not (await fresh.get("/me", key=token)).data["must_set_up"]
    assert (await fresh.post("/set-up", json=WANTED, key=token)).status == 409


async def test_nobody_else_sets_up(fresh: World) -> None:
    token = await first(fresh, start(fresh))
    assert (await fresh.post("/set-up", json=WANTED, key=None)).status == 401
    manager = {"email": "m@example.com", "name": "M", "password": "correct-horse-9", "role": "manager"}
    await fresh.post("/users", json=manager, key=token)
    other = await login(fresh, manager["password"], manager["email"])
    assert not (await fresh.get("/me", key=other)).data["must_set_up"]
    assert (await fresh.post("/set-up", json=WANTED, key=other)).status == 403
    key = (await fresh.post("/api-keys", json={"name": "K"}, key=token)).data["key"]
    assert (await fresh.post("/set-up", json=WANTED, key=key)).status == 403


@pytest.mark.parametrize("field", list(WANTED))
async def test_all_of_it_is_needed(fresh: World, field: str) -> None:
    token = await first(fresh, start(fresh))
    wanted: dict[str, Any] = {name: value for name, value in WANTED.items() if name != field}
    answer = await fresh.post("/set-up", json=wanted, key=token)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])
    assert (await fresh.get("/me", key=token)).data["must_set_up"]
