"""Connections to databases and file servers: what they take, and that a secret stays with its server."""

from __future__ import annotations

from typing import Any

import asyncssh
import pytest
from tests.asgi import Answer
from tests.world import World

from flowloom.store import connections

KEY = asyncssh.generate_private_key("ssh-ed25519")
PUBLIC = KEY.export_public_key().decode().strip()
PRIVATE = KEY.export_private_key().decode()
DATABASE = {"host": "db.example.com", "username": "jo", "password": "s3cret-word", "database": "shop"}
SFTP = {"host": "files.example.com", "username": "jo", "password": "s3cret-word", "host_key": PUBLIC}


async def create(server: World, protocol: str, described: dict[str, Any] | None, **fields: Any) -> Answer:
    return await server.post(
        "/connections", json={"name": "Shop", "protocol": protocol, "server": described, **fields}
    )


async def stored(server: World, id: int) -> connections.Connection:
    platform = server.platform
    found: connections.Connection = await platform.database.read(connections.load, platform.vault, 1, id)
    return found


@pytest.mark.parametrize(
    ("protocol", "described", "shown"),
    [
        ("postgresql", DATABASE, {"port": 5432, "tls": False}),
        ("mysql", {**DATABASE, "port": 3307, "tls": True}, {}),
        ("sftp", SFTP, {"port": 22}),
        ("sqlite", {"file": "orders.db"}, {}),
    ],
)
async def test_a_server_is_described_and_read_without_its_secret(
    server: World, protocol: str, described: dict[str, Any], shown: dict[str, Any]
) -> None:
    answer = await create(server, protocol, described, timeout_seconds=9)
    made = answer.data
    assert made["protocol"] == protocol
    assert made["server"] == {**{name: described[name] for name in described if name != "password"}, **shown}
    assert made["timeout_seconds"] == 9
    kind = "none" if protocol == "sqlite" else "password"
    assert made["auth"] == {"type": kind, "has_secret": kind != "none"}
    assert b"s3cret" not in answer.body
    assert (await server.get("/connections")).data == [made]
    found = await stored(server, made["id"])
    assert (found.protocol, found.auth) == (protocol, made["server"])
    assert found.secret == ({} if protocol == "sqlite" else {"password": "s3cret-word"})


async def test_a_private_key_instead_of_a_password(server: World) -> None:
    described = {**SFTP, "password": None, "private_key": PRIVATE, "host_key": KEY.get_fingerprint()}
    answer = await create(server, "sftp", described)
    assert answer.data["auth"] == {"type": "private_key", "has_secret": True}
    assert b"PRIVATE" not in answer.body
    assert (await stored(server, 1)).secret == {"private_key": PRIVATE}


# An RSA key whose modulus is a negative number.
NEGATIVE = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAf8="
LOCKED = KEY.export_private_key("pkcs8-pem", passphrase="word").decode()


