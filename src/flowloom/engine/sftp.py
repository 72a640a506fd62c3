"""File servers over SFTP: a connection for each request, to the checked addresses, whose host key is known before.

The library is loaded when it is first needed: it takes 20 MB.
"""

from __future__ import annotations

import contextlib
import fnmatch
import posixpath
import re
import stat
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from flowloom.engine import spills
from flowloom.steps import contract, outside

if TYPE_CHECKING:
    import asyncssh

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
_CONNECT_SECONDS: Final = 15
_FINGERPRINT: Final = "SHA256:"
_WHOLE_FINGERPRINT: Final = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


@dataclass(frozen=True, slots=True)
class Server:
    """A server as it is connected to. `secret` holds a password or a private_key."""

    host: str
    port: int
    addresses: Sequence[str]
    username: str
    secret: Mapping[str, str] = field(repr=False)
    host_key: str


def require_host_key(text: str) -> None:
    """Raise ValueError unless this is a public key as in known_hosts (`ssh-ed25519 AAAA...`), or SHA256 fingerprint."""
    import asyncssh

    if _WHOLE_FINGERPRINT.fullmatch(text):
        return
    try:
        asyncssh.import_public_key(text)
    except (asyncssh.KeyImportError, OverflowError) as error:
        raise ValueError(str(error)) from None


def require_private_key(text: str) -> None:
    """Raise ValueError unless this is a private key that needs no passphrase."""
    import asyncssh

    try:
        asyncssh.import_private_key(text)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, OverflowError) as error:
        raise ValueError(str(error)) from None


async def files(server: Server, request: outside.FileRequest) -> Sequence[outside.File]:
    """What the server answers. Raises contract.RequestFailed."""
    async with _connected(server) as client:
        match request:
            case outside.FileList():
                return await _listed(client, request)
            case outside.FileRead():
                return await _read(client, request)
            case outside.FileWrite():
                return await _written(client, request)
            case outside.FileDone():
                return await _done(client, request)


async def _listed(client: asyncssh.SFTPClient, request: outside.FileList) -> Sequence[outside.File]:
    single = await _stated(client, request.path)
    if request.pattern is None and single is not None:
        return [single] if single.path > request.after else []
    found = [
        _file(posixpath.join(request.path, str(entry.filename)), entry.attrs)
        async for entry in client.scandir(request.path)
        if _is_regular(entry.attrs) and _matches(str(entry.filename), request.pattern or "*")
    ]
    later = sorted((file for file in found if file.path > request.after), key=lambda file: file.path)
    return later[: request.limit]


def _matches(name: str, pattern: str) -> bool:
    """As in a shell: a hidden file is met only by a pattern that begins with a dot."""
    return fnmatch.fnmatchcase(name, pattern) and name.startswith(".") <= pattern.startswith(".")


async def _read(client: asyncssh.SFTPClient, request: outside.FileRead) -> Sequence[outside.File]:
    found = await _stated(client, request.path)
    if found is None:
        return []
    body = spills.Body(spills.FROM_BYTES if request.may_spill else None)
    room = spills.MAX_BYTES if request.may_spill else MAX_FILE_BYTES
    async with client.open(request.path, "rb") as opened:
        while chunk := await _next(opened):
            if body.size_bytes + len(chunk) > room:
                raise spills.too_large(f"The file {request.path}", room)
            body.add(chunk)
    content, file = body.finish()
    return [outside.File(found.path, found.size_bytes, found.modified, b"" if file else content, file)]


async def _next(opened: asyncssh.SFTPClientFile) -> bytes:
    chunk: Any = await opened.read(_CHUNK_BYTES)
    return bytes(chunk)


async def _written(client: asyncssh.SFTPClient, request: outside.FileWrite) -> Sequence[outside.File]:
    directory, name = posixpath.split(request.path)
    part = posixpath.join(directory, f".{name}.{request.key}.part")
    async with client.open(part, "wb") as opened:
        await opened.write(request.content)
    await _replace(client, part, request.path)
    return [outside.File(request.path, len(request.content), 0)]


async def _replace(client: asyncssh.SFTPClient, part: str, path: str) -> None:
    """Rename over what may be there: in one step where the server can, else the old file goes first."""
    import asyncssh

    try:
        await client.posix_rename(part, path)
    except asyncssh.SFTPOpUnsupported:
        with contextlib.suppress(asyncssh.SFTPNoSuchFile):
            await client.remove(path)
        await client.rename(part, path)


