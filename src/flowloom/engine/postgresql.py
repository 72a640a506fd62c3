"""PostgreSQL as connectors use it: a connection for each page or payload, over the checked addresses only.

The driver is loaded when it is first needed: on SQLite nothing else needs it, and it takes 8 MB.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowloom.engine import sql
from flowloom.steps import contract, outside

if TYPE_CHECKING:
    import psycopg

_CONNECT_SECONDS: Final = 10
# Connection, rollback for others' sake, resources, and what an operator or a timeout cut off.
_PASSING: Final = ("08", "40", "53", "57", "55P03")
_LASTING_WORDS: Final = ("authentication", "pg_hba.conf", "does not exist", "certificate", "SSL")
_DEBIAN_CERTIFICATES: Final = "/etc/ssl/certs/ca-certificates.crt"


async def query(server: sql.Server, query: outside.Query) -> outside.Rows:
    """A page of rows, in a transaction that cannot write. Raises RequestFailed."""
    statement = sql.parse(query.statement, "postgresql", query.parameters)
    parameters = sql.bound(statement, query.parameters)
    async with _connected(server, query.timeout_seconds) as connection:
        await connection.set_read_only(True)
        async with connection.cursor(name="flowloom") as cursor:
            await cursor.execute(_written(statement.written("%({name})s")), parameters)
            columns = [column.name for column in cursor.description or ()]
            page = sql.Page(columns, query.limit)
            if query.skip:
                await cursor.scroll(query.skip)
            while rows := await cursor.fetchmany(page.at_once):
                page.add(rows)
                if not page.wanted:
                    break
    return page.finish()


async def execute(server: sql.Server, execution: outside.Execution) -> int:
    """Execute for each set of parameters, all or none; how many rows that touched. Raises RequestFailed."""
    statement, every = sql.prepared(execution, "postgresql")
    async with _connected(server, execution.timeout_seconds) as connection, connection.cursor() as cursor:
        await cursor.executemany(_written(statement.written("%({name})s")), every)
        await connection.commit()
        return max(cursor.rowcount, 0)


def _written(text: str) -> bytes:
    """A statement as its author wrote it. As bytes: the driver's typing wants no text but its own source's."""
    return text.encode()


@asynccontextmanager
async def _connected(
    server: sql.Server, timeout_seconds: float
) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A connection that is rolled back and closed, its errors turned into RequestFailed."""
    import psycopg

    try:
        connection = await psycopg.AsyncConnection.connect(**_options(server, timeout_seconds))
    except psycopg.OperationalError as error:
        raise _not_connected(server, error) from None
    _let_text_be(connection)
    try:
        yield connection
    except psycopg.Error as error:
        raise _failed(server, error) from None
    finally:
        await connection.close()


def _let_text_be(connection: psycopg.AsyncConnection[Any]) -> None:
    """Give instants and dates that Python has none of, such as infinity, as PostgreSQL writes them."""
    import psycopg
    from psycopg import adapt, pq

    def tolerant(exact: Callable[..., Any]) -> type[adapt.Loader]:
        class Tolerant(adapt.Loader):
            def __init__(self, oid: int, context: Any = None) -> None:
                super().__init__(oid, context)
                self._exact = exact(oid, context)

            def load(self, data: Any) -> Any:
                try:
                    return self._exact.load(data)
                except psycopg.DataError:
                    return bytes(data).decode()

        return Tolerant

    for name in ("date", "timestamp", "timestamptz"):
        exact = connection.adapters.get_loader(connection.adapters.types[name].oid, pq.Format.TEXT)
        if exact is not None:
            connection.adapters.register_loader(name, tolerant(exact))


def _options(server: sql.Server, timeout_seconds: float) -> dict[str, Any]:
    """Whatever the environment of the process could add is named, so that it adds nothing."""
    count = len(server.addresses)
    return {
        "host": ",".join([server.host] * count),
        "hostaddr": ",".join(server.addresses),
        "port": ",".join([str(server.port)] * count),
        "dbname": server.database,
        "user": server.username,
        "password": server.password,
        "passfile": "/dev/null",
        "sslmode": "verify-full" if server.is_tls else "disable",
        "sslrootcert": _certificates() if server.is_tls else "",
        "gssencmode": "disable",
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": "Flowloom",
        "client_encoding": "utf8",
        "options": f"-c statement_timeout={round(timeout_seconds * 1000)}",
    }


def _certificates() -> str:
    """The certificates that the system trusts: the driver brings an OpenSSL that does not know where they are."""
    own = ssl.get_default_verify_paths().cafile
    return own or (_DEBIAN_CERTIFICATES if Path(_DEBIAN_CERTIFICATES).exists() else "system")


def _not_connected(server: sql.Server, error: psycopg.OperationalError) -> contract.RequestFailed:
    said = str(error).strip().splitlines()[0]
    said = said.rpartition("failed: ")[2].removeprefix("FATAL:").strip().rstrip(".") or "no answer"
    why = f"No connection to {server.site}: {said}."
    if any(word in str(error) for word in _LASTING_WORDS):
        return sql.rejected(why, "authentication")
    return contract.RequestFailed(why, passing=True)


def _failed(server: sql.Server, error: psycopg.Error) -> contract.RequestFailed:
    import psycopg
    from psycopg import errors as faults

    state = error.sqlstate or ""
    said = (error.diag.message_primary or str(error)).strip().rstrip(".")
    why = f"{server.site} refused the statement: {said}."
    if isinstance(error, faults.QueryCanceled):
        return contract.RequestFailed(why, passing=True, error_class="timeout")
    is_lost = not state and isinstance(error, psycopg.OperationalError)
    if is_lost or state.startswith(_PASSING):
        return contract.RequestFailed(why, passing=True)
    return sql.rejected(why)
