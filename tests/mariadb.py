"""A MariaDB for the tests: Debian's, in a directory of its own, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
from tests import debian

PASSWORD = "s3cret-of-mariadb"
SCRIPTS = Path("/usr/share/mysql")
SYSTEM_TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
LIGHT = (
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=8M",
    "--performance-schema=OFF",
)


def program() -> str:
    """The server's path. Raises RuntimeError as `debian.program` does."""
    return debian.program(["mariadbd"], "mariadb-server-core")


@contextlib.contextmanager
def server(certificate: Path) -> Iterator[int]:
    """A running server; gives its port. `certificate` is a PEM file that holds its key too.

    The user flowloom may do everything in the database shop.
    """
    home = Path(tempfile.mkdtemp(prefix="flowloom-my-", dir="/tmp"))
    base = [program(), "--no-defaults", f"--datadir={home / 'data'}", *LIGHT]
    base += ["--user=root"] if os.geteuid() == 0 else []
    listening = [f"--socket={home / 's'}", f"--port={free_port()}", "--bind-address=127.0.0.1"]
    tls = [f"--ssl-cert={certificate}", f"--ssl-key={certificate}"]
    try:
        _lay_out(base, home / "data")
        with (home / "log").open("wb") as log:
            process = subprocess.Popen([*base, *listening, *tls], stdout=log, stderr=log)
        try:
            _prepare(process, home)
            yield int(listening[1].partition("=")[2])
        finally:
            process.terminate()
            process.wait(20)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _lay_out(base: list[str], data: Path) -> None:
    """The system's tables, as mariadb-install-db makes them; that script needs programs of further packages."""
    data.mkdir()
    tables = b"".join((SCRIPTS / name).read_bytes() for name in SYSTEM_TABLES)
    opening = b"CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n"
    done = subprocess.run([*base, "--bootstrap"], input=opening + tables, check=False, capture_output=True)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())


def _prepare(process: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(pymysql.OperationalError):
            with pymysql.connect(unix_socket=str(home / "s"), user="root") as connection:
                cursor = connection.cursor()
                cursor.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
                cursor.execute(f"CREATE USER flowloom@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
                cursor.execute("GRANT ALL ON shop.* TO flowloom@'127.0.0.1'")
            return
        time.sleep(0.02)
    raise RuntimeError((home / "log").read_text())


def free_port() -> int:
    """A port on the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
