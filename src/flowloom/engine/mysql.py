"""MySQL and MariaDB as connectors use them: a connection for each page or payload, in a thread.

The driver has no prepared statements: it writes each value as a literal, by its type and the connection's character
set, in the place of a parameter and nowhere else.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from flowloom.engine import sql
from flowloom.steps import contract, outside

if TYPE_CHECKING:
    import pymysql

_CONNECT_SECONDS: Final = 10.0
# Too many connections, shutdown, lock waits, deadlocks, cut off by an operator, and a lost connection.
_PASSING: Final = frozenset({1040, 1053, 1203, 1205, 1213, 1317, 2002, 2003, 2006, 2013, 2055})
_TIMEOUTS: Final = frozenset({1969, 3024})
_AUTHENTICATION: Final = frozenset({1044, 1045, 1698, 1862, 2059, 2061})


def query(server: sql.Server, query: outside.Query) -> Callable[[sql.Stopper], outside.Rows]:
    """Work for a thread: a page of rows, in a transaction that cannot write. It raises RequestFailed."""
    statement = sql.parse(query.statement, "mysql", query.parameters)
    values = sql.bound(statement, query.parameters)

    def work(stopper: sql.Stopper) -> outside.Rows:
        from pymysql import cursors

        with _connected(server, query.timeout_seconds, stopper) as connection:
            with connection.cursor() as settings:
                # More than this would have to be read before the connection can be closed.
                settings.execute("SET SESSION sql_select_limit = %s", (query.skip + query.limit + 1,))
                # For the session: a statement that ends the transaction would end one that cannot write too.
                settings.execute("SET SESSION TRANSACTION READ ONLY")
                settings.execute("START TRANSACTION")
            with connection.cursor(cursors.SSCursor) as cursor:
                cursor.execute(statement.written("%s"), [values[name] for name in statement.names])
                columns = [column[0] for column in cursor.description] if cursor.description else None
                page = sql.Page(columns, query.limit)
                cursor.scroll(query.skip)
                page.add(itertools.islice(cursor, page.wanted))
            return page.finish()

    return work


def execute(server: sql.Server, execution: outside.Execution) -> Callable[[sql.Stopper], int]:
    """Work for a thread: execute for each set of parameters, all or none, and count the rows that it touched."""
    statement, every = sql.prepared(execution, "mysql")
    ordered = [[values[name] for name in statement.names] for values in every]

    def work(stopper: sql.Stopper) -> int:
        with _connected(server, execution.timeout_seconds, stopper) as connection:
            with connection.cursor() as cursor:
                count: int = sum(cursor.execute(statement.written("%s"), values) for values in ordered)
            connection.commit()
            return count

    return work


@contextlib.contextmanager
def _connected(
    server: sql.Server, timeout_seconds: float, stopper: sql.Stopper
) -> Iterator[pymysql.Connection[Any]]:
    """A connection that is rolled back and closed, its errors turned into RequestFailed."""
    import pymysql

    try:
        plug = _plug(server)
    except OSError as error:
        raise contract.RequestFailed(
            f"{server.site} cannot be reached: {error.strerror or error}.", passing=True
        ) from None
    stopper.act = lambda: _unplug(plug)
    connection = pymysql.Connection(**_options(server, timeout_seconds))
    try:
        connection.connect(plug)
        _bound_statements(connection, timeout_seconds)
        yield connection
    except pymysql.MySQLError as error:
        raise _failed(server, error) from None
    finally:
        with contextlib.suppress(pymysql.MySQLError):
            connection.close()
        plug.close()


def _plug(server: sql.Server) -> socket.socket:
    """A socket to the first of the addresses that answers. Raises OSError."""
    for address in server.addresses[:-1]:
        with contextlib.suppress(OSError):
            return socket.create_connection((address, server.port), _CONNECT_SECONDS)
    return socket.create_connection((server.addresses[-1], server.port), _CONNECT_SECONDS)


def _unplug(plug: socket.socket) -> None:
    with contextlib.suppress(OSError):
        plug.shutdown(socket.SHUT_RDWR)


def _options(server: sql.Server, timeout_seconds: float) -> dict[str, Any]:
    tls = {"ssl": ssl.create_default_context()} if server.is_tls else {"ssl_disabled": True}
    return {
        "host": server.host,
        "user": server.username,
        "password": server.password,
        "database": server.database,
        "charset": "utf8mb4",
        "read_timeout": timeout_seconds,
        "write_timeout": timeout_seconds,
        "local_infile": False,
        "defer_connect": True,
        **tls,
    }


def _bound_statements(connection: pymysql.Connection[Any], timeout_seconds: float) -> None:
    """Have the server give up a statement too: the two servers name this differently, in seconds and milliseconds."""
    with connection.cursor() as cursor:
        if "mariadb" in str(connection.get_server_info()).lower():
            cursor.execute("SET SESSION max_statement_time = %s", (timeout_seconds,))
        else:
            cursor.execute("SET SESSION max_execution_time = %s", (round(timeout_seconds * 1000),))


def _failed(server: sql.Server, error: pymysql.MySQLError) -> contract.RequestFailed:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    said = str(error.args[-1] if error.args else error).strip().rstrip(".")
    if isinstance(getattr(error, "original_exception", None), ssl.SSLError):
        return sql.rejected(f"No secure connection to {server.site} could be made: {said}.", "authentication")
    why = f"{server.site} refused the statement: {said}."
    if number in _TIMEOUTS:
        return contract.RequestFailed(why, passing=True, error_class="timeout")
    if number in _PASSING:
        return contract.RequestFailed(why, passing=True)
    return sql.rejected(why, "authentication" if number in _AUTHENTICATION else "rejected")
