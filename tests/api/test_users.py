"""Users: what administrators may do with them, and what nobody may."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.asgi import Answer
from tests.world import World

from flowloom.services import passwords

JO = {"email": " Jo@Example.com", "name": "Jo", "password": "correct horse", "role": "manager"}


async def admin(server: World) -> str:
    return await server.token("administrator")


async def create(server: World, **fields: Any) -> Answer:
    return await server.post("/users", json={**JO, **fields}, key=await admin(server))


async def test_a_user_is_created_listed_read_changed_and_deleted(server: World) -> None:
    key = await admin(server)
    made = (await create(server)).data
    assert made.keys() == {"id", "email", "name", "role", "created_at", "updated_at"}
    assert (made["email"], made["role"]) == ("jo@example.com", "manager")
    path = f"/users/{made['id']}"
    assert (await server.get(path, key=key)).data == made
    listed = await server.get("/users", query={"filter[role]": "manager", "sort": "-id"}, key=key)
    assert [user["id"] for user in listed.data] == [made["id"], 3]
    server.clock.advance(seconds=5)
    changed = (await server.put(path, json={"name": "Joanna", "email": None}, key=key)).data
    assert changed == {**made, "name": "Joanna", "updated_at": "2026-03-02T10:00:05.000000Z"}
    assert (await server.delete(path, key=key)).json() == {"message": f"User {made['id']} was deleted."}
    assert (await server.get(path, key=key)).status == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "jo"}, "email"),
        ({"email": "j" * 250 + "@x.io"}, "email"),
        ({"name": "  "}, "name"),
        ({"name": "n" * 201}, "name"),
        ({"password": "too short"}, "password"),
        ({"password": "p" * 201}, "password"),
        ({"role": "owner"}, "role"),
    ],
)
async def test_bad_fields_are_named(server: World, fields: dict[str, Any], field: str) -> None:
    answer = await create(server, **fields)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])


async def test_an_address_is_taken_in_any_case_and_by_any_company(server: World) -> None:
    for taken in ("USER@first.test", "administrator@OTHER.test"):
        answer = await create(server, email=taken)
        assert answer.status == 422
        assert answer.json()["errors"] == {
            "email": [f"The address {taken.lower()} is taken by another user."]
        }
    answer = await server.put("/users/2", json={"email": "manager@first.test"}, key=await admin(server))
    assert list(answer.json()["errors"]) == ["email"]


async def test_of_two_that_race_for_an_address_one_gets_it(server: World) -> None:
    answers = await asyncio.gather(*(create(server) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 422, 422, 422]


async def test_the_last_administrator_stays(server: World) -> None:
    key, path = await admin(server), "/users/4"
    demoted = await server.put(path, json={"role": "user"}, key=key)
    assert (demoted.status, list(demoted.json()["errors"])) == (422, ["role"])
    deleted = await server.delete(path, key=key)
    assert (deleted.status, list(deleted.json()["errors"])) == (422, ["user"])
    other = (await create(server, role="administrator")).data
    assert (await server.put(path, json={"role": "user"}, key=key)).data["role"] == "user"
    # The role is looked up with each request: the old administrator is none any more.
    assert (await server.delete(f"/users/{other['id']}", key=key)).status == 403


async def test_nobody_deletes_himself(server: World) -> None:
    await create(server, role="administrator")
    answer = await server.delete("/users/4", key=await admin(server))
    assert answer.status == 422
    assert "himself" in answer.json()["message"]


async def test_users_of_another_company_are_not_there(server: World) -> None:
    key = await admin(server)
    sent = {"get": {}, "put": {"json": {"name": "x"}}, "delete": {}}
    for method, more in sent.items():
        assert (await getattr(server, method)("/users/5", key=key, **more)).status == 404


@pytest.mark.parametrize("role", ["read-only", "user", "manager"])
async def test_users_are_the_administrators_business(server: World, role: str) -> None:
    assert (await server.get("/users", key=await server.token(role))).status == 403
    assert (await server.get("/users")).status == 403


async def test_me(server: World) -> None:
    company = {"company_id": 1, "company_name": "First", "must_set_up": False}
    user = (await server.get("/me", key=await server.token("read-only"))).data
    assert user == {
        "id": 1,
        "email": "read-only@first.test",
        "name": "Read-Only",
        "role": "read-only",
        "is_api_key": False,
        **company,
    }
    key = (await server.get("/me")).data
    assert key == {"name": "API key", "role": "manager", "is_api_key": True, **company}
    assert (await server.get("/me", key=None)).status == 401


def test_a_password_is_right_only_with_its_own_hash() -> None:
    kept = passwords.hash("correct horse")
    assert passwords.is_right("correct horse", kept)
    assert not passwords.is_right("correct house", kept)
    assert not passwords.is_right("correct horse", None)
    assert not passwords.is_right("correct horse", "no hash at all")


def test_checking_an_unknown_account_costs_as_much_as_a_known_one() -> None:
    assert not passwords.HASHER.check_needs_rehash(passwords.NOBODY)
