"""The databases that connectors work in, as tests see them: real servers, and the connections that lead there."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from tests import mariadb

from flowloom.engine import http, systems
from flowloom.steps import outside
from flowloom.store.connections import Connection

PASSWORD = "s3cret-of-postgresql"
LOOPBACK = "127.0.0.1"
UPDATED = datetime(2026, 1, 31, tzinfo=UTC)


def connection(protocol: str, secret: str | None = None, **server: Any) -> Connection:
    """A stored connection as the engine loads it."""
    return Connection(
        id=1,
        company_id=1,
        name="Shop",
        base_url=None,
        allowed_hosts=[],
        auth_type="none" if secret is None else "password",
        auth=server,
        secret={} if secret is None else {"password": secret},
        headers={},
        timeout_seconds=None,
        rate_limit=None,
        circuit_breaker=None,
        updated_at=UPDATED,
        variables={},
        protocol=protocol,
    )


def prepare_postgres(url: str) -> None:
    """A user with a password and a database of its own."""
    with psycopg.connect(url.format(database="postgres").replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(f"CREATE USER shop PASSWORD '{PASSWORD}'")
        admin.execute("CREATE DATABASE shop OWNER shop")


@dataclass(frozen=True)
class Database:
    """One database and the engine's way to it."""

    systems: systems.Systems
    connection: Connection

    async def query(
        self, statement: str, skip: int = 0, limit: int = 1000, **parameters: Any
    ) -> outside.Rows:
        return await self.systems.query(
            self.connection, outside.Query(1, statement, parameters, skip, limit, 20.0)
        )

    async def rows(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        return list((await self.query(statement, **parameters)).rows)

    async def execute(self, statement: str, *every: dict[str, Any], timeout_seconds: float = 20.0) -> int:
        return await self.systems.execute(
            self.connection, outside.Execution(1, statement, every or [{}], timeout_seconds)
        )


def open_systems(data_dir: Path, allow: tuple[str, ...] = (LOOPBACK,)) -> systems.Systems:
    return systems.Systems(http.Client(allow).reachable, data_dir, data_dir / "flowloom.db")


def fields(protocol: str, port: int) -> dict[str, Any]:
    """What the API takes for a connection to the server of this protocol."""
    user, secret = ("shop", PASSWORD) if protocol == "postgresql" else ("flowloom", mariadb.PASSWORD)
    server = {"host": LOOPBACK, "port": port, "username": user, "password": secret, "database": "shop"}
    return {"protocol": protocol, "server": {"file": "shop.db"} if protocol == "sqlite" else server}


def reached(protocol: str, port: int, **changed: Any) -> Connection:
    """The same as a stored connection."""
    server = {"tls": False, **fields(protocol, port)["server"], **changed}
    return connection(protocol, server.pop("password", None), **server)


@asynccontextmanager
async def postgres_tls(port: int, certificate: Path) -> AsyncIterator[int]:
    """A door with TLS before a PostgreSQL; the port of the door. The one that tests run is built without TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # One who hangs up early breaks the pipe of the other direction.
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)  # the client asks for TLS
        writer.write(b"S")
        try:
            await writer.start_tls(context)
        except OSError:
            return
        inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, port)
        await asyncio.gather(pipe(reader, inner_writer), pipe(inner_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