async def _done(client: asyncssh.SFTPClient, request: outside.FileDone) -> Sequence[outside.File]:
    seen, now = request.file, await _stated(client, request.file.path)
    if now is None:
        return []
    if (now.size_bytes, now.modified) != (seen.size_bytes, seen.modified):
        return [now]
    if request.directory is None:
        await client.remove(seen.path)
        return []
    target = posixpath.join(request.directory, posixpath.basename(seen.path))
    if await client.exists(target):
        raise _refused(f"{seen.path} cannot be moved: there is a file {target} already.")
    await client.rename(seen.path, target)
    return []


async def _stated(client: asyncssh.SFTPClient, path: str) -> outside.File | None:
    """A regular file, if it is there."""
    import asyncssh

    try:
        attributes = await client.stat(path)
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return None
    return _file(path, attributes) if _is_regular(attributes) else None


def _is_regular(attributes: asyncssh.SFTPAttrs) -> bool:
    return attributes.permissions is None or stat.S_ISREG(attributes.permissions)


def _file(path: str, attributes: asyncssh.SFTPAttrs) -> outside.File:
    return outside.File(path, attributes.size or 0, int(attributes.mtime or 0))


@asynccontextmanager
async def _connected(server: Server) -> AsyncIterator[asyncssh.SFTPClient]:
    """A session that is closed at the end, its errors turned into RequestFailed."""
    import asyncssh

    try:
        async with (
            await _first_that_answers(server) as connection,
            connection.start_sftp_client() as client,
        ):
            yield client
    except asyncssh.HostKeyNotVerifiable:
        raise _refused(
            f"{server.host}:{server.port} has another host key than its connection says; it may be another server."
        ) from None
    except asyncssh.PermissionDenied:
        raise contract.RequestFailed(
            f"{server.host}:{server.port} does not let {server.username} in.",
            passing=False,
            error_class="authentication",
        ) from None
    except asyncssh.SFTPError as error:
        raise _failed(server, error) from None
    except (OSError, asyncssh.Error) as error:
        said = error.strerror if isinstance(error, OSError) else error.reason
        raise contract.RequestFailed(
            f"{server.host}:{server.port} cannot be reached: {said or 'no answer'}.", passing=True
        ) from None


async def _first_that_answers(server: Server) -> asyncssh.SSHClientConnection:
    """Raises OSError, asyncssh.Error."""
    for address in server.addresses[:-1]:
        with contextlib.suppress(OSError):
            return await _connect(server, address)
    return await _connect(server, server.addresses[-1])


async def _connect(server: Server, address: str) -> asyncssh.SSHClientConnection:
    """Nothing of the process's user is used: no agent, no keys, no known hosts, no configuration."""
    import asyncssh

    key = server.secret.get("private_key")
    return await asyncssh.connect(
        address,
        server.port,
        config=None,
        known_hosts=_known(server.host_key),
        client_factory=_client(server.host_key),
        username=server.username,
        password=server.secret.get("password"),
        client_keys=[asyncssh.import_private_key(key)] if key else None,
        agent_path=None,
        gss_host=None,
        preferred_auth="publickey" if key else "password,keyboard-interactive",
        connect_timeout=_CONNECT_SECONDS,
        login_timeout=_CONNECT_SECONDS,
    )


def _known(host_key: str) -> Any:
    """The known hosts of this one connection: the key, if it is given whole, so that the server is asked for that."""
    import asyncssh

    whole = [] if host_key.startswith(_FINGERPRINT) else [asyncssh.import_public_key(host_key)]
    return whole, [], []


def _client(host_key: str) -> type[asyncssh.SSHClient]:
    import asyncssh

    class Client(asyncssh.SSHClient):
        """Lets a server in whose key has the fingerprint."""

        def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            return key.get_fingerprint("sha256") == host_key

    return Client


def _failed(server: Server, error: asyncssh.SFTPError) -> contract.RequestFailed:
    import asyncssh

    is_passing = isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection)
    said = error.reason.strip().rstrip(".") or type(error).__name__.removeprefix("SFTP")
    return contract.RequestFailed(
        f"{server.host}:{server.port} answered: {said}.",
        passing=is_passing,
        error_class="unavailable" if is_passing else "rejected",
    )


def _refused(why: str) -> contract.RequestFailed:
    return contract.RequestFailed(why, passing=False)
