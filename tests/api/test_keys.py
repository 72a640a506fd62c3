"""API keys: shown once, revoked for good."""

from __future__ import annotations

import re

from tests.world import World


async def create(server: World, name: str = "CI") -> dict[str, object]:
    made: dict[str, object] = (await server.post("/api/v1/api-keys", json={"name": name})).data
    return made


async def test_a_key_is_shown_once_and_works(server: World) -> None:
    made = await create(server)
    key = str(made["key"])
    assert re.fullmatch(r"flk_[A-Za-z0-9_-]{43}", key)
    assert made["hint"] == key[-4:]
    assert (await server.get("/me", key=key)).data["company_id"] == 1
    assert (await server.get("/me", key=f"Bearer {key}")).status == 200
    listed = await server.get("/api/v1/api-keys")
    assert listed.data[-1] == {name: made[name] for name in ("id", "name", "hint", "created_at")}
    assert key not in listed.body.decode()


async def test_a_revoked_key_ends_at_once_and_stays_listed(server: World) -> None:
    made = await create(server)
    path, key = f"/api/v1/api-keys/{made['id']}", str(made["key"])
    assert (await server.get("/me", key=key)).status == 200
    assert (await server.delete(path)).json() == {"message": f"API key {made['id']} is revoked."}
    assert (await server.get("/me", key=key)).status == 401
    server.clock.advance(seconds=60)
    assert (await server.delete(path)).status == 200
    assert (await server.get("/api/v1/api-keys")).data[-1]["revoked_at"] == "2026-03-02T10:00:00.000000Z"


async def test_keys_need_a_name_and_a_manager(server: World) -> None:
    for body in ({}, {"name": " "}, {"name": "n" * 201}, {"name": 1}):
        answer = await server.post("/api/v1/api-keys", json=body)
        assert (answer.status, list(answer.json()["errors"])) == (422, ["name"])
    user = await server.token("user")
    assert (await server.get("/api/v1/api-keys", key=user)).status == 403
    assert (await server.post("/api/v1/api-keys", json={"name": "x"}, key=user)).status == 403


async def test_keys_of_another_company_are_not_there(server: World) -> None:
    made = await create(server)
    assert (await server.delete(f"/api/v1/api-keys/{made['id']}", key=server.other_key)).status == 404
    assert (await server.get("/me", key=str(made["key"]))).status == 200