@pytest.mark.parametrize(
    ("protocol", "described", "field"),
    [
        ("ftp", DATABASE, "protocol"),
        ("postgresql", None, "server.host"),
        *(("mysql", {**DATABASE, name: None}, f"server.{name}") for name in DATABASE),
        ("postgresql", {**DATABASE, "host": "/tmp"}, "server.host"),
        ("postgresql", {**DATABASE, "host": "a,b"}, "server.host"),
        ("postgresql", {**DATABASE, "host": "0x7f.1"}, "server.host"),
        ("postgresql", {**DATABASE, "port": 0}, "server.port"),
        ("postgresql", {**DATABASE, "port": 65536}, "server.port"),
        ("postgresql", {**DATABASE, "host_key": PUBLIC}, "server.host_key"),
        ("postgresql", {**DATABASE, "tls": "yes please"}, "server.tls"),
        ("sftp", {**SFTP, "host_key": None}, "server.host_key"),
        ("sftp", {**SFTP, "host_key": "ssh-ed25519 AAAA"}, "server.host_key"),
        ("sftp", {**SFTP, "host_key": "MD5:aa:bb"}, "server.host_key"),
        ("sftp", {**SFTP, "host_key": NEGATIVE}, "server.host_key"),
        ("sftp", {**SFTP, "host_key": "SHA256:short"}, "server.host_key"),
        ("sftp", {**SFTP, "private_key": PRIVATE}, "server.private_key"),
        ("sftp", {**SFTP, "password": None, "private_key": PUBLIC}, "server.private_key"),
        ("sftp", {**SFTP, "password": None, "private_key": LOCKED}, "server.private_key"),
        ("sftp", {**SFTP, "database": "shop"}, "server.database"),
        ("sqlite", {"file": "../flowloom.db"}, "server.file"),
        ("sqlite", {"file": "a/b.db"}, "server.file"),
        ("sqlite", {"file": ".."}, "server.file"),
        ("sqlite", {"file": ""}, "server.file"),
        ("sqlite", {"file": "Flowloom.db-wal"}, "server.file"),
        ("sqlite", {"file": "a.db", "password": "x"}, "server.password"),
        ("http", DATABASE, "server"),
    ],
)
async def test_bad_servers_are_named(
    sqlite_server: World, protocol: str, described: dict[str, Any] | None, field: str
) -> None:
    answer = await create(sqlite_server, protocol, described)
    assert (answer.status, list(answer.json()["errors"])) == (422, [field])
    assert b"s3cret" not in answer.body


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base_url", "https://a.example.com"),
        ("allowed_hosts", ["a.example.com"]),
        ("headers", {"X-A": "b"}),
        ("auth", {"type": "bearer", "token": "x"}),
        ("rate_limit", {"per_second": 1}),
        ("circuit_breaker", {"failures": 1, "pause_seconds": 1}),
        ("connector_id", 1),
    ],
)
async def test_what_only_http_has_is_refused(sqlite_server: World, name: str, value: Any) -> None:
    answer = await create(sqlite_server, "postgresql", DATABASE, **{name: value})
    assert (answer.status, list(answer.json()["errors"])) == (422, [name])


async def test_variables_stay_until_they_are_sent_anew(server: World) -> None:
    made = (await create(server, "postgresql", DATABASE, variables={"shop": 7})).data
    path = f"/connections/{made['id']}"
    assert (await server.put(path, json={"timeout_seconds": 9})).data["variables"] == {"shop": 7}
    assert "variables" not in (await server.put(path, json={"variables": {}})).data
    answer = await server.put(path, json={"variables": {"a b": 1}})
    assert (answer.status, list(answer.json()["errors"])) == (422, ["variables.a b"])


async def test_the_protocol_stays(sqlite_server: World) -> None:
    made = (await create(sqlite_server, "postgresql", DATABASE)).data
    path = f"/connections/{made['id']}"
    answer = await sqlite_server.put(path, json={"protocol": "mysql"})
    assert (answer.status, list(answer.json()["errors"])) == (422, ["protocol"])
    assert (await sqlite_server.put(path, json={"protocol": "postgresql"})).status == 200


@pytest.mark.parametrize(
    ("protocol", "changed", "is_kept"),
    [
        ("sftp", {"username": "ann"}, True),
        ("sftp", {"port": 22}, True),
        ("sftp", {"host": "elsewhere.example.com"}, False),
        ("sftp", {"port": 2222}, False),
        ("sftp", {"host_key": KEY.get_fingerprint()}, False),
        ("postgresql", {"database": "other"}, True),
        ("postgresql", {"tls": True}, False),
        ("postgresql", {"host": "elsewhere.example.com"}, False),
    ],
)
async def test_a_stored_secret_stays_with_its_server(
    sqlite_server: World, protocol: str, changed: dict[str, Any], is_kept: bool
) -> None:
    described = SFTP if protocol == "sftp" else DATABASE
    made = (await create(sqlite_server, protocol, described)).data
    open_fields = {name: value for name, value in described.items() if name != "password"}
    answer = await sqlite_server.put(
        f"/connections/{made['id']}", json={"server": {**open_fields, **changed}}
    )
    if is_kept:
        assert answer.data["server"] == {**made["server"], **changed}
    else:
        assert (answer.status, list(answer.json()["errors"])) == (422, ["server.password"])
    assert (await stored(sqlite_server, made["id"])).secret == {"password": "s3cret-word"}


async def test_other_changes_leave_the_server_alone(sqlite_server: World) -> None:
    made = (await create(sqlite_server, "sftp", SFTP)).data
    answer = await sqlite_server.put(
        f"/connections/{made['id']}", json={"name": "Files", "timeout_seconds": 5}
    )
    assert answer.data == {**made, "name": "Files", "timeout_seconds": 5}
    assert (await stored(sqlite_server, made["id"])).secret == {"password": "s3cret-word"}
