"""Payload bodies at rest: small ones inline and compressed, large ones in files named by their content."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flowloom import errors
from flowloom.domain import declaration, formats
from flowloom.domain.payload import Payload

INLINE_BYTES = 64 * 1024
COMPRESS_FROM_BYTES = 512
# Compressing more than this takes long enough to be done in a thread.
LARGE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Packed:
    """A body ready to be stored: inline in `body`, or in the file named by `blob`."""

    size_bytes: int
    encoding: str | None
    body: bytes | None
    blob: str | None


class Blobs:
    """The directory of large bodies. Writing the same content twice is one file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def pack(self, raw: bytes) -> Packed:
        """Compress where it pays, and write a large body to its file, synced, before its row may name it."""
        if len(raw) < COMPRESS_FROM_BYTES:
            return Packed(len(raw), None, raw, None)
        packed = zlib.compress(raw, 1)
        if len(packed) <= INLINE_BYTES:
            return Packed(len(raw), "zlib", packed, None)
        return Packed(len(raw), "zlib", None, self._write(packed))

    def unpack(self, encoding: str | None, body: bytes | None, blob: str | None) -> bytes:
        """The raw body again. Raises errors.Missing when retention has removed it."""
        if body is None and blob is not None:
            body = self._read(blob)
        if body is None:
            return b""
        return zlib.decompress(body) if encoding == "zlib" else body

    def remove(self, blob: str, unless_since: float) -> None:
        """Remove a file that no row names, unless somebody wrote it since then: their row is on its way."""
        path = self._path(blob)
        if path.exists() and path.stat().st_mtime < unless_since:
            path.unlink(missing_ok=True)

    def older_than(self, instant: float) -> Iterator[str]:
        """The names of the files that nobody wrote since then."""
        for path in self._directory.glob("??/*"):
            if path.stat().st_mtime < instant:
                yield path.name

    def _path(self, blob: str) -> Path:
        return self._directory / blob[:2] / blob

    def _read(self, blob: str) -> bytes:
        try:
            return self._path(blob).read_bytes()
        except FileNotFoundError:
            raise errors.Missing("Payload body", blob[:12]) from None

    def _write(self, packed: bytes) -> str:
        blob = hashlib.sha256(packed).hexdigest()
        path = self._path(blob)
        if path.exists():
            os.utime(path)
            return blob
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _sync(self._directory)
        part = path.with_suffix(f".{os.urandom(6).hex()}")
        with part.open("wb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync(path.parent)
        return blob


def _sync(directory: Path) -> None:
    """Bring the names in a directory to the disk: a synced file without a name would be lost."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def encode(payload: Payload) -> bytes:
    """The bytes of a payload's body, as they are stored and sent. Raises declaration.Unwritable, never when settled."""
    return formats.encode(payload.body, payload.content_type)


def decode(raw: bytes, content_type: str) -> object:
    """The body of stored bytes. CSV and XML that are none stay bytes: the step that looks into them will say so."""
    try:
        return formats.decode(raw, content_type)
    except declaration.Unreadable:
        return raw
