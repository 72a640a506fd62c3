"""The client of NATS with what nats-py lacks: TLS that is not given up in silence, credentials that are decoded,
servers that talk nonsense, and an end that waits for nobody.

It overrides what nats-py keeps to itself; tests/cluster/test_wire.py fails where a new release has changed that.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import ParseResult, unquote

import nats.aio.client
from nats.errors import Error

# What nats-py stumbles over where a server does not say what is expected.
_STUMBLES: Final = (AssertionError, AttributeError, LookupError, TypeError, ValueError)


class Client(nats.aio.client.Client):
    """A client that keeps to what its URLs say."""

    def abandon(self) -> None:
        """End now: what is unsent is lost, and nothing is waited for."""
        self._status = Client.CLOSED
        tasks = [self._reading_task, self._ping_interval_task, self._flusher_task, self._reconnection_task]
        tasks += [subscription._wait_for_msgs_task for subscription in self._subs.values()]
        for task in tasks:
            if task is not None:
                task.cancel()
        if (writer := self._writer()) is not None:
            writer.transport.abort()

    async def _process_connect_init(self) -> None:
        """A server that talks nonsense is one that fails: the next one is tried. No socket to one is left open."""
        is_connected = False
        try:
            await super()._process_connect_init()
            is_connected = True
        except _STUMBLES as error:
            raise Error(f"what answers does not speak NATS ({error!r})") from error
        finally:
            if not is_connected and (writer := self._writer()) is not None:
                writer.transport.abort()

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        """Where a server leaves it to its clients, TLS is what the URL says."""
        if initial_connection and self._uri().scheme == "tls" and info.get("tls_available"):
            info["tls_required"] = True
        await super()._process_info(info, initial_connection)

    def _connect_command(self) -> bytes:
        """The first word to a server, with the credentials of its URL."""
        uri, writer = self._uri(), self._writer()
        if uri.scheme == "tls" and (writer is None or writer.get_extra_info("ssl_object") is None):
            raise Error(
                f"{uri.hostname} offers no TLS: let it, or write nats:// for tls:// in FLOWLOOM_NATS_URL"
            )
        name, password = (None if word is None else unquote(word) for word in (uri.username, uri.password))
        is_token = password is None
        self.options |= {
            "user": None if is_token else name,
            "password": password,
            "token": name if is_token else None,
        }
        return super()._connect_command()

    def _uri(self) -> ParseResult:
        assert self._current_server is not None
        return self._current_server.uri

    def _writer(self) -> Any:
        """What writes to the server; None before the first connection."""
        return getattr(self._transport, "_io_writer", None)
