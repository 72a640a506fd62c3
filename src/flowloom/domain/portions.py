"""An open file that is read portion by portion: its text, and a limit to what a single record may take of it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO, Final

from flowloom.domain import declaration

CHUNK_BYTES: Final = 64 * 1024
MAX_RECORD_BYTES: Final = 64 * 1024 * 1024


class Portions:
    """The file as its parser reads it; `passed` is called whenever nothing of what was read is held any more."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._held_bytes = 0

    def read(self, size: int) -> bytes:
        """The next bytes. Raises declaration.Unreadable when more than MAX_RECORD_BYTES would be held at once."""
        if self._held_bytes > MAX_RECORD_BYTES:
            raise declaration.Unreadable(
                f"One record is over {MAX_RECORD_BYTES:,} bytes; only files of smaller records are cut into pages."
            )
        chunk = self._file.read(size)
        self._held_bytes += len(chunk)
        return chunk

    def passed(self) -> None:
        """Count from here on."""
        self._held_bytes = 0


def texts(file: Portions, charset: str, head: bytes = b"") -> Iterator[str]:
    """The text of a file of which `head` was read already, part by part. Raises declaration.Unreadable."""
    decoder, before = codecs.getincrementaldecoder(declaration.reading(charset))(), 0
    chunk = head or file.read(CHUNK_BYTES)
    while True:
        waiting = len(decoder.getstate()[0])
        try:
            yield decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise declaration.undecodable(charset, error, before - waiting) from None
        if not chunk:
            return
        before += len(chunk)
        chunk = file.read(CHUNK_BYTES)
