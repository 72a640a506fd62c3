"""Lists in which a part of the name finds a record; tests/api/test_flow_lists has what such a part may hold."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world import OTHER_KEY, World

NAMED: dict[str, dict[str, Any]] = {
    "/api-keys": {},
    "/connections": {"base_url": "https://shop.example.com"},
    "/data-pools": {},
    "/lookup-tables": {},
    "/notification-groups": {"channels": [{"type": "log"}]},
}


@pytest.mark.parametrize("path", NAMED)
async def test_a_part_of_its_name_finds_a_record(server: World, path: str) -> None:
    for name in ("Orders of the shop", "Stock"):
        await server.post(path, json={"name": name, **NAMED[path]})
    found = await server.get(path, query={"filter[search]": "ORDERS"})
    assert [one["name"] for one in found.data] == ["Orders of the shop"]
    assert (await server.get(path, query={"filter[search]": "orders"}, key=OTHER_KEY)).data == []


async def test_a_user_is_found_by_name_and_by_address(server: World) -> None:
    key = await server.token("administrator")
    jo = {"email": "joanna@shop.example", "name": "Jo Doe", "password": "correct horse", "role": "user"}
    await server.post("/users", json=jo, key=key)
    for part in ("doe", "SHOP.example"):
        found = await server.get("/users", query={"filter[search]": part}, key=key)
        assert [user["name"] for user in found.data] == ["Jo Doe"]
