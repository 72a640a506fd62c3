"""HTTP/1.1 as it comes over a socket: an offer to change the protocol is passed over, and what is no HTTP gets JSON."""

from __future__ import annotations

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from flowloom.api import headers


class Protocol(HttpToolsProtocol):
    """The parser leaves off at the body of a request that offers an upgrade; it is read again without the offer.

    What follows would else be taken for the next request, and the body be lost.
    """

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self._read(data)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("What came is no valid HTTP/1.1 request.")

    def on_headers_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        body = msgspec.json.encode({"message": msg})
        fields = [
            *self.server_state.default_headers,
            *headers.HEADERS,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        self.transport.write(_head(STATUS_LINE[400].rstrip(), fields) + body)
        self.transport.close()

    def _read(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as offer:
                if self.parser.get_method() == b"CONNECT":
                    self.send_400_response("This server is no proxy.")
                    return
                data = self._without_offer() + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def _without_offer(self) -> bytes:
        version = self.parser.get_http_version().encode()
        kept = [field for field in self.headers if field[0] != b"upgrade"]
        return _head(b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version), kept)


def _head(first_line: bytes, fields: list[tuple[bytes, bytes]]) -> bytes:
    return b"\r\n".join([first_line, *(b"%b: %b" % field for field in fields), b"\r\n"])
