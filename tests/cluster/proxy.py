"""A TCP proxy under the control of a test: it passes on, slowly or not at all, and cuts what is open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CHUNK = 65_536


@dataclass
class Proxy:
    """Passes `port` on to `target`. `delay_seconds` holds up each chunk; while it `is_cut` nothing comes through."""

    target: tuple[str, int] | str
    port: int = 0
    delay_seconds: float = 0.0
    is_cut: bool = False
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Cut every connection, and refuse new ones until it is mended."""
        self.is_cut = True
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        self.is_cut = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        # What is cut while it is written to says so with a RuntimeError.
        with contextlib.suppress(OSError, RuntimeError):
            there_reader, there_writer = await self._connect()
            self._open |= {writer, there_writer}
            try:
                await asyncio.gather(self._pass(reader, there_writer), self._pass(there_reader, writer))
            finally:
                self._open -= {writer, there_writer}
                writer.close()
                there_writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, str):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection(*self.target)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def proxying(target: tuple[str, int] | str) -> AsyncIterator[Proxy]:
    """A running proxy to a host and port, or to a socket in the file system."""
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
