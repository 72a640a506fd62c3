"""A real SFTP server on the loopback over a directory, with a host key, a user with a password and one with a key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
from tests.databases import LOOPBACK

PASSWORD = "s3cret-of-sftp"


@dataclass
class FileServer:
    """What it serves, and what a connection to it says. `has_posix_rename` may be taken away."""

    directory: Path
    host_key: asyncssh.SSHKey
    user_key: asyncssh.SSHKey
    port: int = 0
    has_posix_rename: bool = True
    written: list[str] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, Any]:
        """What the API takes for a connection that logs in with the password."""
        server = {"host": LOOPBACK, "port": self.port, "username": "jo", "host_key": self.public_key}
        return {"protocol": "sftp", "server": {**server, "password": PASSWORD}}

    @property
    def public_key(self) -> str:
        return self.host_key.export_public_key().decode().strip()

    @property
    def private_key(self) -> str:
        """Of the user who logs in with it."""
        return self.user_key.export_private_key().decode()

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def names(self, directory: str = ".") -> list[str]:
        return sorted(path.name for path in (self.directory / directory).iterdir())


class _Door(asyncssh.SSHServer):
    def __init__(self, served: FileServer) -> None:
        self._served = served

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("jo", PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "ann" and key == self._served.user_key.convert_to_public()


@asynccontextmanager
async def serving(directory: Path) -> AsyncIterator[FileServer]:
    """A server that listens on a port of its own, with two host keys, of which the first is the one that is shown."""
    served = FileServer(
        directory,
        asyncssh.generate_private_key("ssh-rsa", key_size=2048),
        asyncssh.generate_private_key("ssh-ed25519"),
    )

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: Any) -> None:
            super().__init__(channel, chroot=str(directory))

        def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
            if pflags & asyncssh.FXF_WRITE:
                served.written.append(path.decode())
            return super().open(path, pflags, attrs)

        def posix_rename(self, oldpath: bytes, newpath: bytes) -> Any:
            if not served.has_posix_rename:
                raise asyncssh.SFTPOpUnsupported("no such extension")
            return super().posix_rename(oldpath, newpath)

    acceptor = await asyncssh.create_server(
        lambda: _Door(served),
        LOOPBACK,
        0,
        server_host_keys=[served.host_key, asyncssh.generate_private_key("ssh-ed25519")],
        sftp_factory=Files,
    )
    served.port = acceptor.get_port()
    try:
        yield served
    finally:
        acceptor.close()
        await acceptor.wait_closed()
