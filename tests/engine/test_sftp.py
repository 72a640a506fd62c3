"""File servers over SFTP: who is let in, what is listed, and that a file is never half written or lost."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from tests import databases, files, mariadb

from flowloom.engine import systems
from flowloom.steps import contract, outside
from flowloom.store.connections import Connection


@dataclass
class Reached:
    """A file server and the engine's way to it."""

    server: files.FileServer
    systems: systems.Systems
    connection: Connection

    async def ask(self, request: outside.FileRequest) -> list[outside.File]:
        return list(await self.systems.files(self.connection, request))

    async def listed(
        self, path: str = "/in", pattern: str | None = None, after: str = "", limit: int = 9
    ) -> list[str]:
        return [file.path for file in await self.ask(outside.FileList(1, path, pattern, after, limit))]

    async def read(self, path: str) -> outside.File:
        (file,) = await self.ask(outside.FileRead(1, path))
        return file

    def changed(self, secret: dict[str, str] | None = None, **auth: Any) -> Reached:
        connection = dataclasses.replace(
            self.connection, auth={**self.connection.auth, **auth}, secret=secret or self.connection.secret
        )
        return Reached(self.server, self.systems, connection)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Reached]:
    served = tmp_path / "served"
    (served / "in").mkdir(parents=True)
    async with files.serving(served) as server:
        auth = dict(server.fields["server"])
        connection = databases.connection("sftp", auth.pop("password"), **auth)
        yield Reached(server, databases.open_systems(tmp_path), connection)


async def refused(work: Any, *, passing: bool = False) -> contract.RequestFailed:
    with pytest.raises(contract.RequestFailed) as caught:
        await work
    assert caught.value.passing is passing, caught.value.why
    assert files.PASSWORD not in caught.value.why
    return caught.value


async def test_a_directory_is_listed_by_name(shop: Reached) -> None:
    for name in ("b.csv", "a.csv", "c.json", ".hidden.csv", "sub/d.csv"):
        shop.server.put(f"in/{name}", "x")
    assert await shop.listed() == ["/in/a.csv", "/in/b.csv", "/in/c.json"]
    assert await shop.listed(pattern="*.csv") == ["/in/a.csv", "/in/b.csv"]
    assert await shop.listed(pattern=".*") == ["/in/.hidden.csv"]
    assert await shop.listed(after="/in/a.csv", limit=1) == ["/in/b.csv"]
    assert await shop.listed("/in/c.json") == ["/in/c.json"]
    assert await shop.listed("/in/c.json", after="/in/c.json") == []
    assert (await refused(shop.listed("/nowhere"))).error_class == "rejected"


async def test_a_file_is_read(shop: Reached) -> None:
    shop.server.put("in/a", b"\x00\xff")
    file = await shop.read("/in/a")
    assert (file.content, file.size_bytes) == (b"\x00\xff", 2)
    assert await shop.ask(outside.FileRead(1, "/in/none")) == []


async def test_a_file_that_is_too_large(shop: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowloom.engine.sftp.MAX_FILE_BYTES", 10)
    shop.server.put("in/a", "x" * 10)
    assert len((await shop.read("/in/a")).content) == 10
    shop.server.put("in/a", "x" * 11)
    assert "over 10 bytes" in (await refused(shop.read("/in/a"))).why


async def test_a_large_file_that_may_spill(shop: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowloom.engine.spills.FROM_BYTES", 10)
    monkeypatch.setattr("flowloom.engine.spills.MAX_BYTES", 2_000_000)
    content = os.urandom(2_000_000)
    shop.server.put("in/a", content)
    (file,) = await shop.ask(outside.FileRead(1, "/in/a", may_spill=True))
    assert file.spilled is not None
    with file.spilled as spilled:
        assert (file.content, spilled.read(), file.size_bytes) == (b"", content, 2_000_000)
    shop.server.put("in/a", content + b"x")
    too_large = await refused(shop.ask(outside.FileRead(1, "/in/a", may_spill=True)))
    assert too_large.why == "The file /in/a is over 2,000,000 bytes: ask for less at a time."


@pytest.mark.parametrize("has_posix_rename", [True, False])
async def test_a_file_is_replaced_whole(shop: Reached, has_posix_rename: bool) -> None:
    shop.server.has_posix_rename = has_posix_rename
    for content in (b"one", b"two, longer", b""):
        await shop.ask(outside.FileWrite(1, "/in/a.json", content, "key"))
        assert (shop.server.directory / "in/a.json").read_bytes() == content
    assert set(shop.server.written) == {"/in/.a.json.key.part"}
    assert shop.server.names("in") == ["a.json"]


async def test_what_was_read_is_deleted_or_moved_once(shop: Reached) -> None:
    (shop.server.directory / "done").mkdir()
    for name, directory in (("a", None), ("b", "/done")):
        shop.server.put(f"in/{name}", name)
        file = await shop.read(f"/in/{name}")
        for _ in range(2):
            assert await shop.ask(outside.FileDone(1, file, directory)) == []
    assert (shop.server.names("in"), shop.server.names("done")) == ([], ["b"])


async def test_a_file_that_changed_since_stays(shop: Reached) -> None:
    path = shop.server.put("in/a", "one")
    file = await shop.read("/in/a")
    path.write_text("two")
    os.utime(path, (0, 0))
    assert [found.path for found in await shop.ask(outside.FileDone(1, file, None))] == ["/in/a"]
    assert path.read_text() == "two"


async def test_a_move_never_overwrites(shop: Reached) -> None:
    shop.server.put("in/a", "new")
    shop.server.put("done/a", "old")
    file = await shop.read("/in/a")
    assert (
        "there is a file /done/a already" in (await refused(shop.ask(outside.FileDone(1, file, "/done")))).why
    )
    assert (shop.server.directory / "done/a").read_text() == "old"


async def test_a_private_key_lets_in(shop: Reached) -> None:
    by_key = shop.changed(secret={"private_key": shop.server.private_key}, username="ann")
    assert await by_key.listed() == []


async def test_whoever_may_not_log_in(shop: Reached) -> None:
    for other in (
        shop.changed(secret={"password": "wrong-s3cret"}),
        shop.changed(secret={"private_key": shop.server.private_key}),
    ):
        error = await refused(other.listed())
        assert error.error_class == "authentication"
        assert "s3cret" not in error.why


async def test_the_host_key_must_be_the_known_one(shop: Reached) -> None:
    other = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    for key in (other.export_public_key().decode(), other.get_fingerprint(), "SHA256:"):
        assert "another host key" in (await refused(shop.changed(host_key=key).listed())).why


async def test_a_fingerprint_is_enough(shop: Reached) -> None:
    found = await asyncssh.get_server_host_key("127.0.0.1", shop.server.port)
    assert found is not None
    assert await shop.changed(host_key=found.get_fingerprint()).listed() == []


async def test_nobody_listens_and_an_address_that_is_not_allowed(shop: Reached, tmp_path: Path) -> None:
    await refused(shop.changed(port=mariadb.free_port()).listed(), passing=True)
    shop.systems = databases.open_systems(tmp_path, allow=())
    assert "the operator can allow it" in (await refused(shop.listed())).why


async def test_a_server_that_never_answers(shop: Reached) -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        request = outside.FileRead(1, "/in/a", timeout_seconds=0.2)
        error = await refused(shop.changed(port=port).ask(request), passing=True)
    assert error.error_class == "timeout"
