"""Processes of `flowloom`, forked from one that has its modules loaded: most of a start is importing.

Each is as much a process of its own as one that a shell starts, and dies alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

_CONTEXT = multiprocessing.get_context("forkserver")
_LOADED = (
    *("flowloom.cli", "flowloom.serving", "flowloom.store.shared_broker"),
    *("aiohttp", "alembic.command", "psycopg"),
)
_CONTEXT.set_forkserver_preload(list(_LOADED))


class Forked:
    """What the tests use of asyncio's Process."""

    def __init__(self, process: Any, output: Connection) -> None:
        self._process = process
        self._output = output
        self._gone = asyncio.Event()
        self.pid: int = process.pid
        self.stdout = asyncio.StreamReader()
        self.returncode: int | None = None
        loop = asyncio.get_running_loop()
        # Not a pipe of the loop: uvloop and the connection would both close it, the second one what is open by then.
        loop.add_reader(output.fileno(), self._read)
        loop.add_reader(process.sentinel, self._ended)

    @classmethod
    async def start(cls, arguments: Sequence[str], environ: Mapping[str, str], home: Path) -> Self:
        """Run `flowloom` with these arguments in a directory, where it keeps its `log`."""
        reader, writer = _CONTEXT.Pipe(duplex=False)
        process = _CONTEXT.Process(target=_run, args=(arguments, dict(environ), home, writer))
        process.start()
        writer.close()
        return cls(process, reader)

    def _read(self) -> None:
        if said := os.read(self._output.fileno(), 65536):
            self.stdout.feed_data(said)
            return
        asyncio.get_running_loop().remove_reader(self._output.fileno())
        self._output.close()
        self.stdout.feed_eof()

    def _ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        while not self._output.closed:
            self._read()
        self.returncode = self._process.exitcode
        self._gone.set()

    async def wait(self) -> int | None:
        await self._gone.wait()
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Does nothing to one that is gone."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def _run(arguments: Sequence[str], environ: Mapping[str, str], home: Path, output: Connection) -> None:
    os.dup2(output.fileno(), 1)
    output.close()
    log = os.open(home / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 2)
    os.close(log)
    faulthandler.enable()
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(home)
    sys.argv = ["flowloom", *arguments]
    from flowloom import cli

    cli.main()
