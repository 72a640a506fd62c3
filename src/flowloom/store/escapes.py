"""Texts without the escapes of JSON, URLs and HTML, and the way back: what stands where in the escaped text."""

from __future__ import annotations

import bisect
import functools
import html
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple


class Span(NamedTuple):
    """A part of a text, and what is to be written instead."""

    start: int
    end: int
    mark: bytes


@dataclass(frozen=True, slots=True)
class Way:
    """A way to escape: `mark` begins every escape, `pattern` finds one, `read` tells what it stands for."""

    mark: bytes
    pattern: re.Pattern[bytes]
    read: Callable[[bytes], bytes]

    def undone(self, found: re.Match[bytes]) -> bytes:
        return self.read(found[0])


class Layer:
    """A text, and what it is without the escapes of one way."""

    def __init__(self, way: Way, text: bytes) -> None:
        self._way = way
        self._text = text
        self.plain = way.pattern.sub(way.undone, text)

    def outer(self, spans: Sequence[Span]) -> list[Span]:
        """The spans of the escaped text that these of the plain one come from; no escape is cut in two."""
        starts, before = self._escapes
        return [
            Span(_outer(starts, before, span.start, False), _outer(starts, before, span.end, True), span.mark)
            for span in spans
        ]

    @functools.cached_property
    def _escapes(self) -> tuple[list[int], list[tuple[int, int, int]]]:
        """Where each escape's plain text begins, and its end there, and the escape's start and end."""
        starts, places, shift = [0], [(0, 0, 0)], 0
        for found in self._way.pattern.finditer(self._text):
            start = found.start() - shift
            end = start + len(self._way.read(found[0]))
            shift = found.end() - end
            starts.append(start)
            places.append((end, found.start(), found.end()))
        return starts, places


def _outer(starts: Sequence[int], places: Sequence[tuple[int, int, int]], at: int, is_end: bool) -> int:
    """Where a place of the plain text is in the escaped one."""
    number = (bisect.bisect_left if is_end else bisect.bisect_right)(starts, at) - 1
    plain_end, start, end = places[max(number, 0)]
    if at < plain_end:
        return end if is_end else start
    return end + at - plain_end


_CONTROLS: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


@functools.lru_cache(maxsize=4096)
def _json(escape: bytes) -> bytes:
    if escape[1:2] != b"u" or len(escape) == 2:
        return _CONTROLS.get(escape[1:], escape[1:])
    units = bytes.fromhex(escape.replace(b"\\u", b"").decode())
    return units.decode("utf-16-be", errors="surrogatepass").encode(errors="surrogatepass")


@functools.lru_cache(maxsize=4096)
def _url(escape: bytes) -> bytes:
    return bytes.fromhex(escape[1:].decode())


@functools.lru_cache(maxsize=4096)
def _html(escape: bytes) -> bytes:
    if not escape.startswith(b"&#"):
        return html.unescape(escape.decode()).encode(errors="surrogatepass")
    digits = escape[2:].rstrip(b";")
    code = int(digits[1:], 16) if digits[:1] in b"xX" else int(digits)
    return chr(code).encode(errors="surrogatepass") if code <= sys.maxunicode else escape


_HEX: Final = rb"[0-9a-fA-F]"
_PAIR: Final = rb"\\u[dD][89abAB]%b{2}\\u[dD][c-fC-F]%b{2}" % (_HEX, _HEX)
JSON: Final = Way(b"\\", re.compile(rb"%b|\\u%b{4}|\\." % (_PAIR, _HEX), re.DOTALL), _json)
URL: Final = Way(b"%", re.compile(rb"%%%b{2}" % _HEX), _url)
HTML: Final = Way(b"&", re.compile(rb"&(?:#[0-9]{1,9};?|#[xX]%b{1,8};?|[A-Za-z0-9]{1,32};)" % _HEX), _html)
# What is in JSON may hold JSON, a URL, HTML, each in itself again.
ORDER: Final = (JSON, JSON, JSON, URL, URL, HTML, HTML)
MARKS: Final = (JSON.mark, URL.mark, HTML.mark)
