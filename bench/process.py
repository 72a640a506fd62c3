"""Processes under measurement: started on loopback, waited for, looked at through /proc, stopped by their id."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 30.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. `start_seconds` is how long it took from its start to its first good answer."""

    pid: int
    port: int
    start_seconds: float

    def cpu_seconds(self) -> float:
        """CPU time of the process so far, of all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self) -> dict[str, float]:
        """Rss and Pss now, in MB."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines[1:]}
        return {"rss": sizes["Rss"], "pss": sizes["Pss"]}


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@contextmanager
def serve(
    module: str, *arguments: str, ready: str, environ: dict[str, str] | None = None
) -> Iterator[Running]:
    """Run `python -m module ... --port N` until the block ends. `ready` is a path that answers 200 when it is up."""
    port, began = free_port(), time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments, "--port", str(port)],
        env=_environ(environ or {}),
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(process, port, ready)
        yield Running(process.pid, port, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait(20)


def _environ(settings: dict[str, str]) -> dict[str, str]:
    """This process's environment, less what makes Python compile every module at each start: no user has that."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, **settings}


def _wait(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if call(port, "GET", path)[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.005)
    raise RuntimeError(f"{process.args!r} did not come up")


def call(port: int, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, bytes]:
    """One request on a connection of its own: status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json", **({"Authorization": key} if key else {})}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def drive(**order: Any) -> dict[str, Any]:
    """Run the load generator to its end; what it found."""
    with driving(**order) as driver:
        return driver.result()


@dataclass(frozen=True, slots=True)
class Driver:
    process: subprocess.Popen[bytes]

    def result(self) -> dict[str, Any]:
        output, _ = self.process.communicate()
        if self.process.returncode:
            raise RuntimeError("the load generator failed; its last words are above")
        found: dict[str, Any] = json.loads(output)
        return found


@contextmanager
def driving(**order: Any) -> Iterator[Driver]:
    """The load generator, at work beside what the block does."""
    command: Sequence[str] = [sys.executable, "-m", "bench.driver"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(json.dumps(order).encode())
    process.stdin.close()
    process.stdin = None
    try:
        yield Driver(process)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(20)
