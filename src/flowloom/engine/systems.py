"""What steps reach besides HTTP: databases and file servers, each by the protocol of its connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from flowloom.engine import mysql, postgresql, sftp, sql, sqlite
from flowloom.steps import contract, outside
from flowloom.store.connections import Connection

Reachable = Callable[[str, int], Awaitable[Sequence[str]]]
DEFAULT_PORTS: Final = {"sftp": 22, "postgresql": 5432, "mysql": 3306}
FILES: Final = "files"


class Systems:
    """`reachable` answers the checked addresses of a host; `data_dir` holds the directory of SQLite files.

    `own_database` is the server's own SQLite file, if it has one.
    """

    def __init__(self, reachable: Reachable, data_dir: Path, own_database: Path | None) -> None:
        self._reachable = reachable
        self._files = sqlite.Files(data_dir / FILES, own_database)
        self._threads = sql.Threads()

    def close(self) -> None:
        self._threads.close()

    async def query(self, connection: Connection, query: outside.Query) -> outside.Rows:
        """A page of rows. Raises contract.RequestFailed."""
        async with _in_time(connection, query.timeout_seconds):
            match connection.protocol:
                case "postgresql":
                    return await postgresql.query(await self._database(connection), query)
                case "mysql":
                    return await self._threads.run(mysql.query(await self._database(connection), query))
                case "sqlite":
                    return await self._threads.run(sqlite.query(self._files, connection.auth["file"], query))
        raise _other(connection, "a database")

    async def execute(self, connection: Connection, execution: outside.Execution) -> int:
        """How many rows a statement touched. Raises contract.RequestFailed."""
        async with _in_time(connection, execution.timeout_seconds):
            match connection.protocol:
                case "postgresql":
                    return await postgresql.execute(await self._database(connection), execution)
                case "mysql":
                    return await self._threads.run(mysql.execute(await self._database(connection), execution))
                case "sqlite":
                    return await self._threads.run(
                        sqlite.execute(self._files, connection.auth["file"], execution)
                    )
        raise _other(connection, "a database")

    async def files(self, connection: Connection, request: outside.FileRequest) -> Sequence[outside.File]:
        """What a file server answers. Raises contract.RequestFailed."""
        if connection.protocol != "sftp":
            raise _other(connection, "a file server")
        async with _in_time(connection, request.timeout_seconds):
            return await sftp.files(await self._file_server(connection), request)

    async def _database(self, connection: Connection) -> sql.Server:
        host, port = _place(connection)
        return sql.Server(
            host=host,
            port=port,
            addresses=await self._reachable(host, port),
            username=connection.auth["username"],
            password=connection.secret.get("password", ""),
            database=connection.auth["database"],
            is_tls=connection.auth["tls"],
        )

    async def _file_server(self, connection: Connection) -> sftp.Server:
        host, port = _place(connection)
        return sftp.Server(
            host=host,
            port=port,
            addresses=await self._reachable(host, port),
            username=connection.auth["username"],
            secret=connection.secret,
            host_key=connection.auth["host_key"],
        )


def _place(connection: Connection) -> tuple[str, int]:
    return connection.auth["host"], connection.auth["port"]


@asynccontextmanager
async def _in_time(connection: Connection, timeout_seconds: float) -> AsyncIterator[None]:
    seconds = min(timeout_seconds, connection.timeout_seconds or timeout_seconds)
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise contract.RequestFailed(
            f'Connection {connection.id} "{connection.name}" gave no full answer within {seconds:g} seconds.',
            passing=True,
            error_class="timeout",
        ) from error


def _other(connection: Connection, wanted: str) -> contract.RequestFailed:
    why = f'Connection {connection.id} "{connection.name}" speaks {connection.protocol}; choose one to {wanted}.'
    return contract.RequestFailed(why, passing=False)
