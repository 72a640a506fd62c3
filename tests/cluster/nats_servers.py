"""NATS servers for the tests: from a wheel, alone or as a cluster of three, killed, wiped and started again at will."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import mariadb

PROGRAM = Path(sysconfig.get_path("scripts")) / "nats-server"


@dataclass
class Node:
    """One server; its directory holds what it keeps."""

    name: str
    home: Path
    port: int
    cluster_port: int
    routes: Sequence[str] = ()
    more: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        config = self.home / "nats.conf"
        config.write_text(self._config())
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen([PROGRAM, "-c", config], stdout=log, stderr=log)

    def _config(self) -> str:
        lines = [
            f"server_name: {self.name}",
            f"listen: 127.0.0.1:{self.port}",
            f'jetstream {{ store_dir: "{self.home / "store"}", max_mem: 64M, max_file: 256M }}',
        ]
        if self.routes:
            cluster = f"name: tests, listen: 127.0.0.1:{self.cluster_port}, no_advertise: true"
            lines.append(f"cluster {{ {cluster}, routes: [{', '.join(self.routes)}] }}")
        return "\n".join([*lines, self.more])

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)

    def wipe(self) -> None:
        """Lose what a killed server kept."""
        shutil.rmtree(self.home / "store", ignore_errors=True)

    async def ready(self) -> None:
        """Wait until it takes connections."""
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                await asyncio.sleep(0.02)


@contextlib.contextmanager
def servers(home: Path, count: int, more: str = "") -> Iterator[list[Node]]:
    """Running servers, in one cluster where they are several; `more` goes to the configuration of each."""
    cluster_ports = [mariadb.free_port() for _ in range(count)]
    routes = [f"nats-route://127.0.0.1:{port}" for port in cluster_ports] if count > 1 else []
    nodes = []
    for number, cluster_port in enumerate(cluster_ports):
        (directory := home / f"nats-{number}").mkdir(parents=True)
        nodes.append(Node(f"node-{number}", directory, mariadb.free_port(), cluster_port, routes, more))
    try:
        for node in nodes:
            node.start()
        yield nodes
    finally:
        for node in nodes:
            node.kill()
